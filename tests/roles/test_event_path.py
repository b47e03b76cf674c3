"""The path of events on real servers, step by step: whatever Redis loses, every reader consumes every event once."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import redis
import sqlalchemy as sa

from memesnipe.bus.merge import Entry, ForeignEntryError
from memesnipe.feeds.live import LiveFeed
from memesnipe.market.events import REBALANCE
from memesnipe.market.record_rules import CATEGORIES
from memesnipe.protocol.heartbeat import Heartbeat
from memesnipe.protocol.messages import ExecutorProgress
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import (
    ALLOCATIONS,
    EVENT_READERS,
    EVENT_STREAMS,
    EVENTS,
    KEEP_EVENTS,
    MAX_IN_FLIGHT,
    PROGRESS,
)
from memesnipe.roles.market_data import MarketData
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.lease import LeaseLostError
from memesnipe.storage.schema import RejectedEventRow
from memesnipe.storage.views import report
from memesnipe.testing.live_source import ScriptedSource
from tests.payloads import allocations, event
from tests.roles.conftest import Listener, Reader, Stage
from tests.support import CURVE, price_message

BATCH = 512
POISON: list[Any] = [{"kind": "nonsense"}, None, price_message(0, "A", "buy", CURVE, 1, 1) | {"sol_usd": 1e-300}]


def trades(count: int, every_s: float = 0.001) -> list[dict[str, Any]]:
    """Return trades and mentions, so that there are several streams."""
    made = [price_message(i * every_s, "A", "buy", CURVE, 1, 1) for i in range(count)]
    for message in made[1::3]:
        message |= {"kind": "social", "sentiment": 0.5, "mentions": 3.0}
    return made


def step_until(reader: Reader, until: int) -> list[int]:
    """Step a reader until it has consumed event ``until``; errors are raised."""
    for _ in range(50):
        if reader.seen and reader.seen[-1] >= until:
            return reader.seen
        reader.step()
    raise AssertionError(f"the reader consumed {reader.seen[-1:]}, not {until}")


def through(*seqs: int) -> list[int]:
    return list(range(seqs[0], seqs[-1] + 1))


def lose_all_after(stage: Stage, check: Callable[[], None]) -> Callable[[], None]:
    """Return a check that succeeds immediately before Redis loses its data."""

    def checked() -> None:
        check()
        stage.redis.flushdb()

    return checked


def test_a_loss_between_check_and_publishing_is_republished(stage: Stage) -> None:
    feed = trades(4 * BATCH)
    market, reader = stage.market(feed), stage.start(Reader)
    market.open()
    market.step()
    reader.open()
    step_until(reader, BATCH)
    market.step()
    market.context.bus.assert_complete = lose_all_after(stage, market.context.bus.assert_complete)
    with pytest.raises(redis.ConnectionError, match="lost its data"):
        market.step()
    assert not stage.redis.exists(*EVENT_STREAMS), "the new batch must not be the first of the stream"
    market.close()
    again, late = stage.market(feed), stage.start(Reader)
    again.open()
    with pytest.raises(redis.ConnectionError, match="lost its data"):
        step_until(reader, 4 * BATCH)
    late.open()
    again.step()
    assert step_until(late, 4 * BATCH) == through(late.seen[0], 4 * BATCH)
    assert reader.seen + late.seen == through(1, 4 * BATCH)


def test_a_database_that_ends_connections_costs_a_recovery_and_no_event(stage: Stage) -> None:
    feed = trades(4 * BATCH)
    market, reader = stage.market(feed), stage.start(Reader)
    for role in (market, reader):
        role.open()
        role.step()
    for role in (market, reader):
        with role.context.database.connect() as connection:
            pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with stage.database.connect() as connection:
            assert connection.scalar(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    for role in (market, reader):
        with pytest.raises(sa.exc.OperationalError):
            for _ in range(4):
                role.step()
        role.close()
    again, late = stage.market(feed), stage.start(Reader)
    again.open()
    late.open()
    while again.seq < 4 * BATCH:
        again.step()
    step_until(late, 4 * BATCH)
    assert reader.seen + late.seen == through(1, 4 * BATCH)


def test_a_consumer_that_publishes_after_a_loss_leaves_no_gap(stage: Stage) -> None:
    market, reader, listener = stage.market(trades(3 * BATCH)), stage.start(Reader), stage.start(Listener)
    for role in (market, reader, listener):
        role.open()
    for _ in range(2):
        market.step()
        reader.step()
    commit = reader.journal.commit
    reader.journal.commit = lambda *given: (commit(*given), stage.redis.flushdb())[0]
    market.step()
    with pytest.raises(redis.ConnectionError, match="lost its data"):
        reader.step()
    again = stage.start(Reader)
    again.open()
    listener = stage.start(Listener)
    listener.open()
    assert step_until(listener, 3) == [1, 2, 3]


@pytest.mark.parametrize("lost", [EVENT_STREAMS, ("events:price",), ("events:social",)], ids=["all", "one", "other"])
def test_streams_with_gaps_are_rebuilt(stage: Stage, lost: tuple[str, ...]) -> None:
    feed = trades(3 * BATCH)
    market = stage.market(feed)
    market.open()
    for _ in range(3):
        market.step()
    for stream in lost:
        stage.redis.xtrim(stream, minid=f"{2 * BATCH + 1}", approximate=False)
    with pytest.raises(redis.ConnectionError, match="lost its data"):
        market.step()
    market.close()
    again, reader = stage.market(feed), stage.start(Reader)
    again.open()
    reader.open()
    assert step_until(reader, 3 * BATCH) == through(1, 3 * BATCH)


def test_foreign_entries_are_not_applied_and_stop_no_reader(stage: Stage) -> None:
    market, reader = stage.market(trades(2 * BATCH)), stage.start(Reader)
    market.open()
    reader.open()
    market.step()
    for identifier in (f"{BATCH + 1}-0", "*"):
        stage.redis.xadd("events:price", {"seq": BATCH + 1, "data": '{"kind":"price"}'}, id=identifier)
        with pytest.raises(ForeignEntryError, match="events:price: entry"):
            reader.step()
    assert step_until(reader, BATCH) == through(1, BATCH)
    with pytest.raises(redis.ConnectionError, match="a foreign entry blocked an entry"):
        market.step()
    market.close()
    again, later = stage.market(trades(2 * BATCH)), stage.start(Reader)
    again.open()
    later.open()
    assert step_until(later, 2 * BATCH) == through(BATCH + 1, 2 * BATCH)


def test_messages_that_begin_too_late_are_rebuilt(stage: Stage) -> None:
    market, reader = stage.market(trades(3 * BATCH)), stage.start(Reader)
    market.open()
    reader.open()
    for _ in range(3):
        market.step()
        reader.step()
    stage.redis.xtrim(PROGRESS, maxlen=1, approximate=False)
    with pytest.raises(redis.ConnectionError, match="executor_progress: Redis has lost its data, 2 of 3 entries"):
        reader.step()
    assert reader.context.bus.stored(PROGRESS) == range(3, 4)
    again, listener = stage.start(Reader), stage.start(Listener)
    again.open()
    listener.open()
    assert step_until(listener, 3) == [1, 2, 3]


def test_uncommitted_entries_in_redis_are_deleted(stage: Stage) -> None:
    """A database restored from an older copy has fewer commits than Redis has entries."""
    feed = trades(BATCH)
    market = stage.market(feed)
    market.open()
    market.step()
    market.context.bus.publish([event(BATCH + 1)])
    market.close()
    again, reader = stage.market(feed), stage.start(Reader)
    again.open()
    reader.open()
    assert step_until(reader, BATCH) == through(1, BATCH)
    assert again.context.bus.stored_events(1) == range(1, BATCH + 1)


def test_stored_entries_are_not_published_again(stage: Stage) -> None:
    feed = trades(2 * BATCH)
    market = stage.market(feed)
    market.open()
    market.step()
    market.close()
    again, published = stage.market(feed), []
    bus = again.context.bus
    publish = bus.publish

    def counted(outgoing: Iterable[Any], rebuild: Sequence[str] = ()) -> None:
        entries = list(outgoing)
        published.extend(entries)
        publish(entries, rebuild)

    stage.monkeypatch.setattr(bus, "publish", counted)
    again.open()
    assert published == []
    again.step()
    assert len(published) == BATCH, "it is counted at all"


def _read_all(stage: Stage, seq: int) -> None:
    for actor in EVENT_READERS:
        stage.has_read(actor, EVENTS, seq)


def test_at_full_speed_the_feed_waits_for_the_slowest_reader(stage: Stage) -> None:
    feed = [*trades(10), *trades(2 * MAX_IN_FLIGHT)]
    for i, message in enumerate(feed):
        message["ts"] += 10**9 * 60 * (i >= 10)
    market = stage.market(feed)
    market.open()
    market.step()
    stage.has_read("executor", ALLOCATIONS, market.seq)
    for _ in range(3 * MAX_IN_FLIGHT // BATCH):
        market.step()
    assert MAX_IN_FLIGHT <= market.seq < MAX_IN_FLIGHT + BATCH
    _read_all(stage, market.seq)
    market.step()
    assert market.seq > MAX_IN_FLIGHT + BATCH


def test_unread_entries_are_not_trimmed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.roles.event_publisher.KEEP_EVENTS", 1_000)
    monkeypatch.setattr("memesnipe.roles.event_publisher.TRIM_EVERY", 1)
    market = stage.market(trades(9 * BATCH))
    market.open()
    _read_all(stage, 700)
    for _ in range(8):
        market.step()
    reader = stage.start(Reader)
    reader.open()
    assert step_until(reader, 8 * BATCH) == through(701, 8 * BATCH)
    _read_all(stage, 8 * BATCH)
    market.step()
    numbers = [int(stage.redis.xrange(s, count=1)[0][0].split(b"-")[0]) for s in ("events:price", "events:social")]
    assert 700 < min(numbers) <= 9 * BATCH - 1_000
    assert KEEP_EVENTS > 9 * BATCH, "the bound set above is reached"


def test_of_two_market_data_processes_only_one_writes(stage: Stage) -> None:
    feed = trades(4 * BATCH)
    first, second = stage.market(feed), stage.market(feed)
    first.open()
    first.step()
    with pytest.raises(OSError, match="another writer"):
        second.open()
    with pytest.raises((LeaseLostError, redis.ConnectionError)):
        first.step()
    first.context.bus.assert_complete = lambda: None
    with pytest.raises(LeaseLostError):  # also where it had not checked before
        first.step()
    first.close()
    second.close()
    stage.epochs = {}  # the third is in another process
    third = stage.market(feed)
    third.open()
    third.step()
    [recorded] = read_batches(stage.context().event_log, 1, 2 * BATCH)
    assert recorded["seq"].tolist() == through(1, 2 * BATCH)
    assert np.all(np.diff(recorded["ts"]) > 0), "no event is duplicated"


@pytest.mark.parametrize("behind", [0, 3, 2 * BATCH])
def test_a_decision_is_due_at_the_last_valid_event_of_a_feed(stage: Stage, behind: int) -> None:
    feed = [*trades(BATCH), *(POISON[i % len(POISON)] for i in range(behind))]
    market = stage.market(feed)
    market.open()
    while not market.cursor.ended:
        market.step()
    assert (market.seq, market.cursor.decision_seq, market.cursor.rejected) == (BATCH, BATCH, behind)
    assert market.cursor.position == len(feed)
    [recorded] = read_batches(stage.context().event_log, 1, BATCH)
    assert np.flatnonzero(recorded["flags"] & REBALANCE).tolist() == [BATCH - 1]
    with stage.database.connect() as connection:
        query = sa.select(RejectedEventRow.position).where(RejectedEventRow.run_id == stage.run_id)
        assert sorted(connection.scalars(query)) == list(range(BATCH, BATCH + behind))


def test_invalid_messages_between_batches_change_no_offset(stage: Stage) -> None:
    """A restart resumes the feed from its position, so messages that were polled early must count once."""
    feed: list[Any] = []
    for n, message in enumerate(trades(40)):
        message["ts"] += 60 * 10**9 * (n > 0)
        feed += [message, *POISON]
    market: MarketData = stage.market(feed)
    market.open()
    market.step()
    assert (market.seq, market.cursor.position) == (2, 2 * (1 + len(POISON))), (
        "up to the decision, and what is no event"
    )
    market.close()
    stage.has_read("executor", ALLOCATIONS, 2)
    again = stage.market(feed)
    again.open()
    while not again.cursor.ended:
        again.step()
    assert (again.seq, again.cursor.rejected, again.cursor.position) == (40, 40 * len(POISON), len(feed))
    with stage.database.connect() as connection:
        counted = report(connection, stage.run_id)["rejected_because"]
        query = sa.select(RejectedEventRow.category).where(RejectedEventRow.run_id == stage.run_id)
        assert Counter(connection.scalars(query)) == counted
    assert sum(counted.values()) == 40 * len(POISON)
    assert {*counted} <= {*CATEGORIES}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report any wait as stalled at once."""
    monkeypatch.setattr("memesnipe.roles.activity._MAX_WAIT_S", -1.0)
    monkeypatch.setattr("memesnipe.roles.consumer._MISSING_CHECK_S", -1.0)


