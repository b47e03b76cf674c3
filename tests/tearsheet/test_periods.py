"""Returns of equal periods, rolling ratios and heatmaps of an account."""

from datetime import UTC, datetime

import numpy as np
import pytest

from memesnipe.stats import performance
from memesnipe.tearsheet.periods import DAY_S, HOUR_S, MINUTE_S, grids, returns_by, risk_period_s, rolling_sharpe
from memesnipe.tearsheet.sheet import Account

NS = 1_000_000_000
START = int(datetime(2026, 1, 30, tzinfo=UTC).timestamp()) * NS


def account(seconds: list[float], equity: list[float]) -> Account:
    ts = START + (np.array(seconds) * NS).astype(np.int64)
    return Account("Paper", ts, np.array(equity), np.full(len(ts), 200.0), [], [])


def walk(days: float, seed: int = 1) -> Account:
    seconds = np.arange(0, days * DAY_S + 1, 60)
    equity = 10.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0, 0.001, len(seconds)))
    return account(list(seconds), list(equity))


def test_a_period_without_a_mark_has_the_equity_of_the_one_before() -> None:
    ends, returns = returns_by(account([0, 30, 61, 200], [10.0, 11.0, 12.0, 6.0]), MINUTE_S)
    assert ((ends - START) // NS).tolist() == [60, 120, 180, 240]
    assert returns == pytest.approx([0.1, 12 / 11 - 1, 0.0, -0.5])


def test_returns_of_any_period_compound_to_the_total() -> None:
    found = walk(4.3)
    total = found.equity_sol[-1] / found.equity_sol[0]
    for period_s in (MINUTE_S, HOUR_S, DAY_S):
        assert np.prod(1.0 + returns_by(found, period_s)[1]) == pytest.approx(total)
    for grid in grids(found):
        assert np.prod(1.0 + grid.values[np.isfinite(grid.values)]) == pytest.approx(total), grid.title


def test_a_heatmap_has_only_rows_and_columns_with_a_value() -> None:
    months, days, hours = grids(walk(2.5))
    assert (months.rows, months.columns) == (["2026"], ["Jan", "Feb"])
    assert (days.rows, days.columns[0], days.columns[-1]) == (["2026-01", "2026-02"], "1", "31")
    assert hours.values.shape == (3, 24)
    assert [grid.title for grid in grids(walk(20))] == ["Return by month", "Return by day"]
    assert [grid.title for grid in grids(walk(101))] == ["Return by month"]


def test_the_rolling_ratio_is_the_ratio_of_each_window() -> None:
    found = walk(3)
    _, returns = returns_by(found, HOUR_S)
    title, ts, values = rolling_sharpe(found)
    assert "24 hours" in title and len(ts) == len(returns) - 23
    assert values[7] == pytest.approx(performance.sharpe(returns[7:31], HOUR_S))
    assert risk_period_s(walk(3)) == HOUR_S
    assert len(rolling_sharpe(walk(0.9))[1]) == 0, "less than a day does not carry a ratio of a year"


@pytest.mark.parametrize("seconds", [[], [0], [0, 60]])
def test_a_short_account_has_no_rolling_ratio(seconds: list[float]) -> None:
    found = account(seconds, [10.0] * len(seconds))
    assert len(rolling_sharpe(found)[1]) == 0 and risk_period_s(found) == MINUTE_S
    assert len(grids(found)) == (3 if len(seconds) > 1 else 0)
