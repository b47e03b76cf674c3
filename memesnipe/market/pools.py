"""Exact integer arithmetic of pools: cost, proceeds and effect of a trade, rounded as on the chain.

Covers the pump.fun curve, PumpSwap and a constant product with the fee on the input. `docs/market-model.md` explains
the formulas. Each is written once, runs as plain Python and is compiled into the engine. Both forms are checked on
2,501 recorded trades and 600 quotes of PumpSwap's SDK (`tests/tapes/test_recorded_trades.py`,
`tests/market/test_pumpswap_quotes.py`).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numba.extending import overload

from memesnipe.compiled import jitable
from memesnipe.market.events import AMM, PRICE, PUMP_CURVE, PUMPSWAP, Event
from memesnipe.market.pumpswap_fees import tier_fees_bps
from memesnipe.market.wide import mul_div, mul_div_up

BPS = 10_000
MIGRATION_FEE_LAMPORTS = 15_000_001


class Pool(NamedTuple):
    """A pool: reserves for pricing, reserves that can really be withdrawn, and fees."""

    venue: int
    sol_lamports: int
    token_raw: int
    real_sol_lamports: int
    real_token_raw: int
    supply_raw: int = 0  # of the token; 0: unknown, and a PumpSwap pool has the fees below
    lp_fee_bps: int = 0
    protocol_fee_bps: int = 0
    creator_fee_bps: int = 0


# A pool inside a record of compiled code.
POOL: Final = np.dtype([(name, "i8") for name in Pool._fields])
NO_POOL: Final = Pool(0, 0, 0, 0, 0)


class Quote(NamedTuple):
    """A priced trade. A buyer pays ``sol + fee``, a seller gets ``sol - fee``; all 0 if the trade is impossible."""

    token_raw: int
    sol_lamports: int  # SOL traded, before fees
    fee_lamports: int
    pool_sol_lamports: int  # paid into the pool or out of it, with the fees that stay in the pool


class Fees(NamedTuple):
    """Fees in basis points of the SOL traded; `lp` stays in the pool."""

    lp: int
    protocol: int
    creator: int


NOTHING = Quote(0, 0, 0, 0)


@jitable
def pool_after(event: Event) -> Pool:
    """Return the pool after a price event, which may be a record."""
    return Pool(
        event.venue,
        event.pool_sol_lamports,
        event.pool_token_raw,
        event.real_sol_lamports,
        event.real_token_raw,
        event.supply_raw,
        event.lp_fee_bps,
        event.protocol_fee_bps,
        event.creator_fee_bps,
    )


@jitable
def changes_venue(pool: Pool, event: Event) -> bool:
    """Return whether an event moves the token of ``pool`` to another pool, in which we have not traded."""
    return event.kind == PRICE and pool.venue > 0 and event.venue != pool.venue


def set_pool(market: Any, pool: Pool) -> None:
    """Set the pool of a market: an attribute of an object or, in compiled code, a nested record."""
    market.pool = pool


@overload(set_pool, strict=False, jit_options={"_nrt": False})  # type: ignore[untyped-decorator]
def _set_pool(market: Any, pool: Any) -> Any:  # noqa: ARG001 - numba matches the names
    def compiled(market: Any, pool: Any) -> None:
        record = market.pool
        record.venue = pool.venue
        record.sol_lamports = pool.sol_lamports
        record.token_raw = pool.token_raw
        record.real_sol_lamports = pool.real_sol_lamports
        record.real_token_raw = pool.real_token_raw
        record.supply_raw = pool.supply_raw
        record.lp_fee_bps = pool.lp_fee_bps
        record.protocol_fee_bps = pool.protocol_fee_bps
        record.creator_fee_bps = pool.creator_fee_bps

    return compiled


@jitable
def recorded_pool(market: Any) -> Pool:
    """Return the pool of a market as a value that no later event changes."""
    return moved(market.pool, 0, 0)


@jitable
def moved(pool: Pool, sol_lamports: int, token_raw: int) -> Pool:
    """Return the pool after SOL and tokens were added (negative: removed).

    Our own trades never complete a curve that the recorded ones left open: it keeps one raw token.
    """
    real_token_raw = pool.real_token_raw + token_raw
    if pool.real_token_raw > 0:
        real_token_raw = max(real_token_raw, 1)
    return Pool(
        pool.venue,
        pool.sol_lamports + sol_lamports,
        pool.token_raw + token_raw,
        pool.real_sol_lamports + sol_lamports,
        real_token_raw,
        pool.supply_raw,
        pool.lp_fee_bps,
        pool.protocol_fee_bps,
        pool.creator_fee_bps,
    )


@jitable
def is_open(pool: Pool) -> bool:
    """Return whether the pool trades: a complete curve and an empty pool do not."""
    is_complete = pool.venue == PUMP_CURVE and pool.real_token_raw <= 0
    return pool.sol_lamports > 0 and pool.token_raw > 0 and not is_complete


@jitable
def fees_of(pool: Pool) -> Fees:
    """Return the fees of the pool's next trade; on PumpSwap they follow the market cap if the supply is known."""
    if pool.venue != PUMPSWAP or pool.supply_raw <= 0 or pool.token_raw <= 0 or pool.sol_lamports <= 0:
        return Fees(pool.lp_fee_bps, pool.protocol_fee_bps, pool.creator_fee_bps)
    lp, protocol, creator = tier_fees_bps(mul_div(pool.sol_lamports, pool.supply_raw, pool.token_raw))
    return Fees(lp, protocol, creator if pool.creator_fee_bps > 0 else 0)


