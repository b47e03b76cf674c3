"""Streams carry changes; a stream that has missed some gets the whole state."""

import asyncio
import json

from memesnipe.api import broadcast
from memesnipe.api.broadcast import Broadcast


def parsed(message):
    lines = message.decode().splitlines()
    event = next((line.removeprefix("event: ") for line in lines if line.startswith("event: ")), "")
    data = next((line.removeprefix("data: ") for line in lines if line.startswith("data: ")), "{}")
    return event, json.loads(data)


def follow(states, monkeypatch):
    """Return the events of a stream that reads each state as it comes, and those of one that reads only at the end."""
    monkeypatch.setattr(broadcast, "STATE_INTERVAL_S", 0.0)
    queue = list(states)

    async def run():
        ready, is_last = asyncio.Event(), asyncio.Event()

        async def read():
            await ready.wait()
            ready.clear()
            if len(queue) == 1:
                is_last.set()
            return queue.pop(0)

        shared = Broadcast(read, 2)
        assert shared.try_open() and shared.try_open() and not shared.try_open()
        fast, slow = shared.messages(), shared.messages()
        await anext(fast), await anext(slow)  # how long to wait before a reconnection
        first_of_slow = asyncio.ensure_future(anext(slow))
        found = []
        for number in range(len(states)):
            ready.set()
            found.append(parsed(await anext(fast)))
            if number == 0:
                assert parsed(await first_of_slow) == found[0]
        late = parsed(await anext(slow))
        shared.close(), shared.close()
        return found, late

    return asyncio.run(run())


def test_only_what_differs_is_sent_and_a_late_stream_gets_all(monkeypatch):
    states = [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 3}]
    found, late = follow(states, monkeypatch)
    assert found == [("state", states[0]), ("changes", {"a": 2}), ("changes", {"b": 3})]
    assert late == ("state", states[2])


def test_after_trouble_the_whole_state_is_sent(monkeypatch):
    states = [{"a": 1, "b": 1}, {"error": "no database"}, {"a": 1, "b": 2}]
    found, _ = follow(states, monkeypatch)
    assert found == [("state", states[0]), ("trouble", states[1]), ("state", states[2])]
