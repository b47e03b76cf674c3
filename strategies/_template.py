"""Buy when CONDITION; leave when OTHER CONDITION.

Hypothesis: the cause, its effect and delay, and the traders at whose expense the profit is made.
This example: a price that rises above its recent mean on net buying keeps rising, at the expense of late buyers.

Rule: votes to buy when the price is more than {rise} above its mean of the last {lookback_s} and buys lead sells by
more than {lead} of the trades; to sell below that mean.
"""

# Copy this file to strategies/<family>.py (files with a leading underscore are not discovered) and
# docs/STRATEGY_TEMPLATE.md, which explains the rules, to docs/strategies/<family>.md. Then run a backtest:
#     memesnipe backtest --tape TAPE --strategy <family> --param rise=0.1
from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, blend, decay, param, state


class Template(Strategy):
    # The kinds of event it is called for. Without a feed that reports them it never votes.
    subscriptions = (PRICE,)
    # Parameters that evolution varies: range, default, log=True for a logarithmic scale, unit.
    lookback_s = param(30, 3600, default=300, log=True, unit="s")
    rise = param(0.01, 0.5, default=0.05, log=True, unit="ratio")
    lead = param(0.0, 0.9, default=0.2, unit="ratio")
    # State of each token, initially 0: "f8" (the default) for floats, "i8" for integers and times.
    mean_price = state()
    mean_side = state()  # -1: only sells recently, 1: only buys
    last_ts = state("i8")

    def on_event(p, s, e):
        if s.last_ts == 0:  # the first event of this token
            s.mean_price = e.price_usd
            s.last_ts = e.ts
            return HOLD
        above = e.price_usd > s.mean_price * (1.0 + p.rise)  # a product, because a ratio could divide by 0
        below = e.price_usd < s.mean_price
        kept = decay(e.ts - s.last_ts, p.lookback_s)  # once per event: the exponential is expensive
        s.mean_price = blend(s.mean_price, e.price_usd, kept)
        s.mean_side = blend(s.mean_side, e.side, kept)
        s.last_ts = e.ts
        if above and s.mean_side > p.lead:
            return BUY
        return SELL if below else HOLD
