"""Several endpoints as one stream: each transaction once, in the order of slots as far as that is known in time.

The subscriptions to pump.fun and to PumpSwap may deliver the same transaction, and so do the endpoints. All copies have
the same logs, so the signature identifies the transaction, and its events keep their order in the logs.
"""

import heapq
from collections import Counter, OrderedDict
from math import inf
from typing import Final

from memesnipe.feeds.merge import REORDER_WINDOW_S
from memesnipe.feeds.pumpfun.frames import Notification
from memesnipe.feeds.pumpfun.invocations import DATA

REMEMBER_S: Final = 30.0  # how long a copy of a transaction is recognised, and waited for before it counts as missed
MAX_REMEMBERED: Final = 50_000  # transactions; at the rate of the whole market some minutes
DIFFERENT: Final = "copies that differ between endpoints"
MAX_HELD: Final = 5_000  # transactions that wait for the reorder window; beyond that the first are released early


class _Seen:
    """A transaction that some endpoint delivered."""

    __slots__ = ("at_s", "by", "data", "held")

    def __init__(self, at_s: float, by: int, held: list[Notification] | None, data: int) -> None:
        self.data = data  # hash of what its programs wrote; 0 if it is not known whole
        self.at_s, self.by, self.held = at_s, by, held  # `held` has one notification until it is released


class Joiner:
    """Holds each transaction for the reorder window. ``counts`` has duplicates and transactions out of order.

    Args:
        endpoints: names of the endpoints, which all subscribe to the same programs.
        window_s: for which a transaction is held.
    """

    def __init__(self, endpoints: list[str], window_s: float = REORDER_WINDOW_S) -> None:
        self.counts: Counter[str] = Counter()
        self.missed = dict.fromkeys(endpoints, 0)  # transactions that only other endpoints delivered
        self.differed_at_s = -inf  # when an endpoint last contradicted another
        self._window_s = window_s
        self._bits = {name: 1 << at for at, name in enumerate(endpoints)}
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._heap: list[tuple[int, int, float, list[Notification]]] = []  # slot, arrival, time, the notification
        self._arrivals = self._released_slot = 0

    def add(self, endpoint: str, notification: Notification, now_s: float) -> bool:
        """Add a transaction that succeeded; return whether it is new.

        Args:
            endpoint: that delivered it.
            notification: the transaction.
            now_s: monotonic seconds.
        """
        self._forget(now_s)
        bit = self._bits[endpoint]
        seen = self._seen.get(notification.signature)
        if seen is not None:
            self.counts["duplicate transactions"] += 1
            seen.by |= bit
            data = _data_of(notification)
            if seen.data and data and seen.data != data:  # the first copy is used
                self.counts[DIFFERENT] += 1
                self.differed_at_s = now_s
            seen.data = seen.data or data
            if seen.held and seen.held[0].is_truncated and not notification.is_truncated:
                seen.held[0] = notification  # this node cuts the logs later
            return False
        held = [notification]
        self._seen[notification.signature] = _Seen(now_s, bit, held, _data_of(notification))
        self._arrivals += 1
        heapq.heappush(self._heap, (notification.slot, self._arrivals, now_s, held))
        return True

    def held(self, signature: str) -> Notification | None:
        """Return a transaction that is still held; None if it is not."""
        seen = self._seen.get(signature)
        return seen.held[0] if seen is not None and seen.held else None

    def replace(self, whole: Notification) -> None:
        """Replace a transaction that is still held by a whole copy."""
        seen = self._seen[whole.signature]
        if seen.held:
            seen.held[0] = whole

    def release(self, now_s: float) -> list[Notification]:
        """Return the transactions that were held for the window, or precede such a one, by slot and arrival."""
        due = [entry for entry in self._heap if now_s - entry[2] >= self._window_s]
        last = max(due, default=None, key=lambda entry: entry[:2])
        released: list[Notification] = []
        while self._heap and ((last is not None and self._heap[0][:2] <= last[:2]) or len(self._heap) > MAX_HELD):
            slot, _, _, held = heapq.heappop(self._heap)
            if slot < self._released_slot:
                self.counts["transactions out of order"] += 1
            self._released_slot = max(self._released_slot, slot)
            released.append(held[0])
            held_by = self._seen.get(held[0].signature)
            if held_by is not None:
                held_by.held = None
        return released

    @property
    def is_empty(self) -> bool:
        """Whether no transaction is held."""
        return not self._heap

    def _forget(self, now_s: float) -> None:
        """Forget old transactions, and count which endpoints have not delivered them."""
        while self._seen:
            seen = next(iter(self._seen.values()))
            if now_s - seen.at_s <= REMEMBER_S and len(self._seen) < MAX_REMEMBERED:
                return
            self._seen.popitem(last=False)
            for name, bit in self._bits.items():
                if not seen.by & bit:
                    self.missed[name] += 1


def _data_of(notification: Notification) -> int:
    """Return a hash of the data in a transaction's logs, which is the same at every node; 0 if the logs were cut."""
    if notification.lines is not None or notification.is_truncated:
        return 0
    return hash(tuple(line for line in notification.logs if line.startswith(DATA))) or 1
