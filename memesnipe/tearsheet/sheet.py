"""What a tear sheet is made from, whatever its source: accounts with equity, round trips, orders and prices; tables."""

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
class Table:
    """Rows of text under a title; the first column is the name of the row."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Returns as a heatmap: names of rows and columns, and a value for each cell, NaN where there is none.

    Attributes:
        title: what the returns are of.
        rows: names, from above.
        columns: names, from the left.
        values: shape (rows, columns).
        axes: what rows and columns are; "" where their names say it.
        trades: behind each value, shape (rows, columns); None where they are not known.
        own: the row and the column of what the sheet is about.
        note: how to read it.
    """

    title: str
    rows: list[str]
    columns: list[str]
    values: Floats
    axes: tuple[str, str] = ("", "")
    trades: NDArray[np.int64] | None = None
    own: tuple[int, int] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Market:
    """The market of a tape: facts, and sums over equal periods that end at ``ts``, shape (periods,)."""

    facts: Mapping[str, str]
    period: str  # as in "per hour"
    ts: Nanoseconds
    volume_usd: Floats
    launches: Floats


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
        market: of the tape, where the sheet is about a tape.
        tables: comparisons, before the accounts.
        maps: the result by two parameters.
        maps_note: why there is no map; "" where there is one, or none was wanted.
    """

    title: str
    summary: Sequence[str]
    facts: Mapping[str, str]
    settings: Mapping[str, Any]
    warnings: Sequence[str]
    accounts: Sequence[Account]
    market: Market | None = None
    tables: Sequence[Table] = ()
    maps: Sequence[Grid] = ()
    maps_note: str = ""
