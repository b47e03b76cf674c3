"""Holdings: tokens held or a short, their value, and the execution of an order against a pool or a perp venue.

The formulas are in `memesnipe.engine.fills`, which the compiled engine and this module share.
"""

from dataclasses import dataclass
from typing import Any

from memesnipe.compiled import jitable
from memesnipe.engine.fills import (
    FAILURES,
    NOT_LANDED,
    FillModel,
    Outcome,
    cover_short,
    failed,
    fill_in_pool,
    funding_usd,
    lands,
    open_short,
    short_value_lamports,
)
from memesnipe.engine.landing import key_of
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.market.events import COVER_SIDE, FUNDING, LAMPORTS_PER_SOL, SHORT_SIDE, Event
from memesnipe.market.pools import Pool, changes_venue, moved, value_of
from memesnipe.market.state import TokenMarket


@dataclass(slots=True)
class Short:
    """The terms of an open short that determine its value."""

    margin_lamports: int
    notional_usd: float
    entry_mark_usd: float
    opened_ts: int
    funding_usd: float = 0.0

    def value_lamports(self, market: TokenMarket) -> int:
        """Return the proceeds of covering the short now, before the venue's fee."""
        return short_value_lamports(
            self.margin_lamports,
            self.notional_usd,
            self.entry_mark_usd,
            self.funding_usd,
            market.mark_usd,
            market.sol_usd,
        )

    def cover(self, market: TokenMarket) -> Outcome:
        """Return the outcome of covering the short now; the venue's fee is a field of its own."""
        return cover_short(self.value_lamports(market), self.margin_lamports, self.entry_mark_usd, market.mark_usd)

    def accrue(self, before: TokenMarket, ts: int) -> None:
        """Accrue the funding up to a funding event at ``ts``, at the rate in force before it."""
        if before.funding_ts:
            elapsed = ts - max(before.funding_ts, self.opened_ts)
            self.funding_usd += funding_usd(self.notional_usd, before.funding_rate, elapsed)


@dataclass(slots=True)
class Holding:
    """A holding of tokens or a short: its cost, and how far our own trades have shifted the pool."""

    token_raw: int = 0
    cost_lamports: int = 0  # paid for the position, fees included
    shift_sol_lamports: int = 0
    shift_token_raw: int = 0
    opened_ts: int = 0
    short: Short | None = None

    @property
    def is_open(self) -> bool:
        """Whether the holding is not empty."""
        return self.token_raw > 0 or self.short is not None

    def apply_fill(self, fill: Fill, market: TokenMarket) -> int:
        """Apply a landed fill.

        Returns:
            The realised profit in lamports: 0 for an entry; for an exit the proceeds less the cost of the part sold.
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
        """Apply an event of the token; ``before`` is the market before the event."""
        if event.kind == FUNDING and self.short is not None:
            self.short.accrue(before, event.ts)
        follow(self, before, event)

    def shift_pool(self, pool: Pool) -> Pool:
        """Return the pool shifted by our own trades."""
        return moved(pool, self.shift_sol_lamports, self.shift_token_raw)

    def value_lamports(self, market: TokenMarket) -> int:
        """Return the proceeds of leaving the whole position now, after the pool's fees."""
        if self.short is not None:
            return self.short.value_lamports(market)
        quote = value_of(self.shift_pool(market.pool), self.token_raw)
        return quote.sol_lamports - quote.fee_lamports


@jitable
def follow(holding: Any, before: Any, event: Any) -> None:
    """Apply an event of the held token; ``before`` is the market before the event."""
    if changes_venue(before.pool, event):
        holding.shift_sol_lamports = 0
        holding.shift_token_raw = 0


def execute(
    order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int, model: FillModel
) -> Fill:
    """Execute an order in its pool (already shifted by the trader's own trades) or at the perp venue."""
    if order.side == SHORT_SIDE:
        outcome = open_short(order.budget_lamports, order.expected, market.mark_usd, model)
    elif order.side == COVER_SIDE and holding.short is not None:
        outcome = holding.short.cover(market)
    elif not lands(model, key_of(order.spec_id), order.order_no):
        outcome = failed(NOT_LANDED, model)
    else:
        outcome = fill_in_pool(order.side, order.budget_lamports, order.token_raw, order.expected, pool, model)
    return fill_of(order, outcome, ts, seq)


def settle(order: Order, pool: Pool, ts: int, seq: int) -> Fill:
    """Close a holding of a dead token at its value, without a transaction."""
    quote = value_of(pool, order.token_raw)
    outcome = Outcome(0, order.token_raw, quote.sol_lamports, quote.fee_lamports, quote.pool_sol_lamports, 0)
    return fill_of(order, outcome, ts, seq)


def fill_of(order: Order, outcome: Outcome, ts: int, seq: int) -> Fill:
    """Return the fill of an order with this outcome."""
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
