"""The figures of thousands of strategies in one message: one array of records instead of an object for each."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.figures import FIGURES, evidence_from, result_from
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult

# Name and format of each column, in the order in which they are written.
_COLUMNS: Final = [(name, np.dtype(FIGURES[name]).str) for name in FIGURES.names or ()]
_FLOATS: Final = [name for name, form in _COLUMNS if form == "<f8"]


class StrategyColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Results and evidence of strategies, in the order of their rows.

    Raises:
        ValueError: the columns are not those of this code, a row is missing, or a figure is not finite.
    """

    spec_ids: list[str]
    columns: list[tuple[str, str]]
    data: bytes  # one record of dtype FIGURES for each strategy

    def __post_init__(self) -> None:
        if self.columns != _COLUMNS:
            raise ValueError("the columns of the strategies are not those that this code reads")
        if len(self.data) != len(self.spec_ids) * FIGURES.itemsize:
            raise ValueError(f"{len(self.data)} bytes for {len(self.spec_ids)} strategies of {FIGURES.itemsize} bytes")
        if not all(np.isfinite(self.figures[name]).all() for name in _FLOATS):
            raise ValueError("a figure of a strategy is not finite")

    @classmethod
    def of(cls, spec_ids: Sequence[str], figures: NDArray[Any]) -> "StrategyColumns":
        """Return the columns of strategies; ``figures`` has shape (strategies,) and dtype FIGURES."""
        return cls(list(spec_ids), _COLUMNS, figures.tobytes())

    def __len__(self) -> int:
        return len(self.spec_ids)

    @cached_property
    def figures(self) -> NDArray[Any]:
        """The records, shape (strategies,), dtype FIGURES, read-only."""
        return np.frombuffer(self.data, FIGURES)

    def results(self) -> list[StrategyResult]:
        """Return the result of each strategy as an object."""
        return [result_from(s, row) for s, row in zip(self.spec_ids, self.figures, strict=True)]

    def evidence(self) -> dict[str, StrategyEvidence]:
        """Return the evidence of each strategy as an object, by spec id."""
        return {s: evidence_from(row) for s, row in zip(self.spec_ids, self.figures, strict=True)}
