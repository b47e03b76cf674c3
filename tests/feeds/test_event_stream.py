"""What only a stream of server-sent events does: headers, comments, errors of the server, its end."""

from collections.abc import Iterator

import pytest

from memesnipe.feeds.base import IDLE
from memesnipe.feeds.retry import SourceError
from memesnipe.feeds.server_sent_events import EventStreamSource
from memesnipe.testing.event_stream_server import EventStreamServer


@pytest.fixture
def server() -> Iterator[EventStreamServer]:
    with EventStreamServer() as server:
        yield server


def test_events_of_several_lines_are_joined_and_comments_are_no_events(server) -> None:
    server.comments = ": keep-alive\r\n\r\nretry: 5\n\n"
    server.send("one\ntwo", "three")
    reading = EventStreamSource(server.url).read(None)
    assert [next(reading) for _ in range(3)] == [IDLE, ("one\ntwo", None), ("three", None)]
    reading.close()


def test_the_request_asks_for_events_and_has_the_headers(server) -> None:
    reading = EventStreamSource(server.url + "stream?ids[]=1", {"Authorization": "Bearer key"}).read(None)
    assert next(reading) is IDLE
    reading.close()
    [(path, headers)] = server.requests
    assert path.replace("%5B%5D", "[]") == "/stream?ids[]=1"
    assert (headers["authorization"], headers["accept"]) == ("Bearer key", "text/event-stream")
    assert headers["user-agent"].startswith("memesnipe/")


def test_an_error_that_the_server_reports_ends_the_connection_and_shows_no_key(server) -> None:
    server.event = "error"
    server.send("Slow consumer: disconnected, key5")
    reading = EventStreamSource(server.url, {"Authorization": "Bearer key5"}).read(None)
    assert next(reading) is IDLE
    with pytest.raises(SourceError, match=r"^127\.0\.0\.1: the server reports: Slow consumer: disconnected, \.\.\.$"):
        next(reading)


def test_another_content_type_is_an_error(server) -> None:
    server.content_type = "text/html"
    reading = EventStreamSource(server.url).read(None)
    assert next(reading) is IDLE
    with pytest.raises(SourceError, match="text/event-stream"):
        next(reading)


def test_the_end_of_the_stream_is_an_error(server) -> None:
    server.send("last")
    reading = EventStreamSource(server.url).read(None)
    assert [next(reading), next(reading)] == [IDLE, ("last", None)]
    server.cut()
    with pytest.raises(SourceError, match="the server ended the stream"):
        next(reading)


def test_an_event_without_an_end_is_not_collected_for_ever(server) -> None:
    server.comments = "data: " + "x" * 3_000_000
    server.send("end")
    reading = EventStreamSource(server.url, max_bytes=100_000).read(None)
    assert next(reading) is IDLE
    with pytest.raises(SourceError, match="the server sent more than 100000 bytes at once"):
        next(reading)


def test_a_redirect_is_an_error(server) -> None:
    server.refuse(302, {"Location": server.url})
    with pytest.raises(SourceError, match="HTTP 302"):
        next(EventStreamSource(server.url).read(None))
    assert server.attempts == 1
