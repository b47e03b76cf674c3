"""The metrics of an account as numbers and as text, and its tables by exit reason, by family and of costs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from memesnipe.market.events import NS_PER_S
from memesnipe.number_text import signed
from memesnipe.stats import performance
from memesnipe.stats.performance import TOO_SHORT
from memesnipe.stats.running import SECONDS_PER_YEAR
from memesnipe.tearsheet.periods import DAY_S, HOUR_S, MINUTE_S, returns_by, risk_period_s
from memesnipe.tearsheet.sheet import Account, Floats, Table, Trip

_LOST_AT_TARGET: Final = (
    "A take profit can lose: it is decided when the value passes the target, and filled after the latency, net of fees."
)
_MAX_REASONS: Final = 20
_UNKNOWN: Final = "–"  # the data do not determine it


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: None where the data do not determine it."""

    name: str
    value: float | None
    text: str
    meaning: str = ""


def metrics_of(account: Account) -> list[Metric]:
    """Return the metrics of an account; ratios are computed in SOL from the returns of minutes, as in a backtest."""
    return [*_money(account), *_ratios(account), *_trades(account)]


def _money(account: Account) -> list[Metric]:
    if not len(account.ts):
        return []
    usd, sol = account.equity_usd, account.equity_sol
    gained = float(sol[-1] / sol[0] - 1.0) if sol[0] > 0 else None
    profit, change = float((sol[-1] - sol[0]) * account.sol_usd[-1]), float(usd[-1] - usd[0])
    held = float(account.sol_usd[-1] / account.sol_usd[0] - 1.0) if account.sol_usd[0] > 0 else None
    elapsed_s = _elapsed_s(account)
    return [
        Metric("Total profit", profit, f"{signed(profit, ',.2f')} USD", "of trading: in SOL, at the last price of SOL"),
        Metric("Total return", gained, _percent(gained), "of trading, in SOL"),
        Metric("Equity", float(usd[-1]), f"{usd[-1]:,.2f} USD", f"began with {usd[0]:,.2f} USD"),
        Metric("Change of equity", change, f"{signed(change, ',.2f')} USD", "total profit, and the change of SOL"),
        Metric("Return in USD", _ratio(usd), _percent(_ratio(usd)), "of the equity: with the change of SOL"),
        Metric("Benchmark: cash", 0.0, _percent(0.0), "the capital kept in USD"),
        Metric("Benchmark: SOL", held, _percent(held), "bought and held, in USD"),
        Metric("Time", elapsed_s, duration(elapsed_s), ""),
    ]


def _ratios(account: Account) -> list[Metric]:
    _, returns = returns_by(account, MINUTE_S)
    curve = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    fall, elapsed_s = performance.drawdown(curve), len(returns) * float(MINUTE_S)
    gained = float(curve[-1] - 1.0)
    yearly = performance.growth(gained, elapsed_s)
    has_fallen = fall.depth > 0 and elapsed_s > 0
    simple = gained * SECONDS_PER_YEAR / elapsed_s / fall.depth if has_fallen and elapsed_s >= DAY_S else None
    compound = yearly / fall.depth if yearly is not None and fall.depth > 0 else None
    below_s, period_s = float(fall.longest_periods * MINUTE_S), risk_period_s(account)
    _, tail = returns_by(account, period_s)
    each = "hours" if period_s == HOUR_S else "minutes"
    risk, shortfall = performance.value_at_risk(tail), performance.expected_shortfall(tail)
    return [
        _per_year(Metric("CAGR", yearly, _percent(yearly), "compound yearly return"), elapsed_s),
        _yearly("Sharpe", performance.sharpe(returns, MINUTE_S), elapsed_s, "per year, from minutes"),
        _yearly("Sortino", performance.sortino(returns, MINUTE_S), elapsed_s, "per year, target 0"),
        _yearly("Calmar", simple, elapsed_s, "yearly return, not compounded, over the deepest drawdown"),
        _yearly("Calmar, compounded", compound, elapsed_s, "CAGR over the deepest drawdown"),
        _per_year(_share("Volatility", performance.volatility(returns, MINUTE_S), "per year"), elapsed_s),
        _share("Max drawdown", fall.depth, "of the peak"),
        Metric("Longest drawdown", below_s, duration(below_s), "below a peak"),
        _share("Value at risk", risk, f"the worst 5 % of {each} return less"),
        _share("Expected shortfall", shortfall, f"mean of the worst 5 % of {each} (CVaR)"),
    ]  # fmt: skip


def _trades(account: Account) -> list[Metric]:
    profits = np.array([trip.profit_sol for trip in account.trips])
    ratios = np.array([trip.profit_ratio for trip in account.trips])
    holds = np.array([trip.closed_ts - trip.opened_ts for trip in account.trips]) / NS_PER_S
    count, mean = len(profits), float(profits.mean()) if len(profits) else None
    price = float(account.sol_usd[-1]) if len(account.ts) else 0.0
    hold = float(holds.mean()) if count else None
    return [
        Metric("Round trips", float(count), f"{count:,}", f"open positions: {len(account.opened):,}"),
        _share("Win rate", performance.win_rate(profits), "round trips with a profit, net of fees"),
        _number("Profit factor", performance.profit_factor(profits), "gains over losses of round trips"),
        Metric(
            "Expectancy",
            mean,
            _UNKNOWN if mean is None else f"{signed(mean * price, ',.4f')} USD",
            f"of a round trip; {_percent(float(ratios.mean()) if count else None)} of its stake",
        ),
        _number("SQN", performance.system_quality(profits), "t-statistic of the profit of a round trip"),
        Metric("Average duration", hold, _UNKNOWN if hold is None else duration(hold), "of a round trip"),
        _share("Exposure", _exposure(account), "share of the time with a position"),
    ]


