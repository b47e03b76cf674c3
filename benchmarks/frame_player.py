"""A process that plays encoded frames on two websockets of Solana, for `feed_latency.py`.

All frames are encoded before the first one is due, and one thread sends them, so that the measured time is not that of
the player.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing.connection import Connection
from typing import Any, Final

from websockets.asyncio.server import ServerConnection, serve

from memesnipe.feeds.base import FeedMessage
from memesnipe.market.events import NS_PER_S
from memesnipe.testing.pumpfun_market import MarketEncoder, carried

ENDPOINTS: Final = 2
SUBSCRIPTIONS: Final = 2  # of each connection: pump.fun and PumpSwap
CONNECT_S: Final = 60.0
ENCODING_S: Final = 3

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, the time at which it is due in ns since 1970, and the key of its trade; None if it is no trade."""

    due_ns: int
    text: str
    trade: Key | None


def key_of(mint: str, slot: int, pool_sol_lamports: int, token_raw: int) -> Key:
    """Return what identifies a trade in a frame and in an event."""
    return mint, slot, pool_sol_lamports, token_raw


@dataclass(frozen=True, slots=True)
class Pace:
    """When frames are sent."""

    speed: float  # event time over machine time
    seconds: float  # of machine time
    every_s: float  # the frames of so many seconds are sent at once, at their end; 0 for each when it is due


def encoded(messages: Sequence[FeedMessage], pace: Pace, begin_ns: int) -> list[Frame]:
    """Return the frames that are due from ``begin_ns`` on."""
    every_ns = int(pace.every_s * NS_PER_S)
    encoder, frames, first_ts = MarketEncoder(), list[Frame](), 0

    def due_ns(message: FeedMessage) -> int:
        nonlocal first_ts
        first_ts = first_ts or message["ts"]
        return begin_ns + int((message["ts"] - first_ts) / pace.speed)

    for message in takewhile(lambda each: due_ns(each) < begin_ns + pace.seconds * NS_PER_S, messages):
        sent = {**message, "ts": due_ns(message)}
        text, content = encoder.encode(sent), carried(sent)
        if text is not None and content is not None:
            names = ("mint", "slot", "pool_sol_lamports", "token_raw")
            trade = key_of(*(content[name] for name in names)) if content["kind"] == "price" else None
            early_ns = (begin_ns - sent["ts"]) % every_ns if every_ns else 0
            frames.append(Frame(sent["ts"] + early_ns, text, trade))
    return frames


def play(messages: Sequence[FeedMessage], pace: Pace, parent: Connection) -> None:
    """Send the URLs to the parent, play, and send the time at which each trade was written to the sockets, in ns."""
    asyncio.run(_play(messages, pace, parent))


async def _play(messages: Sequence[FeedMessage], pace: Pace, parent: Connection) -> None:
    subscribed: dict[ServerConnection, int] = {}
    all_subscribed = asyncio.Event()

    async def answer(connection: ServerConnection) -> None:
        async for request in connection:
            subscribed[connection] = number = subscribed.get(connection, 0) + 1
            await connection.send(json.dumps({"jsonrpc": "2.0", "id": json.loads(request)["id"], "result": number}))
            if len(subscribed) == ENDPOINTS and min(subscribed.values()) == SUBSCRIPTIONS:
                all_subscribed.set()

    servers = [await serve(answer, "127.0.0.1", 0) for _ in range(ENDPOINTS)]
    parent.send([f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/" for server in servers])
    async with asyncio.timeout(CONNECT_S):
        await all_subscribed.wait()
    sent: dict[Key, int] = {}
    for frame in encoded(messages, pace, time.time_ns() + ENCODING_S * NS_PER_S):
        await asyncio.sleep(max(frame.due_ns - time.time_ns(), 0) / NS_PER_S)
        if frame.trade is not None:
            sent[frame.trade] = time.time_ns()
        for connection in subscribed:
            await connection.send(frame.text)
    parent.send(sent)
    await asyncio.to_thread(parent.recv)  # the connections stay open until everything has been read
    for server in servers:
        server.close(close_connections=True)
        await server.wait_closed()