@jitable
def share_fee(sol_lamports: int, fees: Fees) -> int:
    """Return the sum of all fees on an amount, each rounded up separately."""
    return (
        mul_div_up(sol_lamports, fees.lp, BPS)
        + mul_div_up(sol_lamports, fees.protocol, BPS)
        + mul_div_up(sol_lamports, fees.creator, BPS)
    )


@jitable
def quote_buy_tokens(pool: Pool, token_raw: int) -> Quote:
    """Quote a buy of exactly ``token_raw`` tokens; `NOTHING` if the pool does not hold them."""
    if token_raw <= 0 or token_raw >= pool.token_raw or token_raw > pool.real_token_raw or not is_open(pool):
        return NOTHING
    left = pool.token_raw - token_raw
    fees = fees_of(pool)
    if pool.venue == PUMP_CURVE:
        cost = mul_div(token_raw, pool.sol_lamports, left) + 1
        return Quote(token_raw, cost, share_fee(cost, fees), cost)
    cost = mul_div_up(token_raw, pool.sol_lamports, left)
    if pool.venue == AMM:
        paid = mul_div_up(cost, BPS, BPS - fees.lp)
        return Quote(token_raw, cost, paid - cost, paid)
    return Quote(token_raw, cost, share_fee(cost, fees), cost + mul_div_up(cost, fees.lp, BPS))


@jitable
def quote_buy(pool: Pool, budget_lamports: int) -> Quote:
    """Quote a buy for a budget with fees: on PumpSwap like its ``buy_exact_quote_in``, elsewhere the largest buy."""
    if budget_lamports <= 0 or not is_open(pool):
        return NOTHING
    if pool.venue == AMM:
        return _quote_buy_amm(pool, budget_lamports)
    fees = fees_of(pool)
    net = mul_div(budget_lamports, BPS, BPS + fees.lp + fees.protocol + fees.creator)
    net -= max(net + share_fee(net, fees) - budget_lamports, 0)
    if net <= 0:
        return NOTHING
    if pool.venue == PUMP_CURVE:
        # The largest t with floor(t*S / (T-t)) + 1 <= net is (net*T - 1) // (S + net), and (n-1) // d is ceil(n/d) - 1.
        largest = mul_div_up(net, pool.token_raw, pool.sol_lamports + net) - 1
        return quote_buy_tokens(pool, min(largest, pool.real_token_raw))
    token_raw = mul_div(net - 1, pool.token_raw, pool.sol_lamports + net - 1)
    if token_raw > pool.real_token_raw:
        return quote_buy_tokens(pool, pool.real_token_raw)
    spent = Quote(token_raw, net, share_fee(net, fees), net + mul_div_up(net, fees.lp, BPS))
    return spent if token_raw > 0 else NOTHING


@jitable
def _quote_buy_amm(pool: Pool, budget_lamports: int) -> Quote:
    fee = mul_div_up(budget_lamports, pool.lp_fee_bps, BPS)
    cost = budget_lamports - fee
    token_raw = mul_div(cost, pool.token_raw, pool.sol_lamports + cost) if cost > 0 else 0
    if token_raw > pool.real_token_raw:
        return quote_buy_tokens(pool, pool.real_token_raw)
    return Quote(token_raw, cost, fee, budget_lamports) if token_raw > 0 else NOTHING


@jitable
def quote_sell(pool: Pool, token_raw: int) -> Quote:
    """Quote a sale of ``token_raw`` tokens, limited by the SOL that can really be withdrawn."""
    return value_of(pool, token_raw) if is_open(pool) else NOTHING


@jitable
def value_of(pool: Pool, token_raw: int) -> Quote:
    """Quote like `quote_sell` even if the pool does not trade: tokens of a complete curve move to its PumpSwap pool."""
    if token_raw <= 0 or pool.sol_lamports <= 0 or pool.token_raw <= 0:
        return NOTHING
    fees = fees_of(pool)
    whole = mul_div(token_raw, pool.sol_lamports, pool.token_raw + token_raw)
    gross = min(whole, max(pool.real_sol_lamports, 0))
    if pool.venue == AMM:
        taxed = token_raw - mul_div_up(token_raw, fees.lp, BPS)
        net = mul_div(taxed, pool.sol_lamports, pool.token_raw + taxed) if taxed > 0 else 0
        fee = min(whole - net, gross)
        return Quote(token_raw, gross, fee, gross - fee)
    fee = min(share_fee(gross, fees), gross)
    if pool.venue == PUMP_CURVE:
        return Quote(token_raw, gross, fee, gross)
    return Quote(token_raw, gross, fee, gross - min(mul_div_up(gross, fees.lp, BPS), gross))


def migrated(curve: Pool, unsold_raw: int) -> Pool:
    """Return the PumpSwap pool of a complete curve: its SOL less a fee, and the tokens never for sale."""
    sol_lamports = curve.real_sol_lamports - MIGRATION_FEE_LAMPORTS
    pool = Pool(PUMPSWAP, sol_lamports, unsold_raw, sol_lamports, unsold_raw, curve.supply_raw, 0, 0, 1)
    lp, protocol, creator = fees_of(pool)
    return pool._replace(lp_fee_bps=lp, protocol_fee_bps=protocol, creator_fee_bps=creator)
