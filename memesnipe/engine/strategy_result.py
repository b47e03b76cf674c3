"""The result of one strategy, for promotion, allocation and the page. Definitions: `docs/market-model.md`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """The performance of one strategy since it was added; USD at the last price of SOL, ratios annualised."""

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
    periods: int  # of one minute each, from which the ratios are computed
    skewness: float  # of their returns
    kurtosis: float  # 3 for a normal distribution
    digest: str  # of every outcome: equal for equal histories