@pytest.mark.usefixtures("impatient")
def test_a_reader_of_a_lost_stream_reports_the_missing_entry(stage: Stage) -> None:
    market, reader, listener = stage.market(trades(10)), stage.start(Reader), stage.start(Listener)
    for role in (market, reader, listener):
        role.open()
    reader.step()
    assert reader.context.activity.slow_state() is None, "a quiet feed stalls no actor"
    market.step()
    stage.redis.delete(*EVENT_STREAMS)
    reader.step()
    awaited = "has waited 0 s for entry 1 of events, which was written and has not arrived"
    assert reader.context.activity.slow_state() == ("stalled", awaited)
    market.close()
    stage.market(trades(10)).open()  # publishes again what has vanished
    assert step_until(reader, 10) == through(1, 10)
    assert reader.context.activity.slow_state() is None
    stage.redis.delete(PROGRESS)
    listener.step()  # the events
    listener.step()
    assert "entry 1 of executor_progress" in listener.context.activity.slow_state().detail


@pytest.mark.usefixtures("impatient")
def test_the_feed_reports_the_reader_or_decision_it_waits_for(stage: Stage) -> None:
    feed = trades(20)
    for message in feed[10:]:
        message["ts"] += 60 * 10**9
    market = stage.market(feed)
    market.open()
    market.step()
    activity = market.context.activity
    assert activity.slow_state() is None
    market.step()
    assert activity.slow_state().detail.endswith(" s for executor to consume event 1")
    stage.has_read("executor", EVENTS, market.seq)
    market.step()
    assert activity.slow_state().detail.endswith(" s for position to consume event 1")
    _read_all(stage, market.seq)
    market.step()
    assert activity.slow_state().detail.endswith(" s for the decision after that of event 0")
    market.context.bus.beat("strategy_factory", Heartbeat(state="breeding"))
    stage.monkeypatch.setattr("memesnipe.roles.market_data.GENERATION_CHECK_S", -1.0)
    market.step()
    assert activity.slow_state() is None, "a generation may take its time"
    stage.has_read("executor", ALLOCATIONS, market.seq)
    market.step()
    assert market.seq == 20


