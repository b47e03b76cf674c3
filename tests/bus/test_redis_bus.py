"""The bus on a real Redis."""

from collections.abc import Iterator
from threading import Thread

import pytest
import redis

from memesnipe.bus.merge import StreamGapError
from memesnipe.bus.redis_bus import Bus
from memesnipe.errors import InputError
from memesnipe.protocol.streams import EVENT_STREAMS, EVENTS, PROGRESS
from tests.payloads import event, progress


@pytest.fixture
def bus(url: str, operator: redis.Redis) -> Iterator[Bus]:
    made = Bus(url)
    yield made
    made.close()


def test_publishing_is_idempotent(bus: Bus) -> None:
    entries = [progress(n) for n in (1, 2, 3)]
    bus.publish(entries[:2])
    bus.publish(entries)
    assert [e.number for e in bus.read({PROGRESS: 0}, 10)] == [1, 2, 3]
    assert bus.last_number(PROGRESS) == 3
    assert bus.last_number("nothing") == 0


def test_a_blocking_read_returns_a_snapshot_of_all_streams(bus: Bus, url: str, operator: redis.Redis) -> None:
    """A blocking read of Redis returns only the stream that ended it, which the bus must not return."""
    found = []
    reader = Bus(url)
    thread = Thread(target=lambda: found.extend(reader.read({EVENTS: 0, PROGRESS: 0}, 10_000)))
    thread.start()
    while not any(c["cmd"] == "xread" and "b" in c["flags"] for c in operator.client_list()):
        pass
    bus.publish([event(1, "social"), event(2), progress(1)])
    thread.join()
    reader.close()
    assert [(e.stream, e.seq) for e in found] == [("events:social", 1), (PROGRESS, 1), ("events:price", 2)]


def test_events_between_waits_for_missing_events(bus: Bus, url: str) -> None:
    bus.publish([event(1)])
    found = []
    reader = Bus(url)
    thread = Thread(target=lambda: [found.extend(entries) for entries in reader.events_between(1, 3)])
    thread.start()
    bus.publish([event(2, "social"), event(3), event(4)])
    thread.join()
    reader.close()
    assert [e.seq for e in found] == [1, 2, 3]


def test_events_between_skips_no_event(bus: Bus) -> None:
    bus.publish([event(n) for n in (1, 2, 4, 5)])
    with pytest.raises(StreamGapError, match="entry 2 is followed by 4"):
        list(bus.events_between(1, 5))
    with pytest.raises(StreamGapError, match="entry 2 is followed by 4"):
        list(bus.events_between(3, 3))


def test_only_a_new_run_deletes_the_streams(bus: Bus) -> None:
    bus.take_over("here", run_id=1)
    bus.publish([progress(1)])
    bus.take_over("here", run_id=1)
    assert bus.last_number(PROGRESS) == 1
    bus.take_over("here", run_id=2)
    assert bus.last_number(PROGRESS) == 0


def test_the_database_of_another_installation_is_rejected(bus: Bus) -> None:
    bus.take_over("here", run_id=1)
    with pytest.raises(InputError, match="REDIS_URL names a database that another MemeSnipe folder uses"):
        bus.take_over("there", run_id=1)


def test_trimming_keeps_later_entries(bus: Bus) -> None:
    bus.publish([progress(n) for n in range(1, 1001)])
    bus.trim([PROGRESS], 900)
    left = [e.number for e in bus.read({PROGRESS: 0}, 10)]
    assert left[-1] == 1000
    assert left[0] <= 900
    assert len(left) < 1000


def test_several_streams_are_trimmed_at_once_and_continued(bus: Bus) -> None:
    bus.publish([(stream, n, n, b"x") for n in range(1, 1001) for stream in EVENT_STREAMS[:2]])
    bus.trim(EVENT_STREAMS, 900)
    lengths = [length for length, _ in bus.extents(EVENT_STREAMS).values()]
    assert all(101 <= length < 1000 for length in lengths[:2]) and not any(lengths[2:])
    bus.publish([(stream, 1001, 1001, b"x") for stream in EVENT_STREAMS[:2]])  # it knows the new lengths
    bus.assert_complete()


