"""The synthetic market as it would arrive: on two websockets of Solana, with the price of SOL from Jupiter."""

import json
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Self

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.sol_price import SOL_MINT
from memesnipe.market.events import NS_PER_S
from memesnipe.testing.polled_server import PolledServer
from memesnipe.testing.pumpfun_market import MarketEncoder, carried
from memesnipe.testing.websocket_server import WebsocketServer

_PRICES = 1_000  # of SOL, one every five seconds


class LiveMarket:
    """Servers on this machine that play a market; each frame is sent on both websockets.

    `sent` has what the frames carry, in order, and `sent_at_ns` the times of day at which they were sent.

    Args:
        messages: of the synthetic market, from its first one on.
        speed: time of the market over time of the machine.
    """

    def __init__(self, messages: Iterable[FeedMessage], speed: float) -> None:
        self._messages, self._speed = iter(messages), speed
        self._next: FeedMessage | None = None  # was not due yet when the market stopped
        self._encoder = MarketEncoder()
        self.websockets = (WebsocketServer(), WebsocketServer())
        self.prices = PolledServer()
        self.sent: list[FeedMessage] = []
        self.sent_at_ns: list[int] = []
        self._servers = ExitStack()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which an installation connects to this market."""
        return {
            "SOLANA_WS_URL": ",".join(server.url for server in self.websockets),
            "SOLANA_RPC_URL": "http://127.0.0.1:9",  # nobody is there: every pool is created on the websockets
            "JUPITER_API_URL": self.prices.url,
        }

    def __enter__(self) -> Self:
        for server in (*self.websockets, self.prices):
            self._servers.enter_context(server)
        for slot in range(1, _PRICES):
            self.prices.send(json.dumps({SOL_MINT: {"usdPrice": 200.0, "blockId": slot}}))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._servers.close()

    def start(self) -> None:
        """Begin to play, or continue with the next message after a stop."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._play, name="live market")
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more until the next start."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _play(self) -> None:
        began_ns, first_ts = time.time_ns(), 0
        while (message := self._next or next(self._messages, None)) is not None:
            first_ts = first_ts or message["ts"]
            at_ns = began_ns + int((message["ts"] - first_ts) / self._speed)
            self._next = message
            if self._stopped.wait(max(at_ns - time.time_ns(), 0) / NS_PER_S):
                return
            self._next = None
            self._send({**message, "ts": at_ns})

    def _send(self, message: FeedMessage) -> None:
        frame, content = self._encoder.encode(message), carried(message)
        if frame is not None and content is not None:
            self.sent.append(content)
            self.sent_at_ns.append(time.time_ns())
            for server in self.websockets:
                server.send(frame)
