"""Results: how a strategy has done, as everyone who judges it sees it. Definitions: `docs/market-model.md`."""

from dataclasses import dataclass
from typing import Any

from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S
from memesnipe.stats.running import calmar_ratio, shape_of, sharpe_ratio, sortino_ratio


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """The record of one strategy since it joined. Money is at today's price of SOL; ratios are annualised."""

    spec_id: str
    observed_s: float
    total_pnl_usd: float
    total_return: float  # ratio of its capital
    sharpe: float
    sortino: float
    calmar: float
    max_drawdown: float  # ratio of the peak
    orders: int
    failed: int
    trades: int  # round trips
    wins: int
    win_rate: float
    mean_hold_s: float  # of a round trip
    profit_factor: float
    expectancy_usd: float
    fees_usd: float
    periods: int  # of a minute each, that the ratios come from
    skewness: float  # of their returns
    kurtosis: float  # 3 for a normal distribution
    digest: str  # of every outcome: equal for equal histories


def result_of(spec_id: str, account: Any, equity_lamports: int, last_ts: int, sol_usd: float) -> StrategyResult:
    """The result of one account, with the fields of ACCOUNT, that is worth so much now."""
    usd = sol_usd / LAMPORTS_PER_SOL
    capital, trades = int(account["capital_lamports"]), int(account["round_trips"])
    profit = equity_lamports - capital
    total_return = profit / capital if capital else 0.0
    observed_s = (last_ts - int(account["joined_ts"])) / NS_PER_S if capital else 0.0
    gained, lost = int(account["gross_profit_lamports"]), int(account["gross_loss_lamports"])
    periods, total = int(account["periods"]), float(account["sum"])
    max_drawdown = float(account["max_drawdown"])
    powers = ("sum_of_squares", "sum_of_cubes", "sum_of_fourths")
    skewness, kurtosis = shape_of(periods, total, *(float(account[name]) for name in powers))
    return StrategyResult(
        spec_id=spec_id,
        observed_s=observed_s,
        total_pnl_usd=profit * usd,
        total_return=total_return,
        sharpe=sharpe_ratio(periods, total, float(account["sum_of_squares"])),
        sortino=sortino_ratio(periods, total, float(account["sum_of_squares_below"])),
        calmar=calmar_ratio(total_return, observed_s, max_drawdown),
        max_drawdown=max_drawdown,
        orders=int(account["orders"]),
        failed=int(account["failed"]),
        trades=trades,
        wins=int(account["wins"]),
        mean_hold_s=int(account["held_ns"]) / trades / NS_PER_S if trades else 0.0,
        win_rate=int(account["wins"]) / trades if trades else 0.0,
        profit_factor=gained / lost if lost else 0.0,
        expectancy_usd=(gained - lost) / trades * usd if trades else 0.0,
        fees_usd=int(account["fees_lamports"]) * usd,
        periods=periods,
        skewness=skewness,
        kurtosis=kurtosis,
        digest=f"{int(account['digest']):016x}",
    )
