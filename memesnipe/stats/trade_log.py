"""A log of openings and closings of positions, as arrays: the observations that evidence is computed from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class TradeLog:
    """Openings and closings of many strategies, each strategy's in order of time; arrays of shape (entries,).

    A round trip is one opening and one closing of a token. Its return is its net profit, all fees included, relative
    to its stake. It belongs to the closing; that of an opening is ignored.
    """

    rows: NDArray[np.int64]  # of the strategies
    tokens: NDArray[np.int64]
    is_opening: NDArray[np.bool_]
    returns: NDArray[np.float64]

    @classmethod
    def of(cls, rows: ArrayLike, tokens: ArrayLike, is_opening: ArrayLike, returns: ArrayLike) -> Self:
        """Return a log of copies of arrays, shape (entries,).

        Raises:
            ValueError: the shapes differ, a row is negative, or the return of a closing is not finite.
        """
        log = cls(
            np.array(rows, np.int64),
            np.array(tokens, np.int64),
            np.array(is_opening, np.bool_),
            np.array(returns, float),
        )
        shapes = {array.shape for array in (log.rows, log.tokens, log.is_opening, log.returns)}
        if len(shapes) > 1 or log.rows.ndim != 1:
            raise ValueError(f"the columns of a log have shapes {sorted(shapes)}: need one length")
        if len(log) and log.rows.min() < 0:
            raise ValueError(f"row {log.rows.min()} of a log: must not be negative")
        if not (np.isfinite(log.returns) | log.is_opening).all():
            entry = int(np.flatnonzero(~(np.isfinite(log.returns) | log.is_opening))[0])
            raise ValueError(f"the return of entry {entry} is {log.returns[entry]}: must be finite")
        return log

    def __len__(self) -> int:
        return len(self.rows)

    def with_returns(self, returns: NDArray[np.float64]) -> "TradeLog":
        """Return the same openings and closings with other returns."""
        return TradeLog(self.rows, self.tokens, self.is_opening, returns)
