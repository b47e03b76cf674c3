"""Short where a perp trades above the pool and longs pay; buy where it trades below and shorts pay.

Hypothesis: a perp returns to the pool's price, and until then the crowded side pays funding. Traders who pay for
leverage on the crowded side lose to those on the other side.

Rule: votes to short when the perp is more than {short_basis} above the pool, both now and on average of the last
{lookback_s}, and longs pay more than {least_rate}; to buy when it is more than {buy_basis} below the pool and shorts
pay as much; to sell when that discount is nearly gone. A report of the perp that is older than {stale_s} is not used.
"""

from memesnipe.sdk import BUY, FUNDING, HOLD, PRICE, SELL, SHORT, Strategy, blend, decay, param, state

CLOSED = 0.25  # share of `buy_basis` below which a discount counts as gone
NS_PER_S = 1e9


class PerpBasisArb(Strategy):
    subscriptions = (FUNDING, PRICE)
    short_basis = param(0.002, 0.2, default=0.01, log=True, unit="ratio")
    buy_basis = param(0.005, 0.3, default=0.03, log=True, unit="ratio")
    least_rate = param(0.0, 0.001, default=0.00005, unit="ratio an hour")
    lookback_s = param(5, 600, default=45, log=True, unit="s")
    stale_s = param(30, 1800, default=180, log=True, unit="s")
    price = state()
    mark = state()
    rate = state()
    basis = state()  # mean premium of the perp over the pool
    funding_ts = state("i8")
    last_ts = state("i8")

    def on_event(p, s, e):
        if e.kind == PRICE:
            s.price = e.price_usd
        else:
            s.mark = e.mark_usd
            s.rate = e.rate
            s.funding_ts = e.ts
        if not (s.price > 0.0 and s.mark > 0.0):
            return HOLD
        now = s.mark / s.price - 1.0
        kept = decay(e.ts - s.last_ts, p.lookback_s) if s.last_ts > 0 else 1.0
        s.basis = blend(s.basis, now, kept)
        s.last_ts = e.ts
        if e.ts - s.funding_ts > p.stale_s * NS_PER_S:
            return HOLD
        # The basis must have lasted and still exist.
        if min(s.basis, now) > p.short_basis and s.rate > p.least_rate:
            return SHORT
        if max(s.basis, now) < -p.buy_basis and s.rate < -p.least_rate:
            return BUY
        return SELL if now > -CLOSED * p.buy_basis else HOLD