class Silent(Reader):
    """Publishes a message only at every thirtieth event."""

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        self.seen += [entry.seq for entry in entries if entry.stream in EVENT_STREAMS]
        for entry in entries:
            if entry.seq % 30 == 0:
                work.send(ExecutorProgress(seq=entry.seq))


def test_offsets_without_effects_are_committed_with_the_next_effect_or_soon(stage: Stage) -> None:
    stage.monkeypatch.setattr("memesnipe.roles.consumer._UNCOMMITTED_S", 3600.0)
    source, feed = ScriptedSource(), trades(50)
    live = LiveFeed("test", source)
    market, reader = stage.market(live), stage.start(Silent)
    market.open()
    reader.open()
    reader._committed_at = perf_counter()
    committed = []
    for first in range(0, 50, 10):
        source.deliver(*feed[first : first + 10])
        while market.seq < first + 10:
            market.step()
        reader.step()
        committed.append(reader.journal.offsets([EVENTS])[EVENTS].number)
    assert committed == [0, 0, 30, 30, 30]
    again = stage.start(Silent)
    again.open()
    assert step_until(again, 50) == through(31, 50), "after a crash they are read again"
    again.step()  # nothing comes
    assert again.journal.offsets([EVENTS])[EVENTS].number == 50


def test_the_feed_continues_once_a_decision_is_applied(stage: Stage) -> None:
    """The feed does not poll: without the announcement it would wait for 8 s here."""
    stage.monkeypatch.setattr("memesnipe.roles.market_data.PROGRESS_WAIT_S", 8.0)
    feed = trades(20)
    for message in feed[10:]:
        message["ts"] += 60 * 10**9
    market, executor = stage.market(feed), stage.start(Reader)
    market.open()
    executor.open()
    market.step()
    decided = market.seq
    executor.step()  # the events
    assert (decided, market.cursor.decision_seq) == (11, 11)
    executor.context.bus.publish([(ALLOCATIONS, 1, decided, encode(allocations(seq=decided)))])
    executor.step()  # the decision; it is announced before the feed begins to wait, and not lost
    began = perf_counter()
    market.context.bus.wait_for_progress(ALLOCATIONS, 8.0)
    market.step()
    assert market.seq == 20
    assert perf_counter() - began < 6.0
