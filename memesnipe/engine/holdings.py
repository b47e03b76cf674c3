"""Holdings: tokens held or a short, their value, and the execution of an order against a pool or a perp venue.

The formulas are in `memesnipe.engine.fills`, which the compiled engine and this module share.
"""

from dataclasses import dataclass

from memesnipe.engine.fills import (
    FAILURES,
    NOT_LANDED,
    FillModel,
    Outcome,
    cover_short,
    failed,
    funding_usd,
    lands,
    meet_pool,
    open_short,
    short_value_lamports,
)
from memesnipe.engine.landing import key_of
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.market.events import COVER_SIDE, FUNDING, LAMPORTS_PER_SOL, PRICE, SHORT_SIDE, Event
from memesnipe.market.pools import Pool, moved, value_of
from memesnipe.market.state import TokenMarket


@dataclass(slots=True)
class Short:
    """What a short is worth depends on these."""

    margin_lamports: int
    notional_usd: float
    entry_mark_usd: float
    opened_ts: int
    funding_usd: float = 0.0

    def value_lamports(self, market: TokenMarket) -> int:
        """What leaving it would pay, before the venue's fee."""
        return short_value_lamports(
            self.margin_lamports,
            self.notional_usd,
            self.entry_mark_usd,
            self.funding_usd,
            market.mark_usd,
            market.sol_usd,
        )

    def cover(self, market: TokenMarket) -> Outcome:
        """What leaving it comes to, the venue's fee apart."""
        return cover_short(self.value_lamports(market), self.margin_lamports, self.entry_mark_usd, market.mark_usd)

    def accrue(self, before: TokenMarket, ts: int) -> None:
        """Take the funding of the time up to a funding event, at the rate that was in force."""
        if before.funding_ts:
            elapsed = ts - max(before.funding_ts, self.opened_ts)
            self.funding_usd += funding_usd(self.notional_usd, before.funding_rate, elapsed)


@dataclass(slots=True)
class Holding:
    """Tokens held or a short, what they cost, and how far our own trades have moved their pool."""

    token_raw: int = 0
    cost_lamports: int = 0  # everything paid for them
    shift_sol_lamports: int = 0
    shift_token_raw: int = 0
    opened_ts: int = 0
    short: Short | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is anything."""
        return self.token_raw > 0 or self.short is not None

    def take(self, fill: Fill, market: TokenMarket) -> int:
        """Take a landed fill over.

        Returns:
            The profit it realised in lamports: 0 for an entry; proceeds less the cost of what was left for an exit.
        """
        side, pool_sol = fill.order.side, fill.pool_sol_lamports
        if side == SHORT_SIDE:
            notional_usd = fill.sol_lamports / LAMPORTS_PER_SOL * market.sol_usd
            self.short = Short(fill.sol_lamports, notional_usd, market.mark_usd, fill.ts)
        if side in ENTRIES:
            self.opened_ts = self.opened_ts or fill.ts
            self.token_raw += fill.token_raw
            self.cost_lamports -= fill.cash_change_lamports
            self.shift_sol_lamports += pool_sol
            self.shift_token_raw -= fill.token_raw
            return 0
        if side == COVER_SIDE:
            cost, self.cost_lamports, self.short = self.cost_lamports, 0, None
            return fill.cash_change_lamports - cost
        cost = self.cost_lamports * fill.token_raw // self.token_raw
        self.token_raw -= fill.token_raw
        self.cost_lamports -= cost
        self.shift_sol_lamports -= pool_sol
        self.shift_token_raw += fill.token_raw
        return fill.cash_change_lamports - cost

    def on_event(self, before: TokenMarket, event: Event) -> None:
        """Take an event of its token over, which the market was ``before``."""
        if event.kind == FUNDING and self.short is not None:
            self.short.accrue(before, event.ts)
        if event.kind == PRICE and event.venue != before.pool.venue:
            # The token moved to another pool, which does not know our trades.
            self.shift_sol_lamports = self.shift_token_raw = 0

    def moves(self, pool: Pool) -> Pool:
        """The pool with our own trades in it."""
        return moved(pool, self.shift_sol_lamports, self.shift_token_raw)

    def value_lamports(self, market: TokenMarket) -> int:
        """What the pool, or the perp venue, would pay for all of it now, after a pool's fees."""
        if self.short is not None:
            return self.short.value_lamports(market)
        quote = value_of(self.moves(market.pool), self.token_raw)
        return quote.sol_lamports - quote.fee_lamports


def execute(
    order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int, model: FillModel
) -> Fill:
    """Let an order meet its pool (already moved by the trader's own trades) or its perp venue."""
    if order.side == SHORT_SIDE:
        outcome = open_short(order.budget_lamports, order.expected, market.mark_usd, model)
    elif order.side == COVER_SIDE and holding.short is not None:
        outcome = holding.short.cover(market)
    elif not lands(model, key_of(order.spec_id), order.order_no):
        outcome = failed(NOT_LANDED, model)
    else:
        outcome = meet_pool(order.side, order.budget_lamports, order.token_raw, order.expected, pool, model)
    return fill_of(order, outcome, ts, seq)


def settle(order: Order, pool: Pool, ts: int, seq: int) -> Fill:
    """Close tokens at their value without a transaction: they are dead."""
    quote = value_of(pool, order.token_raw)
    outcome = Outcome(0, order.token_raw, quote.sol_lamports, quote.fee_lamports, quote.pool_sol_lamports, 0)
    return fill_of(order, outcome, ts, seq)


def fill_of(order: Order, outcome: Outcome, ts: int, seq: int) -> Fill:
    """The fill that an outcome is."""
    return Fill(
        order,
        ts,
        seq,
        outcome.token_raw,
        outcome.sol_lamports,
        outcome.fee_lamports,
        outcome.network_fee_lamports,
        outcome.pool_sol_lamports,
        FAILURES[outcome.failure],
    )
