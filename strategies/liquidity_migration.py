"""Buy the dip after the first dump of a token that has just graduated to PumpSwap; leave when it falls further.

Hypothesis: at graduation the early holders of the curve sell into the new pool at once. Most of that supply is gone
after the first dump, and new traders find the token. Holders who sold below the later price pay for it.

Rule: votes to buy from {settle_s} to {window_s} after the graduation, once the price in the new pool has fallen more
than {dump} from its top, is more than {rebound} above its low and is not yet halfway back to the top; to sell at a new
low.
"""

from memesnipe.sdk import (
    BUY,
    CURVE_COMPLETE,
    HOLD,
    MIGRATION,
    ONCHAIN,
    PRICE,
    PUMP_CURVE,
    PUMPSWAP,
    SELL,
    Strategy,
    param,
    state,
)

NS_PER_S = 1e9


class LiquidityMigration(Strategy):
    subscriptions = (ONCHAIN, PRICE)
    settle_s = param(0, 900, default=20, unit="s")
    window_s = param(120, 14_400, default=3600, log=True, unit="s")
    dump = param(0.1, 0.95, default=0.35, log=True, unit="ratio")
    rebound = param(0.03, 0.6, default=0.12, log=True, unit="ratio")
    graduated_ts = state("i8")
    on_curve = state("i8")  # 1: trades on the curve were observed
    top = state()  # highest price in the new pool
    low = state()  # lowest since that top
    vote = state("i8")  # as of the last trade

    def on_event(p, s, e):
        if e.kind == ONCHAIN:
            complete = e.action == CURVE_COMPLETE
            migrated = e.action == MIGRATION
            if s.graduated_ts == 0 and (complete or migrated):
                s.graduated_ts = e.ts
            return s.vote
        if e.venue == PUMP_CURVE:
            s.on_curve = 1
        if e.venue != PUMPSWAP:
            return HOLD
        if s.graduated_ts == 0:
            if s.on_curve == 0:
                return HOLD  # it graduated before the first observed event
            s.graduated_ts = e.ts
        if e.price_usd > s.top:
            s.top = e.price_usd
            s.low = e.price_usd
        s.low = min(s.low, e.price_usd)
        since = e.ts - s.graduated_ts
        in_time = since >= p.settle_s * NS_PER_S and since < p.window_s * NS_PER_S
        turned = e.price_usd > s.low * (1.0 + p.rebound) and e.price_usd < 0.5 * (s.low + s.top)
        if s.low >= s.top * (1.0 - p.dump):
            s.vote = HOLD
        elif e.price_usd <= s.low:
            s.vote = SELL
        else:
            s.vote = BUY if in_time and turned else HOLD
        return s.vote
