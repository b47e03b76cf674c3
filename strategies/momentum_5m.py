"""Buy a token that breaks out on net buying; leave when the buying reverses or the move is gone.

Hypothesis: early buyers of a memecoin attract others for a few minutes. A price well above its recent mean, supported
by net buying far above the usual rate of trading, keeps rising for a while. The late buyers pay for it.

Rule: votes to buy when the price is more than {breakout} above its mean of the last {lookback_s} and recent net buying
is more than {vol_mult} the usual rate of trading; to sell below that mean, or when recent net selling exceeds the
usual rate.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, blend, decay, fading_sum, param, state

FAST = 8.0  # "recent" is this many times shorter than the lookback


class Momentum5m(Strategy):
    subscriptions = (PRICE,)
    lookback_s = param(30, 900, default=300, log=True, unit="s")
    breakout = param(0.01, 0.5, default=0.05, log=True, unit="ratio")
    vol_mult = param(0.5, 6.0, default=2.0, log=True, unit="x")
    mean_price = state()
    volume = state()  # traded over the lookback
    net = state()  # bought less sold, recently
    seen = state()  # share of the lookback observed so far, 0 to 1
    last_ts = state("i8")

    def on_event(p, s, e):
        if s.last_ts == 0:
            s.mean_price = e.price_usd
            s.volume = e.volume_usd
            s.last_ts = e.ts
            return HOLD
        kept = decay(e.ts - s.last_ts, p.lookback_s)
        kept_2 = kept * kept
        kept_4 = kept_2 * kept_2
        breaking_out = e.price_usd > s.mean_price * (1.0 + p.breakout)
        s.mean_price = blend(s.mean_price, e.price_usd, kept)
        s.volume = fading_sum(s.volume, e.volume_usd, kept)
        s.net = fading_sum(s.net, e.side * e.volume_usd, kept_4 * kept_4)
        s.seen = blend(s.seen, 1.0, kept)
        s.last_ts = e.ts
        # Both rates in USD per second; a young token's lookback is only as long as its observed history.
        if breaking_out and FAST * s.net * s.seen > p.vol_mult * s.volume:
            return BUY
        fading = e.price_usd < s.mean_price or FAST * s.net < -s.volume
        return SELL if fading else HOLD
