"""A feed whose source delivers payloads: each is decoded to messages, or rejected with a reason that is counted."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from memesnipe.feeds.base import END, IDLE, Feed, FeedEvent, FeedMessage, FeedStatus, Polled, ResumeToken, Signal

Decoder: TypeAlias = Callable[[Any], list[FeedMessage]]
"""Return the messages in a payload. It raises `UnusableError` for one without any, and no other error."""

_POLLED: Final = 512  # payloads at once


class UnusableError(Exception):
    """A payload has no message; the text is the reason, one of few, because each is counted."""


class DecodedFeed:
    """A live feed of payloads with a decoder, which the thread that polls calls.

    Args:
        payloads: the feed whose messages are payloads.
        decode: decodes one.
        rejected: counts what was put aside by reason, where more than the decoder does so.
        warning: returns what is wrong with payloads of late; "" for nothing.
    """

    live = True
    total: int | None = None
    assumptions: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        payloads: Feed,
        decode: Decoder,
        rejected: Counter[str] | None = None,
        warning: Callable[[], str] = lambda: "",
    ) -> None:
        self._payloads, self._decode, self._warning = payloads, decode, warning
        self._decoded: deque[FeedEvent] = deque()
        self._rejected: Counter[str] = Counter() if rejected is None else rejected

    def open(self, token: ResumeToken) -> None:
        """Open the feed of payloads."""
        self._payloads.open(token)

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return up to ``limit`` messages; IDLE if the payloads that arrived had none."""
        if not self._decoded:
            polled = self._payloads.poll(_POLLED, timeout_s)
            if isinstance(polled, Signal):
                return END if polled is END else IDLE
            for payload, token in polled:
                self._decoded.extend(FeedEvent(message, token) for message in self._messages(payload))
        if not self._decoded:
            return IDLE
        return [self._decoded.popleft() for _ in range(min(limit, len(self._decoded)))]

    def _messages(self, payload: Any) -> list[FeedMessage]:
        try:
            return self._decode(payload)
        except UnusableError as error:
            self._rejected[str(error)] += 1
            return []

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of the source, with the numbers of rejected payloads."""
        rejected, warning = dict(self._rejected), self._warning()
        return [replace(status, rejected=rejected, warning=warning) for status in self._payloads.statuses()]

    def close(self) -> None:
        """Close the feed of payloads."""
        self._payloads.close()
