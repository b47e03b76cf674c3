"""Detection of strategies whose round trips no longer have a sufficient mean: e-detectors.

An e-detector is an account that bets against a strategy, and whose equity is raised to 1 at each opening where it is
below. If positions do not overlap, the capital D of bet size l follows D <- max(D, 1) (1 + l y), where
y = (b - min(x, B)) / (B - b) is at least -1, x is the return of the round trip, b the mean that the strategy must have,
and B the level at which gains are clipped. Of a strategy whose clipped returns have a mean of at least b, D reaches A
after a mean of at least A openings. Shin, Ramdas & Rinaldo, E-detectors (2024).
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memesnipe.stats.e_process import EProcesses
from memesnipe.stats.trade_log import TradeLog


class EDetectors:
    """The detectors of strategies, one row each. Any division of a log into parts gives the same bits."""

    def __init__(self, max_gain: float) -> None:
        """Create a set without strategies; ``max_gain`` is B, the return at which gains are clipped."""
        self.max_gain = max_gain
        self._accounts = EProcesses(1.0, refill=1.0)
        self._required: NDArray[np.float64] = np.zeros(0)

    def __len__(self) -> int:
        return len(self._accounts)

    def add(self, required_means: ArrayLike) -> range:
        """Add strategies, and return their rows.

        Args:
            required_means: b of each, shape (added,): the mean return whose loss is detected.

        Raises:
            ValueError: a required mean is not below ``max_gain``.
        """
        required = np.array(required_means, np.float64, ndmin=1)
        if not (required < self.max_gain).all():
            raise ValueError(f"a required mean of {required.max()}: must be below the largest gain, {self.max_gain}")
        self._required = np.concatenate([self._required, required])
        return self._accounts.add(len(required))

    def reset(self, rows: Collection[int]) -> None:
        """Start again, for strategies that were demoted."""
        self._accounts.reset(rows)

    def remove(self, rows: Collection[int]) -> None:
        """Remove strategies; the rows of the others close the gaps and keep their order."""
        self._required = np.delete(self._required, np.array(list(rows), np.int64))
        self._accounts.remove(rows)

    def apply(self, log: TradeLog) -> None:
        """Apply openings and closings; see `EProcesses.apply`."""
        if len(log) and log.rows.max() >= len(self):
            raise IndexError(f"row {log.rows.max()} of a log: there are {len(self)} strategies")
        required = self._required[log.rows]
        against = (required - np.minimum(log.returns, self.max_gain)) / (self.max_gain - required)
        self._accounts.apply(log.with_returns(against))

    def open_tokens(self, row: int) -> list[int]:
        """Return the tokens of the open positions of a strategy."""
        account = self._accounts.accounts[row]
        tokens: list[int] = account["tokens"][: account["open"]].tolist()
        return tokens

    @property
    def values(self) -> NDArray[np.float64]:
        """D of each strategy, shape (strategies,): the mean over the bet sizes. A strategy is demoted at D >= A."""
        return self._accounts.e_values

    def dump(self) -> dict[str, NDArray[Any]]:
        """Return a copy of the state as arrays by name."""
        return {"accounts": self._accounts.dump(), "required_means": self._required.copy()}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from a state of `dump`.

        Raises:
            ValueError: the arrays have different lengths or another layout.
        """
        if len(arrays["accounts"]) != len(arrays["required_means"]):
            raise ValueError("a state with different numbers of accounts and required means")
        self._accounts.load(arrays["accounts"])
        self._required = np.array(arrays["required_means"], np.float64)
