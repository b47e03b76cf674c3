"""Transactions whose logs were cut, completed by their inner instructions."""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from memesnipe.feeds.pumpfun.frames import Notification
from memesnipe.feeds.pumpfun.invocations import DataLine, attribute
from memesnipe.feeds.pumpfun.joining import Joiner
from memesnipe.feeds.pumpfun.lookups import FoundTransaction

REPAIRED = "truncated logs repaired"


class Repairs:
    """Asks for the transactions whose logs were cut, and completes them; ``counts`` has what came of it.

    While a transaction is held by the joiner, the completed one takes its place. Later, only the events that its logs
    lacked are translated, so that none is translated twice.

    Args:
        joiner: holds transactions for the reorder window.
        want: asks for a transaction's events; returns False if too many are asked for already.
    """

    def __init__(self, joiner: Joiner, want: Callable[[str], bool]) -> None:
        self.counts: Counter[str] = Counter()
        self._joiner, self._want = joiner, want
        self._open: dict[str, Notification] = {}  # asked for, by signature; as many as `want` allows

    def add(self, cut: Notification) -> None:
        """Ask for a new transaction whose logs were cut."""
        if self._want(cut.signature):
            self._open[cut.signature] = cut
        else:
            self.counts["truncated logs not repaired: too many"] += 1

    def released(self, notification: Notification) -> None:
        """Note that a transaction is translated now: if another copy of it was whole, there is nothing to complete."""
        if self._open and not notification.is_truncated:
            self._open.pop(notification.signature, None)

    def complete(self, found: FoundTransaction) -> Notification | None:
        """Take a transaction's events; return those that are yet to be translated, None if there are none."""
        cut = self._open.pop(found.signature, None)
        held = self._joiner.held(found.signature)
        if cut is None or found.lines is None or (held is not None and not held.is_truncated):
            return None
        self.counts[REPAIRED] += 1
        known = attribute(cut.logs).lines
        missing = _without(found.lines, known)
        if held is None:
            return msgspec.structs.replace(cut, lines=missing)
        self._joiner.replace(msgspec.structs.replace(cut, lines=[*known, *missing]))
        return None


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
