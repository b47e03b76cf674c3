"""What a tear sheet is made from, whatever its source: accounts with their equity, round trips, orders and prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Nanoseconds = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trip:
    """A closed round trip; amounts in SOL, net of all fees."""

    mint: str
    families: tuple[str, ...]  # of the strategy's signals
    opened_ts: int
    closed_ts: int
    exit_reason: str
    paid_sol: float
    profit_sol: float

    @property
    def profit_ratio(self) -> float:
        """Profit relative to what was paid."""
        return self.profit_sol / self.paid_sol if self.paid_sol else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """An order's outcome: a fill, or a failure that has paid its fee."""

    mint: str
    side: str
    reason: str
    failure: str  # empty for a fill
    ts: int
    sol: float  # traded
    pool_fee_sol: float
    network_fee_sol: float


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of a token over time, in USD; shape (candles,)."""

    mint: str
    ts: Nanoseconds
    usd: Floats


@dataclass(frozen=True, slots=True)
class Account:
    """An account at its marks, shape (marks,), ascending by time; the first mark is the beginning.

    Attributes:
        name: as a heading: paper, live, or backtest.
        ts: of the marks.
        equity_sol: at each mark.
        sol_usd: the price of SOL at each mark.
        trips: closed round trips, in the order in which they ended.
        outcomes: of all orders, in their order.
        prices: of the tokens that were traded most.
        opened: times at which the positions were opened that are still held.
    """

    name: str
    ts: Nanoseconds
    equity_sol: Floats
    sol_usd: Floats
    trips: Sequence[Trip]
    outcomes: Sequence[Outcome]
    prices: Sequence[Prices] = ()
    opened: Sequence[int] = ()

    @property
    def equity_usd(self) -> Floats:
        """The equity in USD at each mark."""
        return self.equity_sol * self.sol_usd


@dataclass(frozen=True, slots=True)
class Sheet:
    """A tear sheet.

    Attributes:
        title: what was run.
        summary: sentences about it, such as a genome in words.
        facts: where the figures come from: version, feed or tape, times, digest.
        settings: those that decided the results.
        warnings: what to know about the figures, one sentence each.
        accounts: never added up.
    """

    title: str
    summary: Sequence[str]
    facts: Mapping[str, str]
    settings: Mapping[str, Any]
    warnings: Sequence[str]
    accounts: Sequence[Account]
