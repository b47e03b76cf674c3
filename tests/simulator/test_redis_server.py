"""The simulated Redis server against a real one: the same calls of the bus have the same results."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memesnipe.bus.merge import ForeignEntryError
from memesnipe.bus.redis_bus import Bus
from memesnipe.protocol.payload import ProtocolError
from memesnipe.protocol.streams import EVENT_STREAMS, EVENTS, PROGRESS
from memesnipe.testing.simulator.redis_client import RedisClient
from memesnipe.testing.simulator.redis_server import RedisServer
from memesnipe.testing.simulator.scheduler import Process
from tests.payloads import event, progress

_KEY = b"key of the run"
_numbers = st.integers(1, 6)
_entries = st.lists(
    st.one_of(_numbers.map(progress), _numbers.map(event), _numbers.map(lambda n: event(n, "social"))), max_size=5
)
_calls = st.lists(
    st.one_of(
        st.tuples(st.just("begin")),
        st.tuples(st.just("publish"), _entries),
        st.tuples(st.just("publish"), _entries, st.just([PROGRESS])),
        st.tuples(st.just("assert_complete")),
        st.tuples(st.just("stored"), st.just(PROGRESS)),
        st.tuples(st.just("stored_events"), _numbers),
        st.tuples(st.just("read"), st.just({EVENTS: 0, PROGRESS: 0})),
        st.tuples(st.just("read"), st.just({EVENTS: 2, PROGRESS: 3})),
        st.tuples(st.just("last_number"), st.just(PROGRESS)),
        st.tuples(st.just("foreign"), _numbers),
        st.tuples(st.just("lose_stream"), st.sampled_from([PROGRESS, EVENT_STREAMS[0]])),
        st.tuples(st.just("lose_all")),
    ),
    max_size=12,
)


class ProcessOfTest(Process):
    """A process that nothing interrupts."""

    def __init__(self) -> None: ...

    def step(self) -> None: ...

    def sleep(self, seconds: float) -> None: ...

    def wake(self) -> None: ...

    def take_fault(self, port: str) -> str:
        return ""

    def monotonic_s(self) -> float:
        return 0.0


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (redis.ConnectionError, ForeignEntryError, ProtocolError) as error:
        return type(error), str(error)


def _run(bus: Bus, server: Any, name: str, *arguments: Any) -> Any:
    match name:
        case "begin":
            return _outcome(lambda: bus.begin("here", 1, "executor", _KEY))
        case "read":
            return _outcome(lambda: bus.read(arguments[0], 1))
        case "foreign":
            return _outcome(lambda: _append_foreign(server, arguments[0]))
        case "lose_stream":
            server.delete(arguments[0])
        case "lose_all":
            server.delete(*(PROGRESS, *EVENT_STREAMS, "memesnipe:writers"))
        case _:
            return _outcome(lambda: getattr(bus, name)(*arguments))
    return None


def _append_foreign(server: Any, number: int) -> Any:
    """Append an entry as another program would; the id is as high as the number says."""
    if isinstance(server, RedisServer):
        return server.publish(["marks", PROGRESS], ["", "", 0, 1, "", 1, f"{number}-1", 1, b"{}"])[0]
    script = "local r = redis.pcall('XADD', KEYS[1], ARGV[1], 'seq', '1', 'data', '{}') return type(r) == 'table'"
    refused = server.eval(script, 1, PROGRESS, f"{number}-1")
    present = server.xrange(PROGRESS, f"{number}-1", f"{number}-1")
    if refused and not present:
        server.delete(PROGRESS)
        return b"blocked"
    return b"done"


@pytest.fixture
def real(empty_redis: Callable[[], str], as_operator: Callable[[str], str]) -> str:
    return as_operator(empty_redis())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(calls=_calls)
def test_the_bus_has_the_same_results_on_both_servers(real: str, calls: list[tuple[Any, ...]]) -> None:
    server = RedisServer(random.Random(1))
    process = ProcessOfTest()
    simulated = Bus("", process, lambda *_: RedisClient(server, process))  # type: ignore[arg-type,return-value]
    with redis.Redis.from_url(real) as operator:
        operator.flushdb()
        bus = Bus(real)
        for call in calls:
            expected, found = _run(bus, operator, *call), _run(simulated, server, *call)
            assert found == expected, f"{call} of {calls}"
        bus.close()


@given(count=st.integers(0, 8), first_kept=st.integers(2, 12))
def test_a_trim_keeps_every_later_entry_and_reports_the_others(count: int, first_kept: int) -> None:
    server = RedisServer(random.Random(count))
    process = ProcessOfTest()
    bus = Bus("", process, lambda *_: RedisClient(server, process))  # type: ignore[arg-type,return-value]
    bus.begin("here", 1, "executor", _KEY)
    bus.publish([progress(n) for n in range(1, count + 1)])
    bus.trim([PROGRESS], first_kept)
    bus.assert_complete()
    kept = [entry.number for entry in bus.read({PROGRESS: 0}, 1)]
    assert kept == list(range(count - len(kept) + 1, count + 1))
    assert set(range(first_kept, count + 1)) <= set(kept)
