"""The feed of pump.fun and PumpSwap: frames of several endpoints, joined, decoded, judged and translated."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from memesnipe.feeds.arrival import Arrival
from memesnipe.feeds.base import END, IDLE, Feed, FeedEvent, FeedMessage, FeedStatus, Polled, ResumeToken
from memesnipe.feeds.pumpfun.decoder import APPENDED, Decoder
from memesnipe.feeds.pumpfun.endpoint import Endpoint
from memesnipe.feeds.pumpfun.event_ages import EventAges
from memesnipe.feeds.pumpfun.frames import Notification, RequestError, Subscribed, parse_frame
from memesnipe.feeds.pumpfun.joining import Joiner
from memesnipe.feeds.pumpfun.layouts import LAYOUTS
from memesnipe.feeds.pumpfun.lookups import FoundTransaction, Lookups
from memesnipe.feeds.pumpfun.pool_questions import PUT_OFF
from memesnipe.feeds.pumpfun.programs import OTHER_EVENTS
from memesnipe.feeds.pumpfun.repairs import REPAIRED, Repairs
from memesnipe.feeds.pumpfun.saved import SavedCoins
from memesnipe.feeds.pumpfun.sentinel import Sentinel
from memesnipe.feeds.pumpfun.translator import Translator
from memesnipe.market.events import NS_PER_S

NAME: Final = "pumpfun"
_ENDPOINTS: Final = "endpoints of pumpfun"  # they deliver the same frames
_NO_REJECTIONS: Final = frozenset(
    {
        *("transactions", "failed transactions", "duplicate transactions", "subscriptions", "copies of an event"),
        *("pools looked up", "failed lookups", "pool lookups without an account", PUT_OFF, REPAIRED, APPENDED),
        *(layout.name for layouts in LAYOUTS.values() for layout in layouts.values()),
        *(name for names in OTHER_EVENTS.values() for name in names.values()),
    }
)
_WARN_S: Final = 60.0  # after endpoints have contradicted each other
_DISAGREE: Final = "endpoints report other events of the same transaction; the first report is used"
_SLICE_S: Final = 0.002  # of waiting, where an endpoint does not notify of its frames


class PumpfunFeed:
    """The market of pump.fun from log notifications.

    A subscription to logs cannot be resumed, so the feed has no token and begins with what happens next.

    Args:
        sources: live feeds by name of the endpoint, all with the same subscriptions; their messages are text frames.
        sol_usd: returns the price of SOL now, 0.0 if it is unknown.
        now_ns: returns this machine's time in ns since 1970.
        clock: returns monotonic seconds.
        lookups: asks a node for what the logs do not say, not open yet; None to do without.
        saved: keeps what is known of coins and pools over restarts; None to begin without.
        arrival: notified by the endpoints of each frame.
    """

    live = True
    total: int | None = None
    assumptions: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        sources: Mapping[str, Feed],
        sol_usd: Callable[[], float],
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
        lookups: Lookups | None = None,
        saved: SavedCoins | None = None,
        arrival: Arrival | None = None,
    ) -> None:
        self._arrival = arrival or Arrival()
        self._endpoints = [Endpoint(name, feed) for name, feed in sources.items()]
        self._clock, self._now_ns, self._lookups, self._saved = clock, now_ns, lookups, saved
        self._joiner = Joiner(list(sources))
        self._decoder, self._sentinel, self._ages = Decoder(), Sentinel(), EventAges()
        if lookups is None:
            self._translator, self._repairs = Translator(sol_usd, now_ns), None
        else:
            self._translator = Translator(sol_usd, now_ns, lookups.want_pool)
            self._repairs = Repairs(lookups.want_transaction)
        self._frames: Counter[str] = Counter()
        self._ready: deque[FeedMessage] = deque()
        self._last_message_s = 0.0
        self._is_open = False

    def open(self, token: ResumeToken) -> None:  # noqa: ARG002 - nothing can be resumed
        """Load what was saved, and connect to every endpoint."""
        self._is_open = True
        if self._saved is not None:
            self._saved.load(self._translator.coins, self._now_ns())
        if self._lookups is not None:
            self._lookups.open()
        self._last_message_s = self._clock()
        for endpoint in self._endpoints:
            endpoint.feed.open(None)

    def learn_pool(self, pool: str, mint: str) -> None:
        """Learn the coin of a SOL pool that was created before the feed was opened (addresses in base58)."""
        self._translator.learn_pool(pool, mint)

    def unknown_pools(self) -> list[str]:
        """Return the pools whose trades are put aside until `learn_pool` names their coin, the last traded first."""
        return self._translator.unknown_pools()

    def poll(self, limit: int, timeout_s: float) -> Polled:
        """Return the next messages; wait up to ``timeout_s`` seconds if there are none."""
        deadline_s = self._clock() + timeout_s
        while True:
            new = self._read(limit)
            self._learn()
            for notification in self._joiner.in_order(new):
                self._translate_one(notification)
            if self._ready:
                return [FeedEvent(self._ready.popleft(), None) for _ in range(min(limit, len(self._ready)))]
            if all(endpoint.has_ended for endpoint in self._endpoints):
                return END
            if self._saved is not None:  # here no event waits
                self._saved.save_if_due(self._translator.coins)
            left_s = deadline_s - self._clock()
            if left_s <= 0:
                return IDLE
            self._arrival.wait(min(left_s, _SLICE_S))

    def _read(self, limit: int) -> list[Notification]:
        """Poll every endpoint once, and return what is new."""
        new: list[Notification] = []
        for endpoint in self._endpoints:
            if endpoint.has_ended:
                continue
            polled = endpoint.feed.poll(limit, 0.0)
            if endpoint.has_reconnected():
                self._sentinel.gap()
            if polled is END:
                endpoint.has_ended = True
            elif polled is not IDLE:
                now_s = self._clock()
                for event in polled:
                    new += self._take(endpoint, event.message, now_s)
        return new

    def _take(self, endpoint: Endpoint, text: Any, now_s: float) -> list[Notification]:
        """Count a frame; return the transaction in it that is to be translated, if any."""
        frame = parse_frame(text)
        if isinstance(frame, Notification):
            if frame.is_failed:
                self._frames["failed transactions"] += 1
            else:
                self._frames["transactions"] += 1
                if self._joiner.add(endpoint.name, frame, now_s):
                    if self._repairs is not None and frame.is_truncated:
                        self._repairs.add(frame)
                    return [frame]
                rest = self._repairs.complete_by(frame) if self._repairs is not None else None
                return [] if rest is None else [rest]
        elif isinstance(frame, Subscribed):
            self._frames["subscriptions"] += 1
        elif isinstance(frame, RequestError):
            self._frames["refused requests"] += 1
            endpoint.refused = f"the node refused request {frame.request}: {frame.code} {frame.message}"
        else:
            self._frames["frames not understood"] += 1
        return []

    def _learn(self) -> None:
        """Take what was looked up."""
        if self._lookups is None or self._repairs is None:
            return
        for found in self._lookups.take():
            if isinstance(found, FoundTransaction):
                rest = self._repairs.complete(found)
                if rest is not None:
                    self._translate_one(rest)
            else:
                self._translator.learn_found(found)

    def _translate_one(self, notification: Notification) -> None:
        if notification.lines is None:
            transaction = self._decoder.decode(notification.slot, notification.logs)
        else:
            transaction = self._decoder.decode_lines(notification.slot, notification.lines)
        self._sentinel.observe(transaction)
        if notification.lines is None:  # the rest of a cut transaction comes later
            now_ns = self._now_ns()
            for event in transaction.events:
                self._ages.add(now_ns - event.timestamp * NS_PER_S)
        messages = self._translator.translate(transaction)
        if messages:
            self._last_message_s = self._clock()
            self._ready += messages

    def counts(self) -> dict[str, int]:
        """Return how many frames, events and messages there were, and by reason how many were put aside."""
        counts: list[Mapping[str, int]] = [self._joiner.counts, self._decoder.counts, self._translator.counts]
        if self._lookups is not None and self._repairs is not None:
            counts += [self._lookups.counts(), self._repairs.counts]
        found = dict(self._frames)
        for one in counts:  # a sum of counters would build one more for each
            for name, count in one.items():
                found[name] = found.get(name, 0) + count
        missed = {f"transactions missed by {name}": count for name, count in self._joiner.missed.items()}
        return found | missed

    def statuses(self) -> list[FeedStatus]:
        """Return the condition of each endpoint, and of the reading of their frames under the name of the feed."""
        if all(endpoint.has_ended for endpoint in self._endpoints):
            return []
        endpoints = [replace(one, feed=_ENDPOINTS) for endpoint in self._endpoints for one in endpoint.statuses()]
        error = self._sentinel.message
        if not error and not self._translator.has_sol_price:
            error = "the price of SOL is unknown, so trades are put aside"
        reading = FeedStatus(
            NAME,
            self._clock() - self._last_message_s,
            error,
            queued=len(self._ready),
            is_untrusted=self._sentinel.is_untrusted,
            connections=max((one.connections for one in endpoints), default=0),
            warning=self._warning(),
            rejected={reason: count for reason, count in self.counts().items() if count and _is_rejection(reason)},
        )
        return [*endpoints, reading]

    def _warning(self) -> str:
        """Return what fails besides the endpoints."""
        failed_lookup = self._lookups.error if self._lookups is not None else ""
        not_saved = self._saved.warning if self._saved is not None else ""
        disagree = "" if self._clock() - self._joiner.differed_at_s > _WARN_S else _DISAGREE
        texts = (*self._decoder.appended.values(), self._ages.warning, failed_lookup, not_saved, disagree)
        return "; ".join(text for text in texts if text)

    def close(self) -> None:
        """Close every endpoint, and save what is known of coins and pools."""
        for endpoint in self._endpoints:
            endpoint.feed.close()
        if self._lookups is not None:
            self._lookups.close()
        if self._saved is not None and self._is_open:  # else the file would lose what was never read
            self._saved.save(self._translator.coins)


def _is_rejection(count: str) -> bool:
    """Return whether a count is of something that was put aside, not of what is read or is expected to be left out."""
    return count not in _NO_REJECTIONS and not count.endswith(" messages")
