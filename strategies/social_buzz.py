"""Buy on a burst of positive mentions before the price has risen; leave when the mentions turn negative or dry up.

Hypothesis: attention precedes buying by a minute or two, and fades before it. Traders who buy on the same mentions
minutes later pay for it.

Rule: votes to buy for {fresh_s} after a report with more than {burst} the usual mentions, while the mood of the last
{lookback_s} is above {least_sentiment} (from -1, all negative, to 1, all positive) and the price is at most {chase}
above that at the report; to sell when the mood is negative, a report has few mentions, or no report has come for
{lookback_s}.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, SOCIAL, Strategy, blend, decay, fading_sum, param, state

MIN_MENTIONS = 5.0  # fewer are not a burst, however quiet it was
DYING = 0.25  # share of the usual mentions below which the interest is over
NS_PER_S = 1e9


class SocialBuzz(Strategy):
    subscriptions = (SOCIAL, PRICE)
    lookback_s = param(60, 3600, default=600, log=True, unit="s")
    burst = param(1.2, 20.0, default=2.0, log=True, unit="x")
    least_sentiment = param(0.0, 0.9, default=0.2, unit="-1 to 1")
    fresh_s = param(10, 900, default=120, log=True, unit="s")
    chase = param(0.02, 1.0, default=0.15, log=True, unit="ratio")
    mean_mentions = state()
    talk = state()  # mentions over the lookback
    mood = state()  # mentions weighted by sentiment over the lookback
    price = state()
    burst_price = state()  # price at the start of the burst; 0: unknown
    burst_ts = state("i8")
    talk_ts = state("i8")

    def on_event(p, s, e):
        dying = False
        if e.kind == PRICE:
            s.price = e.price_usd
        else:
            kept = decay(e.ts - s.talk_ts, p.lookback_s) if s.talk_ts > 0 else 0.0
            s.talk = fading_sum(s.talk, e.mentions, kept)
            s.mood = fading_sum(s.mood, e.mentions * e.sentiment, kept)
            loud = e.mentions >= MIN_MENTIONS and e.mentions > p.burst * s.mean_mentions
            if s.talk_ts > 0 and loud:
                s.burst_ts = e.ts
                s.burst_price = s.price
            dying = e.mentions < DYING * s.mean_mentions
            s.mean_mentions = blend(s.mean_mentions, e.mentions, kept)
            s.talk_ts = e.ts
        if s.talk_ts == 0:
            return HOLD
        if dying or s.mood < 0.0 or e.ts - s.talk_ts > p.lookback_s * NS_PER_S:
            return SELL
        if s.burst_ts == 0 or e.ts - s.burst_ts > p.fresh_s * NS_PER_S:
            return HOLD
        ran = s.burst_price > 0.0 and s.price > s.burst_price * (1.0 + p.chase)
        return BUY if s.mood > p.least_sentiment * s.talk and not ran else HOLD
