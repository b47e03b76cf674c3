"""Buy a token that fell far below its hourly mean and turns up again; leave when it is back at the mean.

Hypothesis: one large seller moves a thin pool further than the news deserves, and others buy the difference back.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, ema, param, state


class MeanRevert1h(Strategy):
    subscriptions = (PRICE,)
    lookback_s = param(300, 7200, default=3600, log=True, unit="s")
    drop = param(0.03, 0.8, default=0.25, log=True, unit="ratio")
    rebound = param(0.002, 0.2, default=0.02, log=True, unit="ratio")
    mean_price = state()
    low_price = state()
    last_ts = state("i8")

    def on_event(self, p, s, e):
        if s.last_ts == 0:
            s.mean_price, s.low_price, s.last_ts = e.price_usd, e.price_usd, e.ts
            return HOLD
        s.mean_price = ema(s.mean_price, e.price_usd, e.ts - s.last_ts, p.lookback_s)
        s.last_ts = e.ts
        if e.price_usd >= s.mean_price:
            s.low_price = e.price_usd
            return SELL
        s.low_price = min(s.low_price, e.price_usd)
        fell = 1.0 - s.low_price / s.mean_price
        turned = e.price_usd / s.low_price - 1.0
        return BUY if fell > p.drop and turned > p.rebound else HOLD
