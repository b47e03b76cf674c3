"""The candidates for promotion: strategies by id with their evidence, their weights and the budget of all weights.

The rules are in `memesnipe.stats`; this class keeps what they need together: a weight is given before the first round
trip, returned once at most, and a strategy that is admitted again starts without evidence.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.stats.e_bh import Selection, select
from memesnipe.stats.e_process import EProcesses
from memesnipe.stats.evidence_budget import EvidenceBudget
from memesnipe.stats.shrinkage import Shrunk, shrink
from memesnipe.stats.trade_log import TradeLog
from memesnipe.stats.trades_needed import trades_needed


@dataclass(slots=True)
class CandidateState:
    """The state of `Candidates` as plain data."""

    spec_ids: list[str]
    accounts: NDArray[Any]  # a state of `EProcesses.dump`
    weights: NDArray[np.float64]
    spent: float  # of the budget


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known about each candidate now; arrays of shape (candidates,), in the order of the rows."""

    e_values: NDArray[np.float64]
    selection: Selection
    expected: Shrunk
    trades_needed: NDArray[np.float64]  # round trips until its threshold, at the expected mean


class Candidates:
    """Candidates in the order of their admission; the row of each is its index in that order."""

    def __init__(self, max_loss: float) -> None:
        """Create a set without candidates; ``max_loss`` bounds the loss of a round trip relative to its stake."""
        self.spec_ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self.weights: NDArray[np.float64] = np.zeros(0)
        self._processes = EProcesses(max_loss)
        self._budget = EvidenceBudget()

    def __len__(self) -> int:
        return len(self.spec_ids)

    def admit(self, masses: Mapping[str, float]) -> None:
        """Admit strategies without evidence.

        Args:
            masses: the prior mass of each by spec id, see `memesnipe.stats.evidence_budget.prior_mass`.

        Raises:
            ValueError: one is a candidate already, or a mass is not positive.
        """
        known = sorted(masses.keys() & self.row_of.keys())
        if known:
            raise ValueError(f"{', '.join(known)}: candidates already")
        self.weights = np.concatenate([self.weights, self._budget.weigh(list(masses.values()))])
        self._processes.add(len(masses))
        self.spec_ids.extend(masses)
        self._index()

    def remove(self, spec_ids: Collection[str]) -> None:
        """Remove strategies and return what is left of their weights; ids that are no candidates are ignored."""
        rows = sorted({self.row_of[spec_id] for spec_id in spec_ids if spec_id in self.row_of})
        if not rows:
            return
        self._budget.refund(self.weights[rows], self._processes.e_values[rows])
        self._processes.remove(rows)
        self.weights = np.delete(self.weights, rows)
        gone = set(rows)
        self.spec_ids = [spec_id for row, spec_id in enumerate(self.spec_ids) if row not in gone]
        self._index()

    def _index(self) -> None:
        self.row_of = {spec_id: row for row, spec_id in enumerate(self.spec_ids)}

    def apply(self, log: TradeLog) -> None:
        """Apply openings and closings; see `EProcesses.apply`."""
        self._processes.apply(log)

    @property
    def processes(self) -> EProcesses:
        """The evidence and the statistics of the round trips, to be read."""
        return self._processes

    def assess(self, alpha: float) -> Assessment:
        """Return the evidence, the selection at ``alpha`` and the expectations of all candidates."""
        processes = self._processes
        e_values = processes.e_values
        selection = select(e_values, self.weights, alpha)
        expected = shrink(processes.closed, processes.means, processes.variances)
        needed = trades_needed(e_values, selection.thresholds, expected.means, expected.variances, processes.max_loss)
        return Assessment(e_values, selection, expected, needed)

    def dump(self) -> CandidateState:
        """Return a copy of the state."""
        return CandidateState(list(self.spec_ids), self._processes.dump(), self.weights.copy(), self._budget.spent)

    def load(self, state: CandidateState) -> None:
        """Continue from a state of `dump`.

        Raises:
            ValueError: its parts have different lengths.
        """
        if not len(state.spec_ids) == len(state.accounts) == len(state.weights):
            raise ValueError("a state with different numbers of ids, accounts and weights")
        self._processes.load(state.accounts)
        self._budget = EvidenceBudget(spent=state.spent)
        self.spec_ids, self.weights = list(state.spec_ids), state.weights.copy()
        self._index()
