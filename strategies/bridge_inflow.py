"""Buy tokens that rise on net buying while capital arrives from other chains; leave when the flow dries up.

Hypothesis: money bridged to Solana is spent there, first on tokens that are already moving. The arrival is visible
minutes before the purchases. Sellers who meet that demand too early pay for it.

Rule: votes to buy when more than {inflow_usd} have come to Solana within about {lookback_s}, or more than {own_share}
of the token's pool for the token itself, the price is more than {rise} above its mean, and buys lead sells by more
than {lead} of the volume; to sell when the price is {rise} below its mean, or little of the inflow is left.
"""

from memesnipe.sdk import BRIDGE, BUY, HOLD, PRICE, SELL, Strategy, blend, decay, fading_sum, param, state

DRY = 0.3  # pressure below which the inflow counts as over


class BridgeInflow(Strategy):
    subscriptions = (BRIDGE, PRICE)
    lookback_s = param(60, 3600, default=300, log=True, unit="s")
    inflow_usd = param(100_000, 100_000_000, default=2_000_000, log=True, unit="USD")
    own_share = param(0.01, 3.0, default=0.2, log=True, unit="ratio")
    rise = param(0.005, 0.5, default=0.03, log=True, unit="ratio")
    lead = param(0.0, 0.9, default=0.2, unit="ratio")
    pressure = state()  # inflow over the lookback, as a multiple of the required inflow
    mean_price = state()
    volume = state()
    net = state()  # bought less sold
    liquidity = state()
    trend = state("i8")  # of the price: 1 rising on net buying, -1 falling
    last_ts = state("i8")  # of the last trade

    def on_event(p, s, e):
        if e.kind == PRICE:
            kept = decay(e.ts - s.last_ts, p.lookback_s) if s.last_ts > 0 else 0.0
            s.volume = fading_sum(s.volume, e.volume_usd, kept)
            s.net = fading_sum(s.net, e.side * e.volume_usd, kept)
            before = s.mean_price if s.last_ts > 0 else e.price_usd
            bought = s.net > p.lead * s.volume
            rising = bought and e.price_usd > before * (1.0 + p.rise)
            s.trend = 1 if rising else (-1 if e.price_usd < before * (1.0 - p.rise) else 0)
            s.mean_price = blend(before, e.price_usd, kept)
            s.pressure = s.pressure * kept
            s.liquidity = e.liquidity_usd
            s.last_ts = e.ts
        elif e.token < 0:  # the whole market; it fades from the token's last trade on, which saves an exponential
            s.pressure += e.inflow_usd / p.inflow_usd
        elif s.liquidity > 0.0:  # bridged for this token: relative to its pool
            s.pressure += e.inflow_usd / (p.own_share * s.liquidity)
        if s.pressure == 0.0 or s.last_ts == 0:
            return HOLD
        if s.trend < 0 or s.pressure < DRY:
            return SELL
        return BUY if s.trend > 0 and s.pressure > 1.0 else HOLD
