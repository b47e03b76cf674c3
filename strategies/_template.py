"""Buy when CONDITION; leave when OTHER CONDITION.

Hypothesis: what happens first, what follows from it and how soon, and who loses the money that is made.
This example: a price that rises above its recent mean while people buy goes on rising, and late buyers pay for it.
"""

# Copy this file to strategies/<family>.py (no underscore: that is what makes it found) and docs/STRATEGY_TEMPLATE.md
# to docs/strategies/<family>.md, where the rules are explained. Then try it:
#     memesnipe backtest --tape TAPE --strategy <family> --param rise=0.1
from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, blend, decay, param, state


class Template(Strategy):
    # The kinds of event it is called for. Without a feed that reports them it never speaks.
    subscriptions = (PRICE,)
    # What evolution may vary: the range, where it starts, log=True for scales, and the unit.
    lookback_s = param(30, 3600, default=300, log=True, unit="s")
    rise = param(0.01, 0.5, default=0.05, log=True, unit="ratio")
    lead = param(0.0, 0.9, default=0.2, unit="ratio")
    # What it remembers of each token, 0 at first: "f8" (the default) for floats, "i8" for integers and times.
    mean_price = state()
    mean_side = state()  # -1: only sells of late, 1: only buys
    last_ts = state("i8")

    def on_event(p, s, e):
        if s.last_ts == 0:  # the first event of this token
            s.mean_price = e.price_usd
            s.last_ts = e.ts
            return HOLD
        above = e.price_usd > s.mean_price * (1.0 + p.rise)  # a product: a ratio would divide, perhaps by 0
        below = e.price_usd < s.mean_price
        kept = decay(e.ts - s.last_ts, p.lookback_s)  # once an event: the exponential is what costs
        s.mean_price = blend(s.mean_price, e.price_usd, kept)
        s.mean_side = blend(s.mean_side, e.side, kept)
        s.last_ts = e.ts
        if above and s.mean_side > p.lead:
            return BUY
        return SELL if below else HOLD
