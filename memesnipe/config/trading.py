"""Settings of trading: the mode, the capital and its shares."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Count, Interval, Percent, Usd


class TradingSettings(Group):
    """Mode, capital of the portfolio, and shares of the strategies."""

    paper_trading_mode: bool = setting(True, "trade with paper money alone; live trading needs false", decides=False)
    live_trading_enabled: bool = setting(False, "allow `memesnipe up --mode live` (docs/live.md)", decides=False)
    initial_capital_usd: Usd = setting(10_000, "paper capital of the portfolio", decides=True)
    max_strategy_share_percent: Percent = setting(10, "maximum share of the capital for one strategy", decides=True)
    max_invested_share_percent: Percent = setting(80, "maximum share of the capital for all strategies", decides=True)
    probation_capital_usd: Usd = setting(
        5, "paper capital of a strategy whose profit is expected, but not proven", decides=True
    )
    max_probation_strategies: Count = setting(10, "maximum number of strategies on probation", decides=True)
    max_daily_loss_percent: Percent = setting(
        0.5, "maximum loss of 24 hours of event time, in percent of the equity at their beginning", decides=True
    )
    max_profit_loss_percent: Percent = setting(
        25, "additional loss of 24 hours, in percent of the profit in them", decides=True
    )
    rebalance_interval_secs: Interval = setting(60, "event time between two decisions of the portfolio", decides=True)
