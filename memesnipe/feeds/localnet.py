"""The market of a local chain (`memesnipe localnet`) as a feed that starts it and ends with it.

Its events are those of pump.fun's feed on the chain's websocket, with the price of SOL of the chain's price route.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import httpx

from memesnipe.feeds.base import END, IDLE, Feed, FeedStatus, Polled, ResumeToken

_ASKED_S: Final = 0.25  # between two questions for the state of the market
_MISSED_S: Final = 10.0  # after the end; then the frame with the last transaction was missed
_TIMEOUT_S: Final = 2.0
_KEPT: Final = 5_000  # signatures; our own exits may follow the last trade of the market
_SIGNATURE: Final = re.compile(r'"signature":\s*"(\w+)"')


class SeenSignatures:
    """A feed of text frames that remembers the signatures in the last ones.

    Args:
        feed: the frames.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._seen: deque[str] = deque(maxlen=_KEPT)
        self.total, self.assumptions, self.live = feed.total, feed.assumptions, feed.live

    def __contains__(self, signature: str) -> bool:
        return signature in self._seen

    def open(self, token: ResumeToken) -> None:
        """Open the feed."""
        self._feed.open(token)

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return the next frames."""
        polled = self._feed.poll(limit, timeout_s)
        if polled is not IDLE and polled is not END:
            for event in polled:
                found = _SIGNATURE.search(event.message) if isinstance(event.message, str) else None
                if found is not None:
                    self._seen.append(found[1])
        return polled

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of the feed."""
        return self._feed.statuses()

    def close(self) -> None:
        """Close the feed."""
        self._feed.close()


class LocalnetFeed:
    """The market of a local chain.

    It has ended when the chain says that its market has, and the last transaction of it has been read.

    Args:
        feed: of the events.
        frames: of the chain's websockets, which the feed reads.
        url: of the chain's JSON-RPC.
        is_ready: returns whether nothing would be missed if the market began now.
        clock: returns monotonic seconds.
    """

    live = True
    total: int | None = None

    def __init__(
        self,
        feed: Feed,
        frames: Sequence[SeenSignatures],
        url: str,
        is_ready: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.assumptions: Mapping[str, Any] = feed.assumptions
        self._feed, self._frames, self._is_ready, self._clock = feed, frames, is_ready, clock
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)
        self._has_started = self._has_ended = self._is_quiet = False
        self._ask_at_s = 0.0
        self._ended_at_s: float | None = None  # when the chain first said so
        self._error = ""

    def open(self, token: ResumeToken) -> None:
        """Connect to the chain."""
        self._feed.open(token)

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return the next events; END once the market has ended and everything of it has been returned."""
        if self._has_ended:
            return END
        polled = self._feed.poll(limit, timeout_s)
        if self._clock() >= self._ask_at_s and (polled is IDLE or not self._has_started):
            self._ask_at_s = self._clock() + _ASKED_S
            if not self._has_started and self._is_ready():
                self._has_started = self._ask("POST", "/market/start") is not None
            elif polled is IDLE and self._has_started and self._is_over():
                # Events may have been held back for their order; a second quiet moment shows that there are none.
                self._has_ended, self._is_quiet = self._is_quiet, True
        return END if self._has_ended else polled

    def _is_over(self) -> bool:
        """Return whether the market has ended and its last transaction has been read."""
        status = self._ask("GET", "/market")
        if status is None or status["state"] != "ended":
            return False
        if self._ended_at_s is None:
            self._ended_at_s = self._clock()
        last = status["last_signature"]
        is_read = not last or any(last in frames for frames in self._frames)
        return is_read or self._clock() - self._ended_at_s >= _MISSED_S

    def _ask(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the state of the market; None if the chain does not answer, which the status says."""
        try:
            reply = self._http.request(method, path)
            reply.raise_for_status()
            self._error = ""
            status: dict[str, Any] = reply.json()
        except (httpx.HTTPError, ValueError) as error:
            self._error = f"the local chain does not say how its market is: {type(error).__name__}"
            return None
        return status

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of each source, and that of the market if it is not known."""
        found = self._feed.statuses()
        return [*found, FeedStatus("localnet", 0.0, self._error)] if self._error else found

    def close(self) -> None:
        """Disconnect."""
        self._feed.close()
        self._http.close()
