"""Results: the performance figures of a strategy. Definitions: `docs/market-model.md`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.compiled import compiled, jitable
from memesnipe.engine.figures import RESULT
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S
from memesnipe.stats.running import calmar_ratio, shape_of, sharpe_ratio, sortino_ratio


def compute_results(accounts: NDArray[Any], equity: NDArray[np.int64], last_ts: int, sol_usd: float) -> NDArray[Any]:
    """Return the results of accounts, shape (strategies,), dtype RESULT.

    Args:
        accounts: shape (strategies,), dtype ACCOUNT.
        equity: of each, in lamports.
        last_ts: time of the last event.
        sol_usd: the last price of SOL.
    """
    results = np.zeros(len(accounts), RESULT)
    _compute_figures(accounts, equity, last_ts, sol_usd, results)
    return results


@compiled
def _compute_figures(accounts: Any, equity: Any, last_ts: int, sol_usd: float, figures: Any) -> None:
    """Fill ``figures``, shape (strategies,), dtype RESULT; compiled because a population has thousands of rows."""
    usd = sol_usd / LAMPORTS_PER_SOL
    for row in range(len(accounts)):
        account, result = accounts[row], figures[row]
        capital, trades = account.capital_lamports, account.round_trips
        profit = equity[row] - capital
        if capital > 0:
            result.total_return = profit / capital
            result.observed_s = (last_ts - account.joined_ts) / NS_PER_S
        result.total_pnl_usd = profit * usd
        _compute_ratios(account, result)
        result.orders, result.failed, result.trades, result.wins = account.orders, account.failed, trades, account.wins
        gained, lost = account.gross_profit_lamports, account.gross_loss_lamports
        if trades > 0:
            result.mean_hold_s = account.held_ns / trades / NS_PER_S
            result.win_rate = account.wins / trades
            result.expectancy_usd = (gained - lost) / trades * usd
        if lost > 0:
            result.profit_factor = gained / lost
        result.fees_usd = account.fees_lamports * usd
        result.digest = account.digest


@jitable
def _compute_ratios(account: Any, result: Any) -> None:
    """Compute the ratios from the power sums of the returns."""
    periods, total, squares = account.periods, account.sum, account.sum_of_squares
    result.periods = periods
    result.max_drawdown = account.max_drawdown
    result.sharpe = sharpe_ratio(periods, total, squares)
    result.sortino = sortino_ratio(periods, total, account.sum_of_squares_below)
    result.calmar = calmar_ratio(result.total_return, result.observed_s, account.max_drawdown)
    result.skewness, result.kurtosis = shape_of(periods, total, squares, account.sum_of_cubes, account.sum_of_fourths)
