"""Settings of fills: latency, landing, slippage and fees of orders."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import DeadAfter, Lamports, LatencyMs, Ratio, SlippageBps


class FillSettings(Group):
    """Latency, landing, slippage and fees of orders."""

    slippage_bps: SlippageBps = setting(
        1_000, "maximum amount by which a fill may be worse than its quote", decides=True
    )
    latency_ms: LatencyMs = setting(1_500, "time from a decision to its execution on the chain", decides=True)
    landing_max: Ratio = setting(0.95, "maximum probability that a transaction lands", decides=True)
    landing_half_lamports: Lamports = setting(6_000, "priority fee plus tip for half of that probability", decides=True)
    priority_fee_lamports: Lamports = setting(100_000, "priority fee of an order", decides=True)
    jito_tip_lamports: Lamports = setting(10_000, "tip of an order that lands", decides=True)
    dead_after_secs: DeadAfter = setting(1_800, "a token without an event for this time is dead", decides=True)
