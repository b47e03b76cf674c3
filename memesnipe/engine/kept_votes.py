"""Votes kept from one backtest to the next: a gene votes alike in every population that sees the same events.

distinct genes --> kept? --yes--> packed votes are copied
                     |
                     no --------> the family's loop votes (`engine/votes.py`), and its votes are kept
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.compiled import compiled
from memesnipe.engine.genes import Genes
from memesnipe.engine.memory import copy_blocks
from memesnipe.engine.trader import Batch

_PASS_SHARE: Final = 2  # one part in so many of a cache's bytes may come from one pass, which holds them besides it


class KeptVotes:
    """Packed votes of genes over whole tapes, in a bounded number of bytes; those used least recently are dropped."""

    def __init__(self, capacity: int) -> None:
        """Keep at most ``capacity`` bytes of votes."""
        self.capacity, self.size = capacity, 0
        self.asked = self.found = 0  # genes of all passes so far, and those whose votes were kept
        self._votes: OrderedDict[Hashable, NDArray[np.int64]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._votes)

    def get(self, key: Hashable) -> NDArray[np.int64] | None:
        """Return the votes of a gene on a tape, shape (2, words), or None."""
        self.asked += 1
        votes = self._votes.get(key)
        if votes is not None:
            self.found += 1
            self._votes.move_to_end(key)
        return votes

    def put(self, key: Hashable, votes: NDArray[np.int64]) -> None:
        """Keep votes, and drop others to make room."""
        replaced = self._votes.pop(key, None)
        self.size += votes.nbytes - (0 if replaced is None else replaced.nbytes)
        self._votes[key] = votes
        while self.size > self.capacity:
            _, dropped = self._votes.popitem(last=False)
            self.size -= dropped.nbytes


class VotingPass:
    """One pass of a population over a tape from its first event, with the votes that are kept of it.

    The population must not change during the pass. The tape has to arrive in the same parts every time.
    """

    def __init__(self, kept: KeptVotes, tape: Hashable, genes: Genes) -> None:
        self._kept, self._genes = kept, genes
        codes = genes.records["code"][: len(genes)]
        keys = {gene: (tape, int(codes[gene]), genes.params[gene].tobytes()) for gene in np.flatnonzero(codes).tolist()}
        found = {gene: votes for gene, key in keys.items() if (votes := kept.get(key)) is not None}
        self._new = {gene: key for gene, key in keys.items() if gene not in found}
        self._known, self._known_votes = np.array([*found], np.int64), [*found.values()]
        self._parts: list[NDArray[np.int64]] | None = [] if self._new else None  # new votes; None: they are not kept
        self._size = 0  # bytes of all parts
        self._words = 0  # so far
        self._last = np.zeros((len(genes.masks), 0, 2), np.int64)  # see `_write_early_numbers`

    def fill(self, batch: Batch) -> Batch:
        """Copy the known votes into a batch; return the batch without the code of their genes, so that they rest."""
        if not len(self._known):
            return batch
        words, planes = batch.planes.shape[2], batch.planes
        starts = np.array([votes.ctypes.data for votes in self._known_votes]) + 8 * self._words
        rows = planes.ctypes.data + self._known * planes.strides[0]
        for plane in range(2):
            lengths = np.array([votes.strides[0] for votes in self._known_votes])
            copy_blocks(starts + plane * lengths, rows + plane * planes.strides[1], 8 * words)
        records = batch.genes.copy()
        self._fill_numbers(batch, records["subscription"][self._known])
        records["code"][self._known] = 0
        return batch._replace(genes=records)

    def _fill_numbers(self, batch: Batch, subscriptions: NDArray[np.int64]) -> None:
        slots = len(batch.points.first_of)
        if slots > self._last.shape[1]:
            last = np.zeros((len(self._last), slots, 2), np.int64)
            last[:, : self._last.shape[1]] = self._last
            self._last = last
        numbers = np.empty(batch.numbers.shape[1], np.int64)
        for which in np.unique(subscriptions).tolist():
            early = _write_early_numbers(batch, which, self._last[which], numbers)
            batch.numbers[self._known[subscriptions == which], :early] = numbers[:early]

    def record(self, batch: Batch) -> None:
        """Record the new votes of a batch, unless those of the whole pass would be too many."""
        self._words += batch.planes.shape[2]
        if self._parts is None:
            return
        self._parts.append(batch.planes[[*self._new]])
        self._size += self._parts[-1].nbytes
        if self._size > self._kept.capacity // _PASS_SHARE:
            self._parts = None

    def finish(self) -> None:
        """Keep the new votes; the whole tape has passed."""
        for row, key in enumerate(self._new.values() if self._parts else ()):
            self._kept.put(key, np.concatenate([part[row] for part in self._parts or ()], axis=1))


@compiled
def _write_early_numbers(batch: Any, which: int, last: Any, numbers: Any) -> int:
    """Write the numbers of the events of votes from before the batch, as the loop of a family does; return their count.

    They depend on the set of event kinds alone, for genes that have been there since the first event.

    Args:
        batch: see `Batch`.
        which: the set of event kinds.
        last: updated, shape (slots, 2): the incarnation and the number of the event of the last vote.
        numbers: output, i8.
    """
    points, early = batch.points, 0
    for i in range(points.stale_counts[which]):
        if points.stale_sources[which, i] < 0:
            delivery = batch.deliveries[points.stale[which, i]]
            is_same = last[delivery.slot, 0] == delivery.incarnation
            numbers[early] = last[delivery.slot, 1] if is_same else 0
            early += 1
    for i in range(points.subscribed_counts[which]):
        delivery = batch.deliveries[points.subscribed[which, i]]
        last[delivery.slot, 0] = delivery.incarnation
        last[delivery.slot, 1] = batch.number + delivery.event
    return early
