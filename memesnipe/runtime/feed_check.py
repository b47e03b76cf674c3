"""`memesnipe feeds check`: reads live feeds for some seconds, and reports what each delivered."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from memesnipe.feeds.advice import advice, silence_of
from memesnipe.feeds.base import Feed, FeedStatus, Signal
from memesnipe.market.events import NS_PER_S
from memesnipe.market.record_rules import error_of, time_error
from memesnipe.market.sequencer import MAX_FUTURE_NS, time_of

_LIMIT: Final = 512
_SLICE_S: Final = 0.02  # of waiting for one feed; a delay is measured no more exactly


@dataclass(slots=True)
class FeedCheck:
    """What one feed has delivered."""

    name: str
    feed: Feed
    kinds: Counter[str] = field(default_factory=Counter)  # valid messages
    invalid: Counter[str] = field(default_factory=Counter)  # messages that the sequencer would reject, by category
    delays_s: list[float] = field(default_factory=list)  # from the time of an event to its arrival
    statuses: list[FeedStatus] = field(default_factory=list)

    @property
    def events(self) -> int:
        """The number of valid messages."""
        return self.kinds.total()

    def poll(self) -> None:
        """Count the messages that have arrived."""
        polled = self.feed.poll(_LIMIT, _SLICE_S)
        self.statuses = self.feed.statuses() or self.statuses
        if isinstance(polled, Signal):
            return
        now_ns = time.time_ns()
        for message, _ in polled:
            error = error_of(message) or time_error(time_of(message), 0, now_ns, MAX_FUTURE_NS)
            if error is not None:
                self.invalid[error.category] += 1
            else:
                self.kinds[message["kind"]] += 1
                self.delays_s.append((now_ns - message["ts"]) / NS_PER_S)

    def to_dict(self, seconds: float) -> dict[str, Any]:
        """Return the result as JSON-ready data.

        Args:
            seconds: for which the feed was read.
        """
        delays = self.delays_s
        return {
            "events": self.events,
            "events_per_s": round(self.events / seconds, 2),
            "kinds": dict(self.kinds),
            "invalid": dict(self.invalid),
            "delay_s": {"median": round(median(delays), 3), "max": round(max(delays), 3)} if delays else None,
            "endpoints": [_endpoint(status) for status in self.statuses],
            "nothing_because": "" if self.events else self._reason(seconds),
        }

    def _reason(self, seconds: float) -> str:
        """Return in one line why nothing was delivered: what happened, where, and what to do."""
        failed = next((status for status in self.statuses if status.error), None)
        if failed is not None:
            what_to_do = advice(self.name, failed.name, failed.error)
            return failed.error + (f" ({what_to_do})" if what_to_do else "")
        rejected = Counter[str]()
        for status in self.statuses:
            rejected.update(status.rejected)
        if rejected or self.invalid:
            reason, count = (rejected or self.invalid).most_common(1)[0]
            return f"what arrived was put aside, mostly as {reason} ({count:,})"
        return silence_of(self.name, seconds, is_connected=any(status.connections for status in self.statuses))


def check_feeds(feeds: Mapping[str, Feed], seconds: float, report: Callable[[float, int], None]) -> dict[str, Any]:
    """Open the feeds, read them, and close them; return the result by feed, JSON-ready.

    Args:
        feeds: by name, not open yet.
        seconds: for which they are read.
        report: called with the seconds passed and the number of events, for the progress.
    """
    checks = {name: FeedCheck(name, feed) for name, feed in feeds.items()}
    began_s = time.monotonic()
    try:
        for feed in feeds.values():
            feed.open(None)
        while (passed_s := time.monotonic() - began_s) < seconds:
            for check in checks.values():
                check.poll()
            report(passed_s, sum(check.events for check in checks.values()))
    finally:
        for feed in feeds.values():
            feed.close()
    return {
        "seconds": seconds,
        "feeds": {name: check.to_dict(seconds) for name, check in checks.items()},
        "delivered_nothing": [name for name, check in checks.items() if not check.events],
    }


def _endpoint(status: FeedStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "connected": status.connections > 0 and not status.error,
        "error": status.error,
        "rejected": dict(status.rejected),
        "failures": status.failures,
        "warning": status.warning,
        "reconnections": max(status.connections - 1, 0),  # what was sent between two connections is missing
        "queue_full": status.full,
    }
