"""The port of feeds: how market_data reads a source of events, whether a tape, a generator or a connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

FeedMessage: TypeAlias = dict[str, Any]
"""An event as a feed delivers it: the fields of a record by name, except `seq`, `token` and `flags`.

A message is not validated, and at run time may be any JSON value: a live source may send anything. The sequencer
(`memesnipe.market.sequencer`) rejects invalid messages, and makes records of the others.
"""

OWN_TS: Final = "own_ts"
"""The key of a message with the event's own time in ns, where its `ts` is that of an event before it.

It is no part of the record: only the age of a live event is measured from it.
"""

ResumeToken: TypeAlias = Any
"""A JSON value that only the feed interprets: opened with it, the feed continues after the message it belongs to.

None is the beginning.
"""


class FeedEvent(NamedTuple):
    """A message, and the token to store once it has been processed."""

    message: Any  # a `FeedMessage`; inside of a feed also a payload, of which it makes messages
    token: ResumeToken


class Signal(Enum):
    """The result of a poll without events."""

    IDLE = "idle"  # no event arrived within the timeout
    END = "end"  # the feed delivers nothing more


IDLE: Final = Signal.IDLE
END: Final = Signal.END
Polled: TypeAlias = list[FeedEvent] | Literal[Signal.IDLE, Signal.END]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """The condition of one live source."""

    name: str
    silent_s: float  # since the last event, or since the feed was opened
    error: str = ""  # why the source delivers nothing; "" while it is read
    failures: int = 0  # times that reading ended with an error since the feed was opened
    queued: int = 0  # events received and not polled yet
    full: int = 0  # times that reading paused because the queue was full
    is_untrusted: bool = False  # the source delivers, but its events may be read wrongly; `error` says why
    connections: int = 0  # times that the source was reached; events between two connections may be missing
    rejected: Mapping[str, int] = field(default_factory=dict)  # payloads received and not delivered, by reason
    feed: str = ""  # the feed of which this is one endpoint, if its others deliver the same events; "" for `name`
    warning: str = ""  # what fails without a loss of events from the source; "" for nothing
    late: int = 0  # events delivered with the time of an earlier one, see `memesnipe.feeds.merge`


class Feed(Protocol):
    """A source of events. One thread calls its methods."""

    total: int | None  # total number of events, if known
    assumptions: Mapping[str, Any]  # behind the events, as those of a tape; {} where they are recorded as they happened
    live: bool  # whether events arrive as they happen, by this machine's clock

    def open(self, token: ResumeToken) -> None:
        """Begin after the event with this token; called once, before the first poll."""

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return the next events, at least one and at most ``limit``, in order.

        A live feed returns what has arrived, and waits up to ``timeout_s`` seconds if that is nothing. Any other feed
        has no reason to wait and never returns IDLE.

        Returns:
            The events; IDLE if none arrived in time; END, also on later calls, after the last event.
        """

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of each live source; [] for a feed that is not live."""

    def close(self) -> None:
        """Release the source; no poll follows."""
