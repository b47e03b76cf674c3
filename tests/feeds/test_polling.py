"""What only polling does: its interval, the limits that the server names, and responses without content."""

import time
from collections.abc import Iterator

import pytest

from memesnipe.feeds.base import IDLE
from memesnipe.feeds.polling import PollingSource
from memesnipe.feeds.retry import SourceError
from memesnipe.testing.polled_server import PolledServer

INTERVAL_S = 0.15


@pytest.fixture
def server() -> Iterator[PolledServer]:
    with PolledServer() as server:
        yield server


def test_the_interval_is_kept_over_one_connection(server) -> None:
    server.send("1", "2", "3")
    reading = PollingSource(server.url, INTERVAL_S, {"x-api-key": "key"}).read(None)
    began_s = time.monotonic()
    assert [next(reading) for _ in range(3)] == [("1", None), ("2", None), ("3", None)]
    assert time.monotonic() - began_s >= 2 * INTERVAL_S
    reading.close()
    assert [headers["x-api-key"] for _, headers in server.requests] == ["key"] * 3


def test_the_interval_is_kept_after_a_failure(server) -> None:
    source = PollingSource(server.url, INTERVAL_S)
    server.refuse(500)
    began_s = time.monotonic()
    for _ in range(3):
        with pytest.raises(SourceError, match="HTTP 500"):
            next(source.read(None))
    assert time.monotonic() - began_s >= 2 * INTERVAL_S


def test_nothing_new_is_idle(server) -> None:
    reading = PollingSource(server.url, 0.0).read(None)
    assert next(reading) is IDLE
    reading.close()


@pytest.mark.parametrize("remaining", ["0", "-2"])
def test_a_used_up_limit_is_waited_for(server, remaining) -> None:
    reset_s = time.time() + 0.6
    server.headers = {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": f"{reset_s}"}
    server.send("1", "2")
    reading = PollingSource(server.url, 0.0).read(None)
    assert [next(reading), next(reading)] == [("1", None), ("2", None)]
    assert time.time() >= reset_s - 0.01
    reading.close()


def test_a_limit_with_requests_left_is_not_waited_for(server) -> None:
    server.headers = {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str(int(time.time()) + 60)}
    server.send("1", "2")
    reading = PollingSource(server.url, 0.0).read(None)
    assert [next(reading), next(reading)] == [("1", None), ("2", None)]
    reading.close()


def test_a_rate_limit_holds_also_for_a_source_that_is_read_again_too_early(server) -> None:
    source = PollingSource(server.url, 0.0)
    server.refuse(429, {"Retry-After": "0.4"})
    with pytest.raises(SourceError):
        next(source.read(None))
    server.refuse(None)
    server.send("1")
    began_s = time.monotonic()
    reading = source.read(None)
    assert next(reading) == ("1", None)
    assert time.monotonic() - began_s > 0.3
    reading.close()