def test_a_lost_connection_is_not_reopened(bus: Bus, url: str, operator: redis.Redis) -> None:
    """A Redis that is reachable again may have lost entries: a writer that continued would leave a gap."""
    bus.publish([progress(1)])
    operator.client_kill_filter(_type="normal", skipme=True)
    for _ in range(3):
        with pytest.raises(redis.ConnectionError):
            bus.publish([progress(2)])
    again = Bus(url)
    again.publish([progress(2)])
    again.close()


def test_a_loss_of_data_is_detected_without_a_loss_of_connection(bus: Bus, url: str, operator: redis.Redis) -> None:
    bus.begin("one", 1, "executor")
    bus.assert_complete()
    other = Bus(url)
    other.begin("one", 1, "position")
    other.assert_complete()
    operator.flushdb()
    for lost in (bus, other):
        with pytest.raises(redis.ConnectionError, match="lost its data"):
            lost.assert_complete()
        with pytest.raises(redis.ConnectionError, match="lost its data"):
            lost.publish([progress(7)])
    assert bus.last_number(PROGRESS) == 0, "an entry in the empty stream would hide that others are missing below it"
    again = Bus(url)
    again.begin("one", 1, "executor")
    again.assert_complete()
    for open_one in (other, again):
        open_one.close()


def test_begin_rejects_the_redis_of_another_installation(bus: Bus, url: str) -> None:
    bus.begin("one", 1, "executor")
    stranger = Bus(url)
    with pytest.raises(redis.ConnectionError, match="another MemeSnipe folder"):
        stranger.begin("two", 1, "executor")
    stranger.close()


def test_a_replaced_writer_publishes_nothing(bus: Bus, url: str) -> None:
    bus.begin("one", 1, "executor")
    bus.publish([progress(1)])
    successor, neighbour = Bus(url), Bus(url)
    successor.begin("one", 1, "executor")
    neighbour.begin("one", 1, "position")
    for late in (lambda: bus.publish([progress(2)]), lambda: bus.publish((), [PROGRESS]), bus.assert_complete):
        with pytest.raises(redis.ConnectionError, match="another executor"):
            late()
    assert bus.last_number(PROGRESS) == 1
    successor.publish([progress(2)])
    neighbour.publish([("risk_events", 1, 2, b"{}")])
    for other in (successor, neighbour):
        other.close()


def test_a_rebuilt_stream_accepts_lower_numbers(bus: Bus) -> None:
    bus.publish([progress(n) for n in (7, 8)])
    assert bus.stored(PROGRESS) == range(7, 9)
    bus.publish([progress(n) for n in (5, 6)], rebuild=[PROGRESS])
    assert bus.stored(PROGRESS) == range(5, 7)
    bus.publish([progress(8)])
    assert not bus.stored(PROGRESS), "7 is missing"
    assert not bus.stored("nothing")


def test_an_entry_that_redis_rejects_is_an_error_and_ends_the_batch(bus: Bus, url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("risk_events", "no stream")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        bus.publish([progress(1), ("risk_events", 1, 1, b"{}"), progress(2)])
    assert bus.stored(PROGRESS) == range(1, 2)


def test_stored_events_have_no_gaps(bus: Bus) -> None:
    streams = ("events:price", "events:social", "events:depth")
    bus.publish([(streams[n % 3], n, n, b"{}") for n in range(1, 301)])
    assert bus.stored_events(100) == range(100, 301)
    assert bus.stored_events(200) == range(200, 301)
    assert not bus.stored_events(199), "199 was let go"
    bus.publish((), rebuild=["events:social"])
    assert not bus.stored_events(200)
    assert not bus.stored_events(400)
