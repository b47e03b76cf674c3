"""The bus on a real Redis."""

from collections.abc import Iterator
from threading import Thread

import pytest
import redis

from memesnipe.bus.redis_bus import Bus
from memesnipe.bus.streams import EVENTS
from memesnipe.errors import InputError


@pytest.fixture
def url(redis_url: str) -> Iterator[str]:
    own = redis_url.removesuffix("/0") + "/9"
    with redis.Redis.from_url(own) as client:
        client.flushdb()
    yield own


@pytest.fixture
def bus(url: str) -> Iterator[Bus]:
    made = Bus(url)
    yield made
    made.close()


def test_publishing_twice_is_publishing_once(bus: Bus) -> None:
    entries = [("fills", n, n, b'{"seq": %d}' % n) for n in (1, 2, 3)]
    bus.publish(entries[:2])
    bus.publish(entries)
    assert [e.number for e in bus.read({"fills": 0}, 10)] == [1, 2, 3]
    assert bus.last_number("fills") == 3
    assert bus.last_number("nothing") == 0


def test_a_reader_that_waited_still_sees_all_streams_of_one_moment(bus: Bus, url: str) -> None:
    """A blocked read of Redis answers with the one stream that woke it: that must not reach the reader."""
    found = []
    reader = Bus(url)
    thread = Thread(target=lambda: found.extend(reader.read({EVENTS: 0, "fills": 0}, 10_000)))
    thread.start()
    with redis.Redis.from_url(url) as client:
        while not any(c["cmd"] == "xread" and "b" in c["flags"] for c in client.client_list()):
            pass
    bus.publish([("events:social", 1, 1, b"{}"), ("events:price", 2, 2, b"{}"), ("fills", 1, 1, b"{}")])
    thread.join()
    reader.close()
    assert [(e.stream, e.seq) for e in found] == [("events:social", 1), ("fills", 1), ("events:price", 2)]


def test_events_between_waits_for_those_that_are_missing(bus: Bus, url: str) -> None:
    bus.publish([("events:price", 1, 1, b"{}")])
    found = []
    reader = Bus(url)
    thread = Thread(target=lambda: [found.extend(entries) for entries in reader.events_between(1, 3)])
    thread.start()
    bus.publish([("events:social", 2, 2, b"{}"), ("events:price", 3, 3, b"{}"), ("events:price", 4, 4, b"{}")])
    thread.join()
    reader.close()
    assert [e.seq for e in found] == [1, 2, 3]


def test_a_new_run_finds_no_streams_of_another_one_and_the_same_run_finds_its_own(bus: Bus) -> None:
    bus.take_over("here", run_id=1)
    bus.publish([("fills", 1, 1, b"{}")])
    bus.take_over("here", run_id=1)
    assert bus.last_number("fills") == 1
    bus.take_over("here", run_id=2)
    assert bus.last_number("fills") == 0


def test_another_installation_is_refused(bus: Bus) -> None:
    bus.take_over("here", run_id=1)
    with pytest.raises(InputError, match="REDIS_URL names a database that another MemeSnipe folder uses"):
        bus.take_over("there", run_id=1)


def test_trimming_keeps_what_comes_after(bus: Bus) -> None:
    bus.publish([("fills", n, n, b"{}") for n in range(1, 1001)])
    bus.trim("fills", 900)
    left = [e.number for e in bus.read({"fills": 0}, 10)]
    assert left[-1] == 1000
    assert left[0] <= 900
    assert len(left) < 1000


def test_a_connection_that_was_lost_stays_lost(bus: Bus, url: str) -> None:
    """A Redis that comes back may have lost entries: who goes on as if nothing had happened leaves a gap."""
    bus.publish([("fills", 1, 1, b"{}")])
    with redis.Redis.from_url(url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    for _ in range(3):
        with pytest.raises(redis.ConnectionError):
            bus.publish([("fills", 2, 2, b"{}")])
    again = Bus(url)
    again.publish([("fills", 2, 2, b"{}")])
    again.close()


def test_a_redis_that_lost_its_data_is_noticed_although_the_connection_was_not_lost(bus: Bus, url: str) -> None:
    bus.begin("one")
    bus.assert_whole()
    other = Bus(url)
    other.begin("one")
    other.assert_whole()
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    for lost in (bus, other):
        with pytest.raises(redis.ConnectionError, match="lost its data"):
            lost.assert_whole()
    again = Bus(url)
    again.begin("one")
    again.assert_whole()
    for open_one in (other, again):
        open_one.close()


def test_the_redis_of_another_installation_is_not_taken_for_ours(bus: Bus, url: str) -> None:
    bus.begin("one")
    stranger = Bus(url)
    with pytest.raises(redis.ConnectionError, match="another MemeSnipe folder"):
        stranger.begin("two")
    stranger.close()
