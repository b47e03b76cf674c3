"""The records of the strategies under management, as one array: there are thousands, and each decision needs all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.figures import FIGURES, evidence_from, result_from
from memesnipe.engine.strategy_evidence import NO_EVIDENCE, StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.protocol.messages import ParityRecord
from memesnipe.protocol.strategy_columns import StrategyColumns

RECORD: Final = np.dtype(
    [
        ("figures", FIGURES),  # the last result and evidence
        ("has_result", "i8"),
        ("compared_fills", "i8"),
        ("parity_error_bps", "<f8"),
        ("weight", "<f8"),  # in the selection, given at its admission
        ("restarts", "i8"),  # how often its evidence started again
    ]
)
_EVIDENCE: Final = ("e_value", "round_trips", "mean", "variance")


@dataclass(slots=True)
class RecordsState:
    """The records as plain data."""

    spec_ids: list[str] = field(default_factory=list)
    data: bytes = b""  # a record of dtype RECORD for each


class StrategyRecords:
    """One record for each strategy, in the order of admission."""

    def __init__(self, state: RecordsState | None = None) -> None:
        state = state or RecordsState()
        self.spec_ids = list(state.spec_ids)
        self.columns: NDArray[Any] = np.frombuffer(state.data, RECORD).copy()  # shape (strategies,)
        self._row_of = {spec_id: row for row, spec_id in enumerate(self.spec_ids)}

    def dump(self) -> RecordsState:
        """Return the state."""
        return RecordsState(list(self.spec_ids), self.columns.tobytes())

    @property
    def figures(self) -> NDArray[Any]:
        """Results and evidence, shape (strategies,), dtype FIGURES."""
        figures: NDArray[Any] = self.columns["figures"]
        return figures

    def row(self, spec_id: str) -> int:
        """Return the row of a strategy."""
        return self._row_of[spec_id]

    def rows(self, spec_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of strategies; -1 for those without a record."""
        row_of = self._row_of
        return np.array([row_of.get(spec_id, -1) for spec_id in spec_ids], np.int64)

    def add(self, spec_ids: Sequence[str], weights: Sequence[float]) -> None:
        """Add strategies without a result."""
        new = np.zeros(len(spec_ids), RECORD)
        new["weight"] = weights
        _clear_evidence(new)
        self._row_of |= {spec_id: row for row, spec_id in enumerate(spec_ids, start=len(self.spec_ids))}
        self.spec_ids += spec_ids
        self.columns = np.concatenate([self.columns, new])

    def remove(self, spec_ids: Collection[str]) -> None:
        """Remove strategies."""
        if spec_ids:
            self.columns = np.delete(self.columns, [self._row_of[spec_id] for spec_id in spec_ids])
            gone = set(spec_ids)
            self.spec_ids = [spec_id for spec_id in self.spec_ids if spec_id not in gone]
            self._row_of = {spec_id: row for row, spec_id in enumerate(self.spec_ids)}

    def apply(self, strategies: StrategyColumns, parity: dict[str, ParityRecord]) -> None:
        """Set the results of strategies, and the parity of their fills with the simulated ones.

        Results from before a demotion was applied carry evidence that does not count any more, which is ignored.
        """
        rows = self.rows(strategies.spec_ids)
        known = np.flatnonzero(rows >= 0)
        rows, new = rows[known], strategies.figures[known]
        columns = self.columns
        outdated = new["restarts"] < columns["restarts"][rows]
        kept = columns["figures"][rows[outdated]]
        columns["figures"][rows] = new
        for name in (*_EVIDENCE, "restarts"):
            columns["figures"][name][rows[outdated]] = kept[name]
        columns["has_result"][rows] = 1
        columns["compared_fills"][rows], columns["parity_error_bps"][rows] = 0, 0.0
        given = set(strategies.spec_ids)
        for spec_id, record in parity.items():
            if spec_id in self._row_of and spec_id in given:
                self.set_parity(spec_id, record)

    def set_parity(self, spec_id: str, record: ParityRecord) -> None:
        """Set the parity of a strategy's fills with the simulated ones."""
        row = self._row_of[spec_id]
        self.columns["compared_fills"][row], self.columns["parity_error_bps"][row] = record.fills, record.error_bps

    def parity(self, spec_id: str) -> ParityRecord:
        """Return the parity of a strategy's fills with the simulated ones."""
        record = self.columns[self._row_of[spec_id]]
        return ParityRecord(int(record["compared_fills"]), float(record["parity_error_bps"]))

    def weight(self, spec_id: str) -> float:
        """Return the weight of a strategy in the selection."""
        return float(self.columns["weight"][self._row_of[spec_id]])

    def restart(self, spec_id: str, weight: float) -> None:
        """Set a strategy to a new weight without evidence."""
        row = self._row_of[spec_id]
        one = self.columns[row : row + 1]
        one["weight"] = weight
        one["restarts"] += 1
        _clear_evidence(one)

    def result(self, spec_id: str) -> StrategyResult | None:
        """Return the last result of a strategy; None before the first."""
        record = self.columns[self._row_of[spec_id]]
        return result_from(spec_id, record["figures"]) if record["has_result"] else None

    def evidence(self, spec_id: str) -> StrategyEvidence:
        """Return the evidence of a strategy."""
        return evidence_from(self.columns[self._row_of[spec_id]]["figures"])


def _clear_evidence(records: NDArray[Any]) -> None:
    for name in _EVIDENCE:
        records["figures"][name] = getattr(NO_EVIDENCE, name)
    records["figures"]["restarts"] = records["restarts"]
