"""Buy a token that breaks out on volume; leave when the move fades.

Hypothesis: early buyers of a memecoin draw in others for a few minutes, so a price well above its recent mean,
on more volume than usual, tends to go on rising for a while.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, ema, param, state


class Momentum5m(Strategy):
    subscriptions = (PRICE,)
    lookback_s = param(30, 900, default=300, log=True, unit="s")
    breakout = param(0.005, 0.5, default=0.05, log=True, unit="ratio")
    vol_mult = param(0.5, 10.0, default=2.0, log=True, unit="x")
    mean_price = state()
    mean_volume = state()
    last_ts = state("i8")

    def on_event(self, p, s, e):
        if s.last_ts == 0:
            s.mean_price, s.mean_volume, s.last_ts = e.price_usd, e.volume_usd, e.ts
            return HOLD
        move = e.price_usd / s.mean_price - 1.0
        busy = e.volume_usd > p.vol_mult * s.mean_volume
        elapsed = e.ts - s.last_ts
        s.mean_price = ema(s.mean_price, e.price_usd, elapsed, p.lookback_s)
        s.mean_volume = ema(s.mean_volume, e.volume_usd, elapsed, p.lookback_s)
        s.last_ts = e.ts
        if move > p.breakout and busy:
            return BUY
        return SELL if move < 0.0 else HOLD
