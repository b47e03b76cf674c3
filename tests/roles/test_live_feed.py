"""Market data on a live feed that is slow, silent, fails and ends, on real servers."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from actors.host import Host
from memesnipe.feeds.base import OWN_TS, FeedStatus
from memesnipe.feeds.choice import FeedChoice
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.merge import MergedFeed
from memesnipe.market.events import NS_PER_S, STALE
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.heartbeat import HEARTBEAT_KEY, Heartbeat, decode_heartbeat
from memesnipe.protocol.streams import EVENTS, MAX_IN_FLIGHT
from memesnipe.roles.context import Context
from memesnipe.roles.intake import BATCH
from memesnipe.roles.market_data import MarketData
from memesnipe.storage.commands import enqueue, pending_commands
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.schema import RunRow
from memesnipe.storage.schema_control import CommandRow, LeaseRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.live_source import ScriptedSource
from tests.roles.conftest import Reader, Stage
from tests.support import CURVE, START_TS, price_message

SOON_S = 20.0  # far more than any of it takes


def trades(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [price_message(i * 0.001, "A", "buy", CURVE, 1, 1) for i in range(first, first + count)]


def step_until(market: MarketData, condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline_s
        market.step()


def wait_until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.01)


def recorded_ts(stage: Stage, count: int) -> list[int]:
    [events] = read_batches(stage.context().event_log, 1, count)
    return events["ts"].tolist()


def test_the_last_event_is_published_although_no_other_follows(stage: Stage) -> None:
    source = ScriptedSource()
    market, reader = stage.live(source), stage.start(Reader)
    reader.open()
    for count in (1, 3):
        source.deliver(*trades(count, first=market.seq))
        expected = market.seq + count
        step_until(market, lambda expected=expected: market.seq == expected)
        reader.step()
        assert reader.seen[-1] == expected
    assert not market.cursor.ended


def test_a_step_without_events_ends_soon_and_publishes_nothing(stage: Stage) -> None:
    market = stage.live(ScriptedSource())
    began = time.monotonic()
    for _ in range(3):
        market.step()
    assert time.monotonic() - began < 3.0, "a step of 3 s would count as stalled"
    assert (market.seq, market.cursor.ended) == (0, False)


def test_halt_takes_effect_after_the_last_event_while_the_feed_is_silent(stage: Stage) -> None:
    source = ScriptedSource(trades(5))
    market = stage.live(source)
    step_until(market, lambda: market.seq == 5)
    with stage.database.begin() as connection:
        command_id = enqueue(connection, stage.run_id, CommandName.HALT)

    def is_taken() -> bool:
        with stage.database.connect() as connection:
            return not pending_commands(connection, stage.run_id, with_flattens=True)

    step_until(market, is_taken)
    with stage.database.connect() as connection:
        query = sa.select(CommandRow.seq).where(CommandRow.command_id == command_id)
        assert connection.scalar(query) == 5


def test_commands_are_asked_for_at_intervals_while_events_arrive(stage: Stage, monkeypatch) -> None:
    source = ScriptedSource()
    market = stage.live(source)
    questions: list[float] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM commands" in statement:
            questions.append(time.monotonic())

    sa.event.listen(market.context.database, "before_cursor_execute", note)
    for interval_s, allowed in ((60.0, 1), (0.0, 10**6)):
        monkeypatch.setattr("memesnipe.roles.market_data.ASK_EVERY_S", interval_s)
        questions.clear()
        for _ in range(5):
            source.deliver(*trades(1, first=market.seq))
            step_until(market, lambda expected=market.seq + 1: market.seq == expected)
        assert (len(questions) >= 5) == (interval_s == 0.0)
        assert len(questions) <= allowed


def test_a_feed_that_a_clock_paces_asks_for_commands_at_intervals_too(stage: Stage, monkeypatch) -> None:
    paced = sa.update(RunRow).where(RunRow.run_id == stage.run_id)
    with stage.database.begin() as connection:
        connection.execute(paced.values(options=FeedChoice("list", 0.1).to_dict()))
    monkeypatch.setattr("memesnipe.roles.market_data.ASK_EVERY_S", 60.0)
    market = stage.market(trades(20))  # due every 10 ms
    market.open()
    questions: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM commands" in statement:
            questions.append(statement)

    sa.event.listen(market.context.database, "before_cursor_execute", note)
    step_until(market, lambda: market.seq == 20)
    assert len(questions) == 1


def test_the_end_is_recorded_after_the_last_event(stage: Stage) -> None:
    source = ScriptedSource(trades(3))
    market = stage.live(source)
    source.end()
    step_until(market, lambda: market.cursor.ended)
    assert (market.seq, market.cursor.position, market.cursor.token) == (3, 3, {"delivered": 3})
    market.step()
    assert market.seq == 3


def crash_before_the_commit(market: MarketData) -> None:
    def fail(_connection: sa.Connection) -> None:
        raise OSError("killed before the commit")

    sa.event.listen(market.context.database, "commit", fail)
    with pytest.raises(OSError, match="killed"):
        step_until(market, lambda: False)


def crash_before_redis(market: MarketData) -> None:
    def fail(*_: object) -> None:
        raise OSError("killed before Redis")

    market.context.bus.publish = fail
    with pytest.raises(OSError, match="killed"):
        step_until(market, lambda: False)


def crash_between_steps(market: MarketData) -> None:
    step_until(market, lambda: market.seq > BATCH)


@pytest.mark.parametrize("crash", [crash_before_the_commit, crash_before_redis, crash_between_steps])
def test_a_crash_neither_loses_nor_repeats_events(stage: Stage, crash: Callable[[MarketData], None]) -> None:
    """Events that were queued or logged and not committed are delivered again after the committed token."""
    feed = trades(3 * BATCH)
    source = ScriptedSource(feed[: 2 * BATCH + 100])
    market = stage.live(source)
    step_until(market, lambda: market.seq > 0)
    crash(market)
    market.close()
    again, reader = ScriptedSource(feed), stage.start(Reader)
    market = stage.live(again)
    assert again.tokens in ([], [{"delivered": market.cursor.position}])
    assert 0 < market.cursor.position < len(feed)
    reader.open()
    step_until(market, lambda: market.seq == len(feed))
    while not reader.seen or reader.seen[-1] < len(feed):
        reader.step()
    assert reader.seen == list(range(1, len(feed) + 1))
    assert recorded_ts(stage, len(feed)) == [message["ts"] for message in feed]
    assert again.tokens == [{"delivered": len(feed) - again.delivered}]


def test_readers_far_behind_pause_the_source(stage: Stage) -> None:
    source = ScriptedSource(trades(MAX_IN_FLIGHT + 3 * BATCH))
    feed = LiveFeed("test", source, capacity=100)
    market = stage.market(feed)
    market.open()
    step_until(market, lambda: market.seq >= MAX_IN_FLIGHT and feed.statuses()[0].queued == 100)
    for _ in range(3):
        market.step()
    assert market.seq < MAX_IN_FLIGHT + BATCH
    assert source.delivered <= market.seq + 100 + 1, "the queue and one event that waits for space"
    sample = partial(market.metrics.registry.get_sample_value, labels={"actor": "test", "feed": "test"})
    assert sample("memesnipe_feed_queued") == 100
    assert sample("memesnipe_feed_full") >= 1
    assert (sample("memesnipe_feed_rejected"), sample("memesnipe_feed_late")) == (0, 0)
    for actor in ("executor", "position", "portfolio", "strategy_factory"):
        stage.has_read(actor, EVENTS, market.seq)
    step_until(market, lambda: market.seq == MAX_IN_FLIGHT + 3 * BATCH)


def test_a_dead_feed_thread_is_reported_and_continues_after_its_last_event(stage: Stage) -> None:
    feed = trades(20)
    source = ScriptedSource(feed[:10])
    market = stage.live(source)
    activity = market.context.activity
    step_until(market, lambda: market.seq == 10)
    assert activity.slow_state() is None
    source.fail(ConnectionError("no route to host"))
    step_until(market, lambda: (slow := activity.slow_state()) and "times" in slow.detail)
    state, detail = activity.slow_state()
    assert state == "stalled"
    assert detail.startswith("feed test failed ")
    assert detail.endswith("times: ConnectionError: no route to host")
    assert "feed failed" in (stage.home / "logs" / "market_data.jsonl").read_text()
    source.deliver(*feed[10:])
    source.fail(None)
    step_until(market, lambda: market.seq == 20 and activity.slow_state() is None)
    assert recorded_ts(stage, len(feed)) == [message["ts"] for message in feed]


def test_two_live_feeds_become_one_ordered_stream_that_survives_a_crash(stage: Stage) -> None:
    whole = trades(60)
    parts = {"even": whole[::2], "odd": whole[1::2]}

    def opened(count: int) -> MarketData:
        feeds = {name: LiveFeed(name, ScriptedSource(part[:count])) for name, part in parts.items()}
        market = stage.market(MergedFeed(feeds))
        market.open()
        return market

    market = opened(10)
    step_until(market, lambda: market.seq == 20)
    assert market.cursor.token == {"even": {"delivered": 10}, "odd": {"delivered": 10}}
    market.close()
    market = opened(30)
    step_until(market, lambda: market.seq == 60)
    assert market.cursor.rejected == 0
    assert recorded_ts(stage, len(whole)) == [message["ts"] for message in whole]


class MarketDataHost(Host):
    """An actor of market data on a feed with this source."""

    name = "market_data"
    source: ScriptedSource

    def make_role(self, context: Context, metrics: ActorMetrics) -> MarketData:
        return MarketData(context, metrics, LiveFeed("test", self.source))


@pytest.fixture
def host(stage: Stage) -> Iterator[ScriptedSource]:
    """Yield the actor of market data, in a thread instead of a Ray process, and the source of its feed."""
    source = ScriptedSource()
    host = MarketDataHost(str(stage.home), stage.run_id)
    host.source = source
    thread = threading.Thread(target=host.run)
    thread.start()
    yield source
    host.stop()
    thread.join(SOON_S)
    assert not thread.is_alive()


def test_a_silent_feed_delays_neither_heartbeat_nor_lease_nor_halt(
    stage: Stage, host: ScriptedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = HEARTBEAT_KEY.format("market_data")

    def heartbeat() -> Heartbeat | None:
        found = stage.redis.get(key)
        return decode_heartbeat(found) if found else None

    def expires_at() -> Any:
        with stage.database.connect() as connection:
            query = sa.select(LeaseRow.expires_at).where(LeaseRow.run_id == stage.run_id)
            return connection.scalar(query)

    host.deliver(*trades(3))
    wait_until(lambda: (beat := heartbeat()) and (beat.state, beat.seq) == ("running", 3))
    monkeypatch.setattr("memesnipe.roles.feed_health.QUIET_AFTER_S", 0.2)
    wait_until(lambda: (beat := heartbeat()) and (beat.state, beat.seq) == ("quiet", 3))
    with stage.database.begin() as connection:
        enqueue(connection, stage.run_id, CommandName.HALT)
    for _ in range(2):
        stage.redis.delete(key)
        wait_until(lambda: (beat := heartbeat()) and beat.state == "quiet")
    with stage.database.connect() as connection:
        assert connection.scalars(sa.select(CommandRow.seq).where(CommandRow.run_id == stage.run_id)).all() == [3]
    leased_until = expires_at()  # nothing is committed any more, so only a renewal extends it
    wait_until(lambda: expires_at() > leased_until)
    monkeypatch.undo()
    host.deliver(*trades(1, first=3))
    wait_until(lambda: (beat := heartbeat()) and (beat.state, beat.seq) == ("running", 4))


def test_events_of_an_untrusted_feed_are_stale_until_it_is_trusted_again(stage: Stage, monkeypatch) -> None:
    """Without the flag the desk would buy on numbers that may have been read from the wrong bytes."""
    now_ns = START_TS + NS_PER_S
    monkeypatch.setattr("memesnipe.clock.time.time_ns", lambda: now_ns)
    source, untrusted = ScriptedSource(), FeedStatus("pumpfun", 0.0, error="protocol changed", is_untrusted=True)
    feed = LiveFeed("test", source)
    market = stage.market(feed)
    market.open()
    statuses = feed.statuses
    for is_untrusted in (False, True, False):
        monkeypatch.setattr(feed, "statuses", lambda extra=(untrusted,) * is_untrusted: [*statuses(), *extra])
        source.deliver(*trades(2, first=market.seq))
        step_until(market, lambda expected=market.seq + 2: market.seq == expected)
        market.step()
        state = market.context.activity.slow_state()
        assert (state is not None and "untrusted" in state.detail) == is_untrusted
    (events,) = read_batches(stage.context().event_log, 1, 6)
    assert (events["flags"] & STALE).tolist() == [0, 0, STALE, STALE, 0, 0]
    log = (stage.home / "logs" / "market_data.jsonl").read_text()
    assert "feed untrusted; nothing is bought" in log
    assert "feed trusted again" in log


def test_the_age_of_a_late_event_is_that_of_its_own_time_and_stays_in_the_log(stage: Stage, monkeypatch) -> None:
    max_age_s = stage.context().settings.risk.max_data_age_ms / 1000
    now_ns = START_TS + int(2 * max_age_s * NS_PER_S)
    monkeypatch.setattr("memesnipe.clock.time.time_ns", lambda: now_ns)
    source = ScriptedSource()
    market = stage.live(source)
    [fresh] = trades(1)
    fresh |= {"ts": now_ns}
    late = {**fresh, OWN_TS: now_ns - int(max_age_s * NS_PER_S) - 1}
    in_time = {**fresh, OWN_TS: now_ns - int(max_age_s * NS_PER_S)}
    invalid = {**fresh, "kind": "nothing"}
    newer = {**fresh, OWN_TS: now_ns + 1}
    source.deliver(fresh, late, invalid, in_time, {**fresh, OWN_TS: "yesterday"}, newer)
    step_until(market, lambda: market.seq == 5)
    (events,) = read_batches(stage.context().event_log, 1, 5)
    assert events["ts"].tolist() == [now_ns] * 5, "the order of events is as it was"
    assert (events["flags"] & STALE).tolist() == [0, STALE, 0, 0, 0]


def test_what_fails_without_stopping_a_feed_is_logged_once_while_it_lasts(stage: Stage, monkeypatch) -> None:
    source = ScriptedSource()
    feed = LiveFeed("test", source)
    market = stage.market(feed)
    market.open()
    impaired = FeedStatus("pumpfun", 0.0, warning="node.example.org: HTTP 429 Too Many Requests")
    statuses = feed.statuses
    for is_impaired in (True, True, False, True):
        monkeypatch.setattr(feed, "statuses", lambda extra=(impaired,) * is_impaired: [*statuses(), *extra])
        market.step()
        state = market.context.activity.slow_state()
        assert state is None or "429" not in state.detail
    log = (stage.home / "logs" / "market_data.jsonl").read_text()
    assert log.count("feed is impaired") == 2
    assert "HTTP 429 Too Many Requests" in log
