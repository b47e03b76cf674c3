"""Holdings: tokens held or a short, the rules that change and value a holding, and the execution of an order.

Each rule is one function. In the engine it is compiled, and its arguments are records of the dtypes HOLDING, MARKET and
ORDER. In the desk and the ledger it is plain Python, and they are a `Holding`, a `TokenMarket` and an `Order`. The
formulas are in `memesnipe.engine.fills`.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.fills import (
    FAILURES,
    LANDED,
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
from memesnipe.engine.orders import ENTRIES, Fill, Order, cash_change_lamports
from memesnipe.market.events import COVER_SIDE, FUNDING, LAMPORTS_PER_SOL, SHORT_SIDE
from memesnipe.market.pools import Pool, changes_venue, moved, value_of
from memesnipe.market.state import TokenMarket
from memesnipe.market.wide import mul_div

jitable(cash_change_lamports)  # here, because `memesnipe.engine.orders` is imported without numba


@dataclass(slots=True)
class Holding:
    """A holding of tokens or a short: its cost, and how far our own trades have shifted the pool."""

    held: int = 0  # 1 tokens, -1 a short, 0 nothing
    token_raw: int = 0
    cost_lamports: int = 0  # paid for the position, fees included
    shift_sol_lamports: int = 0
    shift_token_raw: int = 0
    opened_ts: int = 0
    # of a short
    margin_lamports: int = 0
    notional_usd: float = 0.0
    entry_mark_usd: float = 0.0
    funding_usd: float = 0.0

    @property
    def is_short(self) -> bool:
        """Whether the holding is a short."""
        return self.held < 0

    @property
    def is_open(self) -> bool:
        """Whether the holding is not empty."""
        return self.token_raw > 0 or self.is_short

    def apply_fill(self, fill: Fill, market: TokenMarket) -> int:
        """Apply a landed fill; return the realised profit in lamports, 0 for an entry."""
        outcome = Outcome(
            LANDED,
            fill.token_raw,
            fill.sol_lamports,
            fill.pool_fee_lamports,
            fill.pool_sol_lamports,
            fill.network_fee_lamports,
        )
        return apply_outcome(self, market, fill.order.side, outcome, fill.ts)


# A holding inside a record of compiled code.
HOLDING: Final = np.dtype([(field.name, "f8" if field.type is float else "i8") for field in fields(Holding)])


@jitable
def follow(holding: Any, before: Any, event: Any) -> None:
    """Apply an event of the held token; ``before`` is the market before the event.

    A short is paid funding up to each funding event, at the rate in force before it.
    """
    if holding.held < 0 and event.kind == FUNDING and before.funding_ts > 0:
        since_ts = max(before.funding_ts, holding.opened_ts)
        holding.funding_usd += funding_usd(holding.notional_usd, before.funding_rate, event.ts - since_ts)
    if changes_venue(before.pool, event):
        holding.shift_sol_lamports = 0
        holding.shift_token_raw = 0


@jitable
def apply_outcome(holding: Any, market: Any, side: int, outcome: Outcome, ts: int) -> int:
    """Apply the outcome of an order that landed.

    Returns:
        The realised profit in lamports: 0 for an entry; for an exit the proceeds less the cost of the part sold.
    """
    fees_lamports = outcome.fee_lamports + outcome.network_fee_lamports
    change_lamports = cash_change_lamports(side, outcome.sol_lamports, fees_lamports)
    if side in ENTRIES:
        if holding.held == 0:
            holding.opened_ts = ts
        holding.held = 1
        holding.token_raw += outcome.token_raw
        holding.cost_lamports -= change_lamports
        holding.shift_sol_lamports += outcome.pool_sol_lamports
        holding.shift_token_raw -= outcome.token_raw
        if side == SHORT_SIDE:
            holding.held = -1
            holding.margin_lamports = outcome.sol_lamports
            holding.notional_usd = outcome.sol_lamports / LAMPORTS_PER_SOL * market.sol_usd
            holding.entry_mark_usd = market.mark_usd
            holding.funding_usd = 0.0
        return 0
    cost = holding.cost_lamports
    if outcome.token_raw < holding.token_raw:  # a part of the tokens
        cost = mul_div(cost, outcome.token_raw, holding.token_raw)
        holding.shift_sol_lamports -= outcome.pool_sol_lamports
        holding.shift_token_raw += outcome.token_raw
    else:
        holding.held = 0
        holding.shift_sol_lamports = 0
        holding.shift_token_raw = 0
    holding.token_raw -= outcome.token_raw
    holding.cost_lamports -= cost
    return change_lamports - cost


@jitable
def pool_of(holding: Any, market: Any) -> Pool:
    """Return the recorded pool shifted by the trades of this holding."""
    return moved(market.pool, holding.shift_sol_lamports, holding.shift_token_raw)


@jitable
def value_lamports(holding: Any, market: Any) -> int:
    """Return the proceeds of leaving the whole position now: after the pool's fees, before those of a perp venue."""
    if holding.held > 0:
        quote = value_of(pool_of(holding, market), holding.token_raw)
        return quote.sol_lamports - quote.fee_lamports
    if holding.held < 0:
        return short_value_lamports(
            holding.margin_lamports,
            holding.notional_usd,
            holding.entry_mark_usd,
            holding.funding_usd,
            market.mark_usd,
            market.sol_usd,
        )
    return 0


@jitable
def closed_at_value(holding: Any, pool: Pool, market: Any) -> Outcome:
    """Return the outcome of closing the whole position now without a transaction; ``pool`` is shifted."""
    if holding.held < 0:
        value = value_lamports(holding, market)
        return cover_short(value, holding.margin_lamports, holding.entry_mark_usd, market.mark_usd)
    quote = value_of(pool, holding.token_raw)
    return Outcome(LANDED, holding.token_raw, quote.sol_lamports, quote.fee_lamports, quote.pool_sol_lamports, 0)


@jitable
def outcome_of(holding: Any, pool: Pool, market: Any, order: Any, key: int, model: FillModel) -> Outcome:
    """Return the outcome of an order on its arrival at the chain or the perp venue.

    Args:
        holding: of the token of the order.
        pool: the recorded pool, shifted by the trader's own trades.
        market: of the token.
        order: an `Order`, or a record with the same fields.
        key: the key of the strategy (`memesnipe.engine.landing`).
        model: the parameters of execution.
    """
    if order.side == SHORT_SIDE:
        return open_short(order.budget_lamports, order.expected, market.mark_usd, model)
    if order.side == COVER_SIDE and holding.held < 0:
        return closed_at_value(holding, pool, market)
    if not lands(model, key, order.order_no):
        return failed(NOT_LANDED, model)
    return fill_in_pool(order.side, order.budget_lamports, order.token_raw, order.expected, pool, model)


def execute(
    order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int, model: FillModel
) -> Fill:
    """Execute an order in its pool (already shifted by the trader's own trades) or at the perp venue."""
    return fill_of(order, outcome_of(holding, pool, market, order, key_of(order.spec_id), model), ts, seq)


def settle(order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill:
    """Close a holding at its value, without a transaction: its token is dead, or its margin is exhausted."""
    return fill_of(order, closed_at_value(holding, pool, market), ts, seq)


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
