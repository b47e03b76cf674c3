"""The transactions that wait for the next block."""

from dataclasses import dataclass
from typing import Protocol

from solders.transaction import VersionedTransaction


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction, or a bundle of several that lands as a whole or not at all."""

    transactions: tuple[VersionedTransaction, ...]
    forced_error: int | None = None  # a custom error with which the last instruction fails; None for none
    is_spared: bool = False  # of the local market, which no fault of transactions hits


class Pool(Protocol):
    """Where transactions wait. `faults.FaultyMempool` is the other implementation."""

    def add(self, entry: Entry) -> None:
        """Add an entry."""

    def take(self) -> list[Entry]:
        """Return the entries of the next block, in order, and keep the others."""


class Mempool:
    """Everything lands in the next block, in the order of arrival."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        self._entries.append(entry)

    def take(self) -> list[Entry]:
        """Return every entry."""
        taken, self._entries = self._entries, []
        return taken
