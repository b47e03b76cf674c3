"""Leave when liquidity is pulled or sells cascade, and stay out; buy calm pools that grow deeper.

Hypothesis: a rug pull begins with a first removal of liquidity or a run of sells, seconds before the rest. Pools that
are deepened while trading is calm are meant to last. Holders who stay in after the first removal pay for it.

Rule: votes to sell for {quiet_s} after more than {pull} of the pool was withdrawn within about {lookback_s}, or net
sales of that time were more than {cascade} of the pool; to buy when {deepen} of the pool was added, less what was
withdrawn, while trading is calm.
"""

from memesnipe.sdk import BUY, DEPTH, HOLD, PRICE, SELL, Strategy, decay, param, state

CALM = 0.5  # share of a cascade up to which net trading is calm
NOISE_USD = 100.0  # smaller net sales are ignored, however small the pool
NS_PER_S = 1e9


class RugPullSniffer(Strategy):
    subscriptions = (DEPTH, PRICE)
    lookback_s = param(30, 3600, default=300, log=True, unit="s")
    pull = param(0.02, 0.9, default=0.15, log=True, unit="ratio")
    cascade = param(0.02, 0.9, default=0.3, log=True, unit="ratio")
    quiet_s = param(60, 86_400, default=900, log=True, unit="s")
    deepen = param(0.01, 1.0, default=0.05, log=True, unit="ratio")
    added = state()  # over the lookback, as shares of the pool
    removed = state()
    net = state()  # bought less sold over the lookback, USD
    liquidity = state()
    out_ts = state("i8")  # time of the last reason to be out
    last_ts = state("i8")

    def on_event(p, s, e):
        kept = decay(e.ts - s.last_ts, p.lookback_s)
        s.added *= kept
        s.removed *= kept
        s.net *= kept
        s.last_ts = e.ts
        s.liquidity = e.liquidity_usd  # both kinds have it
        if e.kind == PRICE:
            s.net += e.side * e.volume_usd
        else:
            whole = max(e.liquidity_usd, e.liquidity_usd - e.change_usd)  # the larger of the liquidity before and after
            if whole > 0.0 and e.change_usd < 0.0:
                s.removed -= e.change_usd / whole
            elif whole > 0.0:
                s.added += e.change_usd / whole
        sold = max(-s.net, 0.0)
        cascading = sold > NOISE_USD and sold > p.cascade * (s.liquidity + sold)
        if s.removed > p.pull or cascading:
            s.out_ts = e.ts
        if s.out_ts > 0 and e.ts - s.out_ts < p.quiet_s * NS_PER_S:
            return SELL
        calm = abs(s.net) < CALM * p.cascade * s.liquidity
        return BUY if calm and s.added - s.removed > p.deepen else HOLD
