"""What only a websocket does: subscriptions, pings, and closing frames."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from memesnipe.feeds.base import IDLE
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.retry import SourceError
from memesnipe.feeds.websocket import WebsocketSource, WebsocketTimes
from memesnipe.testing.pumpfun_frames import notification
from memesnipe.testing.websocket_server import WebsocketServer
from tests.feeds.harness import SOON_S, SUBSCRIBE, wait_until


@pytest.fixture
def server() -> Iterator[WebsocketServer]:
    with WebsocketServer() as server:
        yield server


def read(server: WebsocketServer, count: int, times: WebsocketTimes | None = None) -> list[Any]:
    reading = WebsocketSource(server.url, [SUBSCRIBE], times or WebsocketTimes()).read(None)
    try:
        return [next(reading) for _ in range(count)]
    finally:
        reading.close()


def test_subscriptions_are_sent_again_on_a_new_connection(server) -> None:
    second = json.dumps({"jsonrpc": "2.0", "id": "b", "method": "slotSubscribe"})
    feed = LiveFeed("ws", WebsocketSource(server.url, [SUBSCRIBE, second]))
    feed.open(None)
    try:
        for connections in (1, 2, 3):
            wait_until(lambda n=connections: feed.poll(1, 0.01) is IDLE and feed.statuses()[0].connections == n)
            assert server.requests == [[SUBSCRIBE, second]] * connections
            server.hang_up(1012, "restart")
            wait_until(lambda n=connections: feed.statuses()[0].failures == n)
            assert feed.statuses()[0].error == "127.0.0.1: closed by the server with code 1012: restart"
    finally:
        feed.close()


def test_an_acknowledgement_is_no_event_and_frames_before_it_are(server) -> None:
    server.acknowledges = False
    server.send("[]", "not JSON", '{"id": 7}', '{"jsonrpc": "2.0", "id": 7, "result": 99}', "next")
    assert read(server, 5) == [("[]", None), ("not JSON", None), ('{"id": 7}', None), IDLE, ("next", None)]


def test_without_a_subscription_frames_are_read_at_once(server) -> None:
    server.send("first")
    reading = WebsocketSource(server.url).read(None)
    assert [next(reading), next(reading)] == [IDLE, ("first", None)]
    reading.close()


def test_a_refused_subscription_is_an_error(server) -> None:
    server.subscription_error = {"code": -32602, "message": "Invalid params"}
    with pytest.raises(SourceError, match=r"the subscription was refused: Invalid params \(-32602\)"):
        read(server, 1)


def test_a_subscription_that_is_not_acknowledged_is_an_error(server) -> None:
    server.acknowledges = False
    with pytest.raises(SourceError, match=r"the subscription was not acknowledged in 0\.1 s"):
        read(server, 1, WebsocketTimes(open_s=0.1))


def test_answered_pings_keep_a_quiet_connection(server) -> None:
    assert read(server, 6, WebsocketTimes(ping_s=0.02, pong_s=0.02)) == [IDLE] * 6


def test_pings_are_sent_while_frames_arrive(server) -> None:
    times = WebsocketTimes(ping_s=0.0, pong_s=SOON_S)
    server.send(*["frame"] * 5)
    source = WebsocketSource(server.url, [SUBSCRIBE], times)
    reading = source.read(None)
    assert [next(reading) for _ in range(6)].count(("frame", None)) >= 5
    assert source._connection is not None
    wait_until(lambda: source._connection.latency > 0.0)
    reading.close()


def test_a_half_open_connection_is_noticed_by_its_unanswered_ping(server) -> None:
    reading = WebsocketSource(server.url, [SUBSCRIBE], WebsocketTimes(ping_s=0.05, pong_s=0.1)).read(None)
    assert next(reading) is IDLE
    server.stall()
    with pytest.raises(SourceError, match=r"a ping was not answered in 0\.1 s"):
        for _ in range(10):
            assert next(reading) is IDLE


def test_silence_is_an_error_although_pings_are_answered(server) -> None:
    times = WebsocketTimes(ping_s=0.02, pong_s=0.02, silence_s=0.2)
    with pytest.raises(SourceError, match=r"no frame for 0\.2 s"):
        read(server, 100, times)


def test_a_subscription_that_stops_while_another_delivers_is_an_error(server) -> None:
    curve, pool = (notification(1, "s", [], subscription=n) for n in (1, 2))
    server.send(curve, pool)
    reading = WebsocketSource(server.url, [SUBSCRIBE], WebsocketTimes(stopped_s=0.2)).read(None)
    with pytest.raises(SourceError, match=r"subscription 2 has had no frame for 0\.2 s, others have"):
        for _ in reading:
            server.send(curve)
    reading.close()


def test_binary_frames_are_delivered_as_bytes(server) -> None:
    server.send(b"\xff\x00")
    assert [event for event in read(server, 2) if event is not IDLE] == [(b"\xff\x00", None)]


def test_a_redirect_is_an_error_and_not_followed(server) -> None:
    with WebsocketServer() as other:
        for location in (other.url, f"{other.url}key5", "http://host.example.org/key5", "/key5"):
            server.refuse(302, {"Location": location})
            with pytest.raises(SourceError) as caught:
                read(server, 1)
            assert "key5" not in str(caught.value)
        assert other.attempts == 0


def test_a_host_without_a_name_is_an_error_in_one_line() -> None:
    with pytest.raises(SourceError, match=r"^nowhere\.invalid: gaierror: "):
        next(WebsocketSource("ws://nowhere.invalid/?api-key=x").read(None))
