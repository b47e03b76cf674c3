"""A feed of decoded payloads: its limit, its end and its tokens."""

from typing import Any

from memesnipe.feeds.base import END, IDLE
from memesnipe.feeds.decoded import DecodedFeed, UnusableError
from memesnipe.feeds.live import LiveFeed
from memesnipe.testing.live_source import ScriptedSource


def test_a_payload_of_many_messages_is_delivered_within_the_limit_and_before_the_end() -> None:
    def decode(payload: Any) -> list[Any]:
        if payload == "bad":
            raise UnusableError("bad")
        return [{"n": n} for n in range(payload)]

    source = ScriptedSource([5, "bad", 0, 2])
    source.end()
    feed = DecodedFeed(LiveFeed("decoded", source), decode)
    feed.open(None)
    found: list[Any] = []
    while (polled := feed.poll(3, 10.0)) is not END:
        assert polled is IDLE or len(polled) <= 3
        found += polled if polled is not IDLE else []
    feed.close()
    assert [event.message["n"] for event in found] == [0, 1, 2, 3, 4, 0, 1]
    assert [event.token["delivered"] for event in found] == [1] * 5 + [4] * 2
    assert feed.statuses() == []
