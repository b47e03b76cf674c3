"""The evidence of each of many strategies that its round trips have a positive mean: betting e-processes.

The evidence E is what a capital of 1 has become by betting on every round trip (`memesnipe.stats.betting`): the mean of
the cash over six bet sizes, with open positions counted as total losses. If no round trip had a positive expected
return, given everything known at its opening, E would reach 1 / a at any time with a probability of at most a (Ville
1939). Waudby-Smith & Ramdas, Estimating means of bounded random variables by betting (2024); `docs/statistics.md` has
the proof for positions that overlap.
"""

from collections.abc import Collection
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.stats.betting import BETTING_ACCOUNT, MAX_OPEN, SIZES, apply_log
from memesnipe.stats.trade_log import TradeLog


class EProcesses:
    """The betting accounts of strategies, one row each. Any division of a log into parts gives the same bits."""

    def __init__(self, max_loss: float, *, refill: float = 0.0) -> None:
        """Create a set without strategies.

        Args:
            max_loss: bound of the loss of a round trip relative to its stake, fees included. A larger loss is clipped
                and counted (`clipped`); the guarantee does not hold for that strategy then.
            refill: equity to which an account below it is raised at each opening. 0 for evidence; `memesnipe.stats.
                e_detector` uses 1.

        Raises:
            ValueError: ``max_loss`` is not positive and finite.
        """
        if not 0.0 < max_loss < np.inf:
            raise ValueError(f"the largest loss is {max_loss}: must be positive and finite")
        self.max_loss = max_loss
        self._refill = refill
        self._buffer: NDArray[Any] = np.zeros(0, BETTING_ACCOUNT)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def accounts(self) -> NDArray[Any]:
        """The accounts, shape (strategies,), dtype BETTING_ACCOUNT; valid until strategies are added or removed."""
        return self._buffer[: self._count]

    def add(self, count: int = 1) -> range:
        """Add strategies without evidence, and return their rows."""
        first = self._count
        if len(self._buffer) < first + count:
            # Grow by a share of the size, so that adding strategies one by one seldom copies the array.
            larger = np.zeros(first + count + first // 2, BETTING_ACCOUNT)
            larger[:first] = self.accounts
            self._buffer = larger
        self._count += count
        added = range(first, self._count)
        self.reset(added)
        return added

    def reset(self, rows: Collection[int]) -> None:
        """Start again without evidence, statistics and open positions, for strategies admitted again.

        A closing of a position that was opened before is ignored, because it is not a fresh round trip.
        """
        chosen = np.array(list(rows), np.int64)
        self.accounts[chosen] = np.zeros((), BETTING_ACCOUNT)
        self.accounts["cash"][chosen] = 1.0

    def remove(self, rows: Collection[int]) -> None:
        """Remove strategies; the rows of the others close the gaps and keep their order."""
        kept = np.delete(np.arange(self._count), np.array(list(rows), np.int64))
        self._buffer[: len(kept)] = self._buffer[kept]
        self._count = len(kept)

    def apply(self, log: TradeLog) -> None:
        """Apply openings and closings.

        A closing without an opening since the strategy was added or reset is ignored and counted (`unmatched`).

        Raises:
            IndexError: a strategy is not among the rows; nothing is applied.
            ValueError: a position is opened that is open already, or more than MAX_OPEN at a time; the entries before
                that one are applied.
        """
        if len(log) and log.rows.max() >= len(self):
            raise IndexError(f"row {log.rows.max()} of a log: there are {len(self)} strategies")
        done = apply_log(self.accounts, log.rows, log.tokens, log.is_opening, log.returns, self.max_loss, self._refill)
        if done < len(log):
            row, token = int(log.rows[done]), int(log.tokens[done])
            is_full = self.accounts["open"][row] == MAX_OPEN
            reason = f"has {MAX_OPEN} open positions" if is_full else "has that position already"
            raise ValueError(f"entry {done} opens token {token} for strategy {row}, which {reason}")

    @property
    def e_values(self) -> NDArray[np.float64]:
        """The evidence E of each strategy, shape (strategies,): 1 at first, never negative."""
        # One addition after the other, because the order in which numpy adds along an axis depends on the layout.
        total: NDArray[np.float64] = reduce(np.add, (self.accounts["cash"][:, size] for size in range(SIZES)))
        return total / SIZES

    @property
    def closed(self) -> NDArray[np.int64]:
        """The number of closed round trips of each strategy, shape (strategies,)."""
        counts: NDArray[np.int64] = self.accounts["closed"].copy()
        return counts

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean return of each strategy's round trips, shape (strategies,); 0 without any."""
        means: NDArray[np.float64] = self.accounts["mean"].copy()
        return means

    @property
    def variances(self) -> NDArray[np.float64]:
        """The sample variance of each strategy's returns, shape (strategies,); 0 with fewer than two round trips."""
        variances: NDArray[np.float64] = self.accounts["squares"] / np.maximum(self.accounts["closed"] - 1, 1)
        return variances

    def dump(self) -> NDArray[Any]:
        """Return a copy of the state, shape (strategies,), dtype BETTING_ACCOUNT."""
        return self.accounts.copy()

    def load(self, accounts: NDArray[Any]) -> None:
        """Continue from a state of `dump`.

        Raises:
            ValueError: the state has another layout.
        """
        if accounts.dtype != BETTING_ACCOUNT or accounts.ndim != 1:
            raise ValueError(f"a state of shape {accounts.shape} and dtype {accounts.dtype}: not one of `dump`")
        self._buffer, self._count = accounts.copy(), len(accounts)
