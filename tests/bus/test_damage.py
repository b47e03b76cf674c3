"""Foreign entries, lost entries and a Redis without memory are detected, and the streams recover."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from memesnipe.bus.merge import ForeignEntryError
from memesnipe.bus.redis_bus import Bus
from memesnipe.errors import InputError
from memesnipe.protocol.payload import EncodedEntry
from memesnipe.protocol.streams import EVENT_STREAMS, PROGRESS
from memesnipe.servers.redis import EmbeddedRedis, operator_url
from tests.payloads import progress

KEY = b"the key of the run"
ONE, TWO = progress(1, 10), progress(2, 20)


@pytest.fixture
def begin(url: str, operator: redis.Redis) -> Iterator[Callable[..., Bus]]:
    """Yield a function that opens the bus of an actor, repeatedly."""
    made = []

    def open_bus(actor: str = "market_data") -> Bus:
        made.append(Bus(url))
        made[-1].begin("one", 1, actor, KEY)
        return made[-1]

    yield open_bus
    for bus in made:
        bus.close()


def reopen(begin: Callable[..., Bus], *entries: EncodedEntry) -> Bus:
    """Open again as an actor does: publish the entries that are missing, or rebuild the stream."""
    bus = begin()
    stored = bus.stored(PROGRESS)
    if stored:
        bus.publish(entry for entry in entries if entry[1] >= stored.stop)
    else:
        bus.publish(entries, rebuild=[PROGRESS])
    return bus


def seen(begin: Callable[..., Bus]) -> list[int]:
    return [entry.number for entry in begin("executor").read({PROGRESS: 0}, 10)]


def test_entries_have_equal_ids_exactly_if_they_are_equal(begin: Callable[..., Bus], operator: redis.Redis) -> None:
    begin().publish([ONE])
    first = operator.xrange(PROGRESS)
    operator.delete(PROGRESS)
    begin().publish([ONE])
    assert operator.xrange(PROGRESS) == first
    ids = set()
    for seq, data in ((10, b'{"seq":10}'), (10, b'{"seq":11}'), (11, b'{"seq":10}')):
        operator.delete(PROGRESS)
        begin().publish([(PROGRESS, 1, seq, data)])
        ids.add(operator.xrange(PROGRESS)[0][0])
    assert len(ids) == 3 and all(identifier.startswith(b"1-") for identifier in ids)


@pytest.mark.parametrize("fields", [{"seq": 20, "data": '{"seq":20}'}, {"seq": "x", "data": "no JSON"}, {"a": "b"}])
@pytest.mark.parametrize("identifier", ["*", "2-0", "2-18446744073709551615", "18446744073709551615-7"])
def test_a_foreign_entry_is_removed_before_it_is_applied(
    begin: Callable[..., Bus], operator: redis.Redis, identifier: str, fields: dict[str, str]
) -> None:
    begin().publish([ONE])
    operator.xadd(PROGRESS, fields, id=identifier)  # type: ignore[arg-type]
    with pytest.raises(ForeignEntryError, match=r"executor_progress: entry \S+ is foreign and was removed"):
        seen(begin)
    assert seen(begin) == [1]
    # The valid entry follows: at once if its id is free, otherwise in a rebuilt stream.
    try:
        reopen(begin, ONE, TWO)
    except redis.ConnectionError as error:
        assert "a foreign entry blocked an entry" in str(error)
        reopen(begin, ONE, TWO)
    assert seen(begin) == [1, 2]


@pytest.mark.parametrize("identifier", ["*", "2-0", "2-18446744073709551615"])
def test_a_writer_detects_a_foreign_entry(begin: Callable[..., Bus], operator: redis.Redis, identifier: str) -> None:
    writer = begin()
    writer.publish([ONE])
    operator.xadd(PROGRESS, {"seq": 20, "data": "{}"}, id=identifier)
    for notice in (writer.assert_complete, lambda: writer.publish([TWO])):
        with pytest.raises(
            redis.ConnectionError, match="executor_progress: another process has written 1 entries into it"
        ):
            notice()
    reopen(begin, ONE, TWO)
    assert seen(begin) == [1, 2]


@pytest.mark.parametrize("loss", ["delete", "xdel", "xtrim"])
def test_the_loss_of_entries_is_detected(begin: Callable[..., Bus], operator: redis.Redis, loss: str) -> None:
    writer = begin()
    writer.publish([ONE, TWO])
    writer.assert_complete()
    last = operator.xrevrange(PROGRESS, count=1)[0][0]
    {
        "delete": lambda: operator.delete(PROGRESS),
        "xdel": lambda: operator.xdel(PROGRESS, last),
        "xtrim": lambda: operator.xtrim(PROGRESS, maxlen=0, approximate=False),
    }[loss]()
    left = operator.xlen(PROGRESS)
    third = progress(3, 30)
    for notice in (writer.assert_complete, lambda: writer.publish([third])):
        with pytest.raises(redis.ConnectionError, match=rf"Redis has lost its data, {2 - left} of 2 entries"):
            notice()
    assert operator.xlen(PROGRESS) == left, "an entry after the gap would hide it"
    try:
        reopen(begin, ONE, TWO, third)
    except redis.ConnectionError as error:  # the id of a deleted entry cannot be used again
        assert "blocked an entry" in str(error)
        reopen(begin, ONE, TWO, third)
    assert seen(begin) == [1, 2, 3]


def test_an_observer_removes_no_entries(begin: Callable[..., Bus], url: str) -> None:
    begin().publish([ONE, TWO])
    observer = Bus(url)
    assert [entry.number for entry in observer.read({PROGRESS: 0}, 10)] == [1, 2]
    observer.close()
    assert seen(begin) == [1, 2]


def test_trimmed_entries_are_no_loss(begin: Callable[..., Bus]) -> None:
    writer = begin()
    writer.publish([progress(n) for n in range(1, 1001)])
    writer.trim([PROGRESS], 900)
    writer.assert_complete()
    writer.publish([progress(1001)])
    again = begin()
    again.stored(PROGRESS)
    again.trim([PROGRESS], 1001)
    again.publish((), rebuild=[PROGRESS])
    again.assert_complete()


def test_a_key_of_another_type_is_replaced_by_the_stream(begin: Callable[..., Bus], operator: redis.Redis) -> None:
    operator.set(PROGRESS, "no stream")
    operator.hset(EVENT_STREAMS[0], "no", "stream")
    bus = begin()
    assert not bus.stored(PROGRESS) and not bus.stored_events(1)
    bus.publish([ONE, (EVENT_STREAMS[0], 1, 1, b"{}")])
    assert bus.stored(PROGRESS) == range(1, 2) and bus.stored_events(1) == range(1, 2)


def fill(bus: Bus) -> None:
    for number in range(1, 10_000):
        bus.publish([(stream, number, number, b"x" * 1000) for stream in ("fills", PROGRESS)])


def test_a_full_redis_is_an_error_until_it_has_room(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    url = server.start()
    try:
        with redis.Redis.from_url(operator_url(tmp_path, url)) as operator:
            operator.config_set("maxmemory", operator.info("memory")["used_memory"] + 2_000_000)
            bus = Bus(url)
            bus.take_over("one", 1)
            bus.begin("one", 1, "market_data", KEY)
            with pytest.raises(redis.ResponseError, match="maxmemory"):
                fill(bus)
            bus.close()
            operator.config_set("maxmemory", 0)
            again = Bus(url)
            again.begin("one", 1, "market_data", KEY)
            stored = {stream: again.stored(stream) for stream in ("fills", PROGRESS)}
            assert stored["fills"].stop - stored[PROGRESS].stop in (0, 1), "the first of a batch may be stored alone"
            again.publish([(PROGRESS, stored[PROGRESS].stop, 1, b"{}"), ("fills", stored["fills"].stop, 1, b"{}")])
            again.assert_complete()
            again.close()
    finally:
        server.stop()


def test_a_redis_that_drops_data_is_rejected_and_losses_are_detected(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    url = server.start()
    try:
        bus = Bus(url)
        bus.take_over("one", 1)
        with redis.Redis.from_url(operator_url(tmp_path, url)) as operator:
            operator.config_set("maxmemory-policy", "allkeys-lru")
            bus.take_over("one", 1)  # without a limit nothing is dropped
            operator.config_set("maxmemory", operator.info("memory")["used_memory"] + 2_000_000)
        with pytest.raises(InputError, match=r"drops data .* \(maxmemory-policy allkeys-lru\): set maxmemory-policy"):
            bus.take_over("one", 1)
        bus.begin("one", 1, "market_data", KEY)
        with pytest.raises(redis.ConnectionError, match="lost its data"):
            fill(bus)
        bus.close()
    finally:
        server.stop()
