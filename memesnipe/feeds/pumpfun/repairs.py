"""Transactions whose logs were cut, completed by their inner instructions."""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from memesnipe.feeds.pumpfun.frames import Notification
from memesnipe.feeds.pumpfun.invocations import DataLine, attribute
from memesnipe.feeds.pumpfun.lookups import FoundTransaction

REPAIRED = "truncated logs repaired"


class Repairs:
    """Asks for the transactions whose logs were cut, and completes them; ``counts`` has what came of it.

    Only the events that its logs lacked are translated then, so that none is translated twice.

    Args:
        want: asks for a transaction's events; returns False if too many are asked for already.
    """

    def __init__(self, want: Callable[[str], bool]) -> None:
        self.counts: Counter[str] = Counter()
        self._want = want
        self._open: dict[str, Notification] = {}  # asked for, by signature; as many as `want` allows

    def add(self, cut: Notification) -> None:
        """Ask for a new transaction whose logs were cut."""
        if self._want(cut.signature):
            self._open[cut.signature] = cut
        else:
            self.counts["truncated logs not repaired: too many"] += 1

    def complete_by(self, copy: Notification) -> Notification | None:
        """Take a copy of a transaction from another endpoint, as `complete` does."""
        if copy.is_truncated or copy.signature not in self._open:
            return None
        lines = attribute(copy.logs).lines if copy.lines is None else copy.lines
        return self.complete(FoundTransaction(copy.signature, lines))

    def complete(self, found: FoundTransaction) -> Notification | None:
        """Take a transaction's events; return those that are yet to be translated, None if there are none."""
        cut = self._open.pop(found.signature, None)
        if cut is None or found.lines is None:
            return None
        self.counts[REPAIRED] += 1
        return msgspec.structs.replace(cut, lines=_without(found.lines, attribute(cut.logs).lines))


def _without(lines: Sequence[DataLine], known: Sequence[DataLine]) -> list[DataLine]:
    """Return the lines that are not known, in order."""
    left = Counter(known)
    missing = []
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            missing.append(line)
    return missing
