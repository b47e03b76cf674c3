"""Leave when the developer's wallet transfers tokens, and stay out; buy steady demand while the wallet is inactive.

Hypothesis: a developer who moves tokens out of the wallet is about to sell. While a monitored wallet is inactive,
steady buying by many continues for a while. Holders who stay in after the transfer pay for it.

Rule: votes to sell for {quiet_s} after the developer has transferred {drain_usd} or more within about that time, and
when sells lead buys by more than {lead} of the trades of the last {lookback_s}; to buy when the developer has been
inactive for {lookback_s}, buys lead by as much, and the price is at or above its mean, by less than {surge}.
"""

from memesnipe.sdk import (
    BUY,
    DEV_TRANSFER,
    HOLD,
    ONCHAIN,
    PRICE,
    SELL,
    Strategy,
    blend,
    decay,
    fading_sum,
    param,
    state,
)

NS_PER_S = 1e9


class DevWalletDrain(Strategy):
    subscriptions = (ONCHAIN, PRICE)
    drain_usd = param(20, 20_000, default=300, log=True, unit="USD")
    quiet_s = param(300, 86_400, default=7200, log=True, unit="s")
    lookback_s = param(60, 3600, default=300, log=True, unit="s")
    lead = param(0.05, 0.9, default=0.3, unit="ratio")
    surge = param(0.02, 1.0, default=0.2, log=True, unit="ratio")
    watched = state("i8")  # 1: on-chain events of the token are reported, so a transfer would be too
    drained = state()  # USD transferred over about the quiet time
    dev_ts = state("i8")  # of the last transfer
    out_ts = state("i8")  # of the last transfer that exceeded the limit
    mean_price = state()
    side = state()  # mean side of the trades, -1 all sells to 1 all buys
    trend = state("i8")  # 1 bought steadily, -1 sold
    price_ts = state("i8")

    def on_event(p, s, e):
        if e.kind == PRICE:
            kept = decay(e.ts - s.price_ts, p.lookback_s) if s.price_ts > 0 else 1.0
            before = s.mean_price if s.price_ts > 0 else e.price_usd
            s.mean_price = blend(before, e.price_usd, kept)
            s.side = blend(s.side, e.side, kept)
            steady = e.price_usd >= before and e.price_usd < before * (1.0 + p.surge)
            s.trend = -1 if s.side < -p.lead else (1 if steady and s.side > p.lead else 0)
            s.price_ts = e.ts
        else:
            s.watched = 1
            if e.action == DEV_TRANSFER:
                s.drained = fading_sum(s.drained, e.amount_usd, decay(e.ts - s.dev_ts, p.quiet_s))
                s.dev_ts = e.ts
                if s.drained >= p.drain_usd:
                    s.out_ts = e.ts
        if s.watched == 0:
            return HOLD
        if s.trend < 0 or (s.out_ts > 0 and e.ts - s.out_ts < p.quiet_s * NS_PER_S):
            return SELL
        still = s.dev_ts == 0 or e.ts - s.dev_ts > p.lookback_s * NS_PER_S
        return BUY if s.trend > 0 and still else HOLD
