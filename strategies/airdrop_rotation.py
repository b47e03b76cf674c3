"""Buy a token whose number of holders grows while its price stays flat; leave when holders leave.

Hypothesis: an airdrop puts a token into many wallets at once. Some of their owners look it up and buy more over the
next minutes, before the price reflects it. Owners who sell the airdrop immediately, too cheaply, pay for it.

Rule: votes to buy when holders have grown by more than {growth} within about {lookback_s}, to {least_holders} or more,
while the price is within {still} of its mean; to sell when holders are more than {shrink} below their highest number
of that time.
"""

from memesnipe.sdk import (
    BUY,
    HOLD,
    HOLDERS,
    ONCHAIN,
    PRICE,
    SELL,
    Strategy,
    decay,
    ema,
    fading_high,
    fading_low,
    param,
    state,
)

NS_PER_S = 1e9


class AirdropRotation(Strategy):
    subscriptions = (ONCHAIN, PRICE)
    lookback_s = param(120, 7200, default=900, log=True, unit="s")
    growth = param(0.03, 3.0, default=0.25, log=True, unit="ratio")
    least_holders = param(10, 2000, default=50, log=True, unit="holders")
    still = param(0.01, 0.5, default=0.08, log=True, unit="ratio")
    shrink = param(0.005, 0.3, default=0.03, log=True, unit="ratio")
    low_holders = state()
    high_holders = state()
    trend = state("i8")  # of holders: 1 growing, -1 shrinking
    price = state()
    mean_price = state()
    holders_ts = state("i8")
    price_ts = state("i8")

    def on_event(p, s, e):
        if e.kind == PRICE:
            s.price = e.price_usd
            if s.price_ts == 0:
                s.mean_price = e.price_usd
            else:
                s.mean_price = ema(s.mean_price, e.price_usd, e.ts - s.price_ts, p.lookback_s)
            s.price_ts = e.ts
        elif e.action == HOLDERS:
            kept = decay(e.ts - s.holders_ts, p.lookback_s) if s.holders_ts > 0 else 0.0
            s.low_holders = fading_low(s.low_holders, e.holders, kept)
            s.high_holders = fading_high(s.high_holders, e.holders, kept)
            grew = e.holders > s.low_holders * (1.0 + p.growth) and e.holders >= p.least_holders
            shrank = e.holders < s.high_holders * (1.0 - p.shrink)
            s.trend = -1 if shrank else (1 if grew else 0)
            s.holders_ts = e.ts
        # An old report is no evidence of the present.
        if s.price_ts == 0 or s.holders_ts == 0 or e.ts - s.holders_ts > p.lookback_s * NS_PER_S:
            return HOLD
        if s.trend < 0:
            return SELL
        moved = abs(s.price - s.mean_price) > p.still * s.mean_price
        return BUY if s.trend > 0 and not moved else HOLD
