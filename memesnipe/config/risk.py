"""Settings of risk: limits of an order, and exits of a position."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import AgeMs, AnyPercent, Count, Percent, Usd


class RiskSettings(Group):
    """Limits of an order, and exits of a position."""

    global_max_position_usd: Usd = setting(500, "maximum cost of one paper position", decides=True)
    max_token_exposure_usd: Usd = setting(1_000, "maximum cost of all positions in one token", decides=True)
    max_pool_share_percent: AnyPercent = setting(
        5, "maximum cost of a position relative to the SOL of its pool, when it is opened", decides=True
    )
    max_total_exposure_usd: Usd = setting(10_000, "maximum cost of all positions", decides=True)
    max_orders_per_minute: Count = setting(600, "maximum number of orders per minute of event time", decides=True)
    max_data_age_ms: AgeMs = setting(5_000, "buys on older data are refused", decides=True)
    max_price_deviation_percent: AnyPercent = setting(
        20, "maximum difference of the reported price from the pool's for a buy", decides=True
    )
    max_dev_out_percent: AnyPercent = setting(
        50, "maximum share of the liquidity that the developer has moved, for a buy", decides=True
    )
    max_liquidity_pull_percent: Percent = setting(
        50, "maximum share of its liquidity that a token ever lost at once, for a buy", decides=True
    )
    portfolio_stop_loss_percent: Percent = setting(50, "a paper position is sold at this loss", decides=True)
    trailing_stop_loss_percent: Percent = setting(60, "a paper position is sold this far below its peak", decides=True)