def by_exit_reason(account: Account) -> Table:
    """Return the round trips by why they ended, the most frequent first."""
    found = _grouped("By exit reason", "reason", account.trips, lambda trip: (trip.exit_reason,))
    has_lost = any(trip.exit_reason == "take_profit" and trip.profit_sol <= 0 for trip in account.trips)
    return replace(found, note=f"{found.note} {_LOST_AT_TARGET}".strip()) if has_lost else found


def by_family(account: Account) -> Table:
    """Return the round trips by the families of their strategies; those of several families count for each."""
    found = _grouped("By family", "family", account.trips, lambda trip: trip.families)
    note = "A strategy with several families counts for each of them."
    is_combined = any(len(trip.families) > 1 for trip in account.trips)
    return Table(found.title, found.columns, found.rows, note if is_combined else found.note)


def costs(account: Account) -> Table:
    """Return what trading cost, by kind, in SOL and relative to the volume."""
    volume = sum(outcome.sol for outcome in account.outcomes)
    failed = [outcome for outcome in account.outcomes if outcome.failure]
    parts = {
        "pool fees": sum(outcome.pool_fee_sol for outcome in account.outcomes),
        "network fees and tips": sum(outcome.network_fee_sol for outcome in account.outcomes),
    }
    parts["all fees"] = sum(parts.values())
    parts[f"of these, for {len(failed):,} orders that failed"] = sum(
        outcome.pool_fee_sol + outcome.network_fee_sol for outcome in failed
    )
    rows: list[tuple[str, ...]] = [("volume traded", f"{volume:,.6f}", "")]
    for name, sol in parts.items():
        rows.append((name, f"{sol:,.6f}", f"{sol / volume:,.2%}" if volume else _UNKNOWN))
    return Table("Fees and costs", ("", "SOL", "of the volume"), rows)


def _grouped(
    title: str, name: str, trips: Iterable[Trip], names_of: Callable[[Trip], tuple[str, ...]]
) -> Table:  # fmt: skip
    groups: Mapping[str, list[Trip]] = defaultdict(list)
    for trip in trips:
        for key in names_of(trip):
            groups[key].append(trip)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    columns = (name, "round trips", "win rate", "profit, SOL", "mean return", "profit factor")
    hidden = len(ordered) - _MAX_REASONS
    note = f"{hidden} less frequent ones are left out." if hidden > 0 else ""
    return Table(title, columns, [_row(key, found) for key, found in ordered[:_MAX_REASONS]], note)


def _row(name: str, trips: list[Trip]) -> tuple[str, ...]:
    profits = np.array([trip.profit_sol for trip in trips])
    mean = float(np.mean([trip.profit_ratio for trip in trips]))
    factor = performance.profit_factor(profits)
    return (
        name, f"{len(trips):,}", _percent(performance.win_rate(profits)).lstrip("+"), signed(profits.sum(), ",.4f"),
        _percent(mean), "no loss" if factor is None else f"{factor:,.2f}",
    )  # fmt: skip


def duration(seconds: float) -> str:
    """Return a time in words, such as 2 h 05 min."""
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest_s:02} s" if minutes else f"{seconds:.1f} s"


def _exposure(account: Account) -> float | None:
    if not len(account.ts):
        return None
    end = int(account.ts[-1])
    spans = [(trip.opened_ts, trip.closed_ts) for trip in account.trips] + [(opened, end) for opened in account.opened]
    return performance.exposure(np.array(spans, np.int64).reshape(-1, 2), int(account.ts[0]), end)


def _elapsed_s(account: Account) -> float:
    return int(account.ts[-1] - account.ts[0]) / NS_PER_S


def _ratio(values: Floats) -> float | None:
    return float(values[-1] / values[0] - 1.0) if values[0] > 0 else None


def _percent(value: float | None) -> str:
    return _UNKNOWN if value is None else signed(value, ",.2%")


def _share(name: str, value: float | None, meaning: str) -> Metric:
    return Metric(name, value, _UNKNOWN if value is None else f"{value:,.2%}", meaning)


def _yearly(name: str, value: float | None, elapsed_s: float, meaning: str) -> Metric:
    return _per_year(_number(name, value, meaning), elapsed_s)


def _per_year(metric: Metric, elapsed_s: float) -> Metric:
    """Return a metric that extrapolates to a year without its value where less than a day was observed."""
    return replace(metric, value=None, text=TOO_SHORT) if elapsed_s < DAY_S else metric


def _number(name: str, value: float | None, meaning: str) -> Metric:
    return Metric(name, value, _UNKNOWN if value is None else f"{value:,.2f}", meaning)
