"""Buy a burst of trading and price in Korean trading hours; hold nothing outside of them.

Hypothesis: Korean retail traders act in the same hours and on the same few tokens, so a burst that begins in these
hours finds more buyers than the same burst at night. Traders who buy at the end of the hours pay for it.

Rule: votes to buy in the {hours} from {open_h} on, when recent trading is more than {burst} the usual rate of the last
{lookback_s} and the price is more than {rise} above its mean; to sell below that mean, and at all other hours.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, blend, decay, fading_sum, hour_of_day, param, state

KOREA = 9  # hours ahead of UTC, all year
FAST = 8.0  # "recent" is this many times shorter than the lookback


class KoreanTimeBurst(Strategy):
    subscriptions = (PRICE,)
    open_h = param(0, 23, default=7, unit="hour in Korea")
    hours = param(1, 12, default=8, unit="h")
    lookback_s = param(60, 3600, default=600, log=True, unit="s")
    burst = param(1.2, 6.0, default=2.0, log=True, unit="x")
    rise = param(0.005, 0.3, default=0.04, log=True, unit="ratio")
    mean_price = state()
    volume = state()  # over the lookback
    recent = state()  # the same over an eighth of it
    seen = state()  # share of the lookback observed so far, 0 to 1
    last_ts = state("i8")

    def on_event(p, s, e):
        kept = decay(e.ts - s.last_ts, p.lookback_s) if s.last_ts > 0 else 1.0
        kept_2 = kept * kept
        kept_4 = kept_2 * kept_2
        before = s.mean_price if s.last_ts > 0 else e.price_usd
        s.mean_price = blend(before, e.price_usd, kept)
        s.volume = fading_sum(s.volume, e.volume_usd, kept)
        s.recent = fading_sum(s.recent, e.volume_usd, kept_4 * kept_4)
        s.seen = blend(s.seen, 1.0, kept)
        s.last_ts = e.ts
        since_open = hour_of_day(e.ts, KOREA) - p.open_h
        if since_open < 0.0:
            since_open += 24.0
        if since_open >= p.hours:
            return SELL
        # Both rates in USD per second; a young token's lookback is only as long as its observed history.
        bursting = FAST * s.recent * s.seen > p.burst * s.volume
        if bursting and e.price_usd > before * (1.0 + p.rise):
            return BUY
        return SELL if e.price_usd < before else HOLD
