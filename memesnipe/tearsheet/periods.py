"""Equity by minutes, hours, days and months: returns of equal periods, rolling ratios, and tables for heatmaps."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import NS_PER_S
from memesnipe.stats.performance import sharpe
from memesnipe.tearsheet.sheet import Account, Floats, Grid, Nanoseconds

CellOf = Callable[[datetime], tuple[str, int]]  # the beginning of a period -> its row and column

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
_MAX_DAYS_BY_HOUR: Final = 5  # more days are not shown hour by hour
_WINDOW: Final = 24  # hours: less than a day does not carry a ratio of a year
_MAX_DAYS_BY_DAY: Final = 100


def equity_at(account: Account, ends: Nanoseconds) -> Floats:
    """Return the equity in SOL at given times: that of the last mark until then."""
    index = np.searchsorted(account.ts, ends, side="right") - 1
    return account.equity_sol[np.maximum(index, 0)]


def returns_by(account: Account, period_s: int) -> tuple[Nanoseconds, Floats]:
    """Return the ends of the periods in which an account has marks, and the return of each, in SOL."""
    if len(account.ts) < 2:
        return np.zeros(0, np.int64), np.zeros(0)
    length = period_s * NS_PER_S
    first, last = int(account.ts[0]) // length, -(-int(account.ts[-1]) // length)
    ends = np.arange(first + 1, last + 1, dtype=np.int64) * length
    curve = np.concatenate((account.equity_sol[:1], equity_at(account, ends)))
    before = np.where(curve[:-1] > 0, curve[:-1], np.inf)
    return ends, curve[1:] / before - 1.0


def risk_period_s(account: Account) -> int:
    """Return the period of value at risk: hours where there are 48 or more, else minutes."""
    return HOUR_S if _span_s(account) >= 48 * HOUR_S else MINUTE_S


def rolling_sharpe(account: Account) -> tuple[str, Nanoseconds, Floats]:
    """Return a title, times, and the Sharpe ratio of the day of hours before each of them; no times before two days."""
    title = "Rolling Sharpe ratio, window of 24 hours, per year"
    ends, returns = returns_by(account, HOUR_S)
    if len(returns) < 2 * _WINDOW:
        return title, np.zeros(0, np.int64), np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(returns, _WINDOW)
    values = np.array([sharpe(part, HOUR_S) or 0.0 for part in windows])
    return title, ends[_WINDOW - 1 :], values


def grids(account: Account) -> list[Grid]:
    """Return the returns by month, for shorter times also by day, and for a few days by hour."""
    days = _span_s(account) / DAY_S
    found = [_by_month(account)]
    if days <= _MAX_DAYS_BY_DAY:
        found.append(_by_day(account))
    if days <= _MAX_DAYS_BY_HOUR:
        found.append(_by_hour(account))
    return [grid for grid in found if grid.rows]


def _by_month(account: Account) -> Grid:
    """Months have no equal length: the return of each is compounded from those of its days."""
    cells = _compounded(account, DAY_S, lambda day: (f"{day.year}", day.month - 1))
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return _grid("Return by month", cells, names)


def _by_day(account: Account) -> Grid:
    cells = _compounded(account, DAY_S, lambda day: (f"{day:%Y-%m}", day.day - 1))
    return _grid("Return by day", cells, [str(day) for day in range(1, 32)])


def _by_hour(account: Account) -> Grid:
    cells = _compounded(account, HOUR_S, lambda hour: (f"{hour:%Y-%m-%d}", hour.hour))
    return _grid("Return by hour, UTC", cells, [f"{hour:02}" for hour in range(24)])


def _compounded(account: Account, period_s: int, cell: CellOf) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for end, gained in zip(*returns_by(account, period_s), strict=True):
        key = cell(datetime.fromtimestamp(int(end) / NS_PER_S - period_s, UTC))
        found[key] = (1.0 + found.get(key, 0.0)) * (1.0 + gained) - 1.0
    return found


def _grid(title: str, cells: dict[tuple[str, int], float], columns: list[str]) -> Grid:
    """Return the rows that have a cell, and the columns from the first with one to the last."""
    rows = sorted({row for row, _ in cells})
    first = min((column for _, column in cells), default=0)
    last = max((column for _, column in cells), default=-1)
    values: NDArray[np.float64] = np.full((len(rows), last + 1 - first), np.nan)
    for (row, column), value in cells.items():
        values[rows.index(row), column - first] = value
    return Grid(title, rows, columns[first : last + 1], values)


def _span_s(account: Account) -> float:
    return int(account.ts[-1] - account.ts[0]) / NS_PER_S if len(account.ts) else 0.0
