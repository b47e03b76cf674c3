"""Buy a token that fell far below its hourly mean and turns up again; leave on the way back to the mean.

Hypothesis: one large seller moves a thin pool further than the news justifies, and others buy the difference back.
The seller, who had to sell at any price, pays for it.

Rule: votes to buy when the price has fallen at least {drop} below its mean of the last {lookback_s}, is still more
than {stretch} below it, and has risen more than {rebound} from its low; to sell at the mean, or when {back} of the
fall is made good.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, blend, decay, param, state, zscore


class MeanRevert1h(Strategy):
    subscriptions = (PRICE,)
    lookback_s = param(300, 7200, default=3600, log=True, unit="s")
    drop = param(0.03, 0.8, default=0.12, log=True, unit="ratio")
    stretch = param(0.2, 6.0, default=1.0, log=True, unit="standard deviations")
    rebound = param(0.002, 0.2, default=0.02, log=True, unit="ratio")
    back = param(0.3, 1.0, default=0.7, unit="ratio")
    mean_price = state()
    mean_square = state()
    low_price = state()  # since the price was last above its mean
    last_ts = state("i8")

    def on_event(p, s, e):
        if s.last_ts == 0:
            s.mean_price = e.price_usd
            s.mean_square = e.price_usd * e.price_usd
            s.low_price = e.price_usd
            s.last_ts = e.ts
            return HOLD
        kept = decay(e.ts - s.last_ts, p.lookback_s)
        stretched = zscore(e.price_usd, s.mean_price, s.mean_square) < -p.stretch
        s.mean_price = blend(s.mean_price, e.price_usd, kept)
        s.mean_square = blend(s.mean_square, e.price_usd * e.price_usd, kept)
        s.last_ts = e.ts
        if e.price_usd >= s.mean_price:
            s.low_price = e.price_usd
            return SELL
        s.low_price = min(s.low_price, e.price_usd)
        fall = s.mean_price - s.low_price
        if fall < p.drop * s.mean_price:
            return HOLD
        if e.price_usd - s.low_price >= p.back * fall:
            return SELL
        turned = e.price_usd > s.low_price * (1.0 + p.rebound)
        return BUY if stretched and turned else HOLD
