"""The figures of an account as plain values, which `svg` and `png` draw."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from memesnipe.number_text import significant
from memesnipe.stats.performance import drawdown_of
from memesnipe.tearsheet.periods import rolling_sharpe
from memesnipe.tearsheet.sheet import Account, Floats, Market, Nanoseconds, Outcome, Prices

MAX_POINTS: Final = 1_000  # of a line
_MAX_BINS: Final = 40
_LEFT_OUT: Final = 0.01  # of the returns at each end, which share the outermost bins

Unit = Literal["USD", "%", "", "price"]
MarkerKind = Literal["entry", "exit"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line: times in nanoseconds, ascending, and finite values, shape (points,)."""

    name: str
    ts: Nanoseconds
    values: Floats


@dataclass(frozen=True, slots=True)
class Marker:
    """A trade on a price line."""

    ts: int
    value: float
    kind: MarkerKind
    text: str


@dataclass(frozen=True, slots=True)
class LineFigure:
    """Lines over time; `note` is shown instead of a figure without points."""

    title: str
    unit: Unit
    lines: list[Line]
    markers: tuple[Marker, ...] = ()
    is_filled: bool = False
    is_log: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class BarFigure:
    """A histogram: edges, shape (bins + 1,), and counts, shape (bins,)."""

    title: str
    edges: Floats
    counts: NDArray[np.int64]
    note: str = ""


Figure = LineFigure | BarFigure


def figures_of(account: Account) -> list[Figure]:
    """Return the figures of an account, in their order on the sheet."""
    equity, below = _equity(account)
    return [equity, below, _rolling(account), _distribution(account), *(_trades(account, p) for p in account.prices)]


def market_figures(market: Market) -> list[Figure]:
    """Return the figures of a market."""
    volume, launches = Line("volume", market.ts, market.volume_usd), Line("launches", market.ts, market.launches)
    return [
        LineFigure(f"Volume traded per {market.period}", "USD", [_thinned(volume)]),
        LineFigure(f"Tokens first seen per {market.period}", "", [_thinned(launches)]),
    ]


def _equity(account: Account) -> tuple[LineFigure, LineFigure]:
    usd = account.equity_usd
    lines, below = [], []
    if len(account.ts):
        first = usd[0]
        kept = first * account.sol_usd / account.sol_usd[0] if account.sol_usd[0] > 0 else np.full(len(usd), first)
        values = {"equity": usd, "cash": np.full(len(usd), first), "SOL, held": kept}
        lines = [_thinned(Line(name, account.ts, one)) for name, one in values.items()]
        below = [_thinned(Line("drawdown", account.ts, -100.0 * drawdown_of(account.equity_sol)))]
    note = "" if lines else "There is no mark of the equity yet."
    return (
        LineFigure("Equity and benchmarks", "USD", lines, note=note),
        LineFigure("Underwater: below the highest equity before, in SOL", "%", below, is_filled=True, note=note),
    )


def _rolling(account: Account) -> LineFigure:
    title, ts, values = rolling_sharpe(account)
    if not len(ts):
        return LineFigure(title, "", [], note="The time is too short: it needs two days or more.")
    return LineFigure(title, "", [_thinned(Line("Sharpe", ts, values))])


def _distribution(account: Account) -> BarFigure:
    title = "Returns of round trips, net of fees"
    returns = np.array([trip.profit_ratio * 100.0 for trip in account.trips])
    if len(returns) < 2:
        return BarFigure(title, np.zeros(0), np.zeros(0, np.int64), "It needs two round trips or more.")
    low, high = np.quantile(returns, (_LEFT_OUT, 1.0 - _LEFT_OUT))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, min(_MAX_BINS, max(8, len(returns) // 5)) + 1)
    counts, _ = np.histogram(np.clip(returns, low, high), edges)
    return BarFigure(title, edges, counts, "The outermost bars include the returns beyond them.")


def _trades(account: Account, prices: Prices) -> LineFigure:
    ours = [outcome for outcome in account.outcomes if outcome.mint == prices.mint and not outcome.failure]
    line = _thinned(Line("price", prices.ts, prices.usd))
    markers = tuple(_marker(outcome, prices) for outcome in ours)
    return LineFigure(f"Trades on the price of {prices.mint}", "price", [line], markers, is_log=True)


def _marker(outcome: Outcome, prices: Prices) -> Marker:
    index = max(int(np.searchsorted(prices.ts, outcome.ts, side="right")) - 1, 0)
    kind: MarkerKind = "entry" if outcome.side in ("buy", "short") else "exit"
    text = f"{outcome.side} for {significant(outcome.sol, 6)} SOL: {outcome.reason}"
    return Marker(outcome.ts, float(prices.usd[index]), kind, text)


def _thinned(line: Line) -> Line:
    """Return a line with about `MAX_POINTS` at most: the ends, and the least and greatest value of equal intervals."""
    count = len(line.ts)
    if count <= MAX_POINTS:
        return line
    kept = {0, count - 1}
    for part in np.array_split(np.arange(count), MAX_POINTS // 2):
        kept |= {int(part[np.argmin(line.values[part])]), int(part[np.argmax(line.values[part])])}
    index = np.array(sorted(kept))
    return Line(line.name, line.ts[index], line.values[index])
