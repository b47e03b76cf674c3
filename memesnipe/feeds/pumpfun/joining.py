"""Several endpoints as one stream: each transaction once, those that arrive together in the order of slots.

The subscriptions to pump.fun and to PumpSwap may deliver the same transaction, and so do the endpoints. All copies have
the same logs, so the signature identifies the transaction, and its events keep their order in the logs.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from math import inf
from typing import Final

from memesnipe.feeds.pumpfun.frames import Notification
from memesnipe.feeds.pumpfun.invocations import DATA

REMEMBER_S: Final = 30.0  # how long a copy of a transaction is recognised, and waited for before it counts as missed
MAX_REMEMBERED: Final = 50_000  # transactions; at the rate of the whole market some minutes
DIFFERENT: Final = "copies that differ between endpoints"


class _Seen:
    """A transaction that some endpoint delivered."""

    __slots__ = ("at_s", "by", "data")

    def __init__(self, at_s: float, by: int, data: int) -> None:
        self.at_s, self.by = at_s, by
        self.data = data  # hash of what its programs wrote; 0 if it is not known whole


class Joiner:
    """Tells new transactions from copies. ``counts`` has duplicates and transactions out of order.

    Args:
        endpoints: names of the endpoints, which all subscribe to the same programs.
    """

    def __init__(self, endpoints: list[str]) -> None:
        self.counts: Counter[str] = Counter()
        self.missed = dict.fromkeys(endpoints, 0)  # transactions that only other endpoints delivered
        self.differed_at_s = -inf  # when an endpoint last contradicted another
        self._bits = {name: 1 << at for at, name in enumerate(endpoints)}
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._last_slot = 0

    def add(self, endpoint: str, notification: Notification, now_s: float) -> bool:
        """Add a transaction that succeeded; return whether it is new.

        Args:
            endpoint: that delivered it.
            notification: the transaction.
            now_s: monotonic seconds.
        """
        self._forget(now_s)
        bit, data = self._bits[endpoint], _data_of(notification)
        seen = self._seen.get(notification.signature)
        if seen is None:
            self._seen[notification.signature] = _Seen(now_s, bit, data)
            return True
        self.counts["duplicate transactions"] += 1
        seen.by |= bit
        if seen.data and data and seen.data != data:  # the first copy is used
            self.counts[DIFFERENT] += 1
            self.differed_at_s = now_s
        seen.data = seen.data or data
        return False

    def in_order(self, notifications: Sequence[Notification]) -> list[Notification]:
        """Return new transactions by slot and arrival, and count those of a slot before the last one."""
        ordered = sorted(notifications, key=lambda notification: notification.slot)
        for notification in ordered:
            if notification.slot < self._last_slot:
                self.counts["transactions out of order"] += 1
            self._last_slot = max(self._last_slot, notification.slot)
        return ordered

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
