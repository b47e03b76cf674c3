"""Buy when people start to talk well of a token; leave when the talk turns or dies.

Hypothesis: attention comes before buyers, by a minute or two, and leaves before they do.
"""

from memesnipe.sdk import BUY, HOLD, SELL, SOCIAL, Strategy, ema, param, state


class SocialBuzz(Strategy):
    subscriptions = (SOCIAL,)
    lookback_s = param(60, 3600, default=600, log=True, unit="s")
    burst = param(1.2, 20.0, default=3.0, log=True, unit="x")
    least_sentiment = param(0.0, 0.9, default=0.2, unit="-1 to 1")
    mean_mentions = state()
    last_ts = state("i8")

    def on_event(self, p, s, e):
        if s.last_ts == 0:
            s.mean_mentions, s.last_ts = e.mentions, e.ts
            return HOLD
        bursting = e.mentions > p.burst * s.mean_mentions
        s.mean_mentions = ema(s.mean_mentions, e.mentions, e.ts - s.last_ts, p.lookback_s)
        s.last_ts = e.ts
        if bursting and e.sentiment > p.least_sentiment:
            return BUY
        return SELL if e.sentiment < 0.0 or e.mentions < 0.5 * s.mean_mentions else HOLD
