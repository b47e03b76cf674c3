"""Settings of risk: limits of an order, and exits of a position."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import AgeMs, AnyPercent, Count, Percent, Usd


class RiskSettings(Group):
    """Limits of an order, and exits of a position."""

    global_max_position_usd: Usd = setting(500, "maximum cost of one paper position", decides=True)
    max_token_exposure_usd: Usd = setting(1_000, "maximum cost of all positions in one token", decides=True)
    max_total_exposure_usd: Usd = setting(10_000, "maximum cost of all positions", decides=True)
    max_orders_per_minute: Count = setting(600, "maximum number of orders per minute of event time", decides=True)
    max_data_age_ms: AgeMs = setting(5_000, "buys on older data are refused", decides=True)
    max_price_deviation_percent: AnyPercent = setting(
        20, "buys are refused if the reported price differs more than this from the pool's", decides=True
    )
    max_dev_out_percent: AnyPercent = setting(
        50, "buys are refused if the developer transferred more than this share of the liquidity away", decides=True
    )
    max_liquidity_pull_percent: Percent = setting(
        50, "buys are refused if the token ever lost more than this share of its liquidity at once", decides=True
    )
    portfolio_stop_loss_percent: Percent = setting(50, "a paper position is sold at this loss", decides=True)
    trailing_stop_loss_percent: Percent = setting(
        60, "a paper position is sold this far below its best value", decides=True
    )
