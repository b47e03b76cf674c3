"""Trades of a token's market participants, executed in its exact pool."""

from typing import Any

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market.life import COMPLETE, ON_CURVE
from memesnipe.feeds.synth_market.records import write_trade
from memesnipe.market.events import BUY_SIDE, SELL_SIDE
from memesnipe.market.pools import Pool, fees_of, quote_buy, quote_sell, recorded_pool, set_pool

MIN_SALE_LAMPORTS = 1_000  # smaller sales are not worth their network fee


@jitable
def pool_with(pool: Any, sol_lamports: int, token_raw: int) -> Pool:
    """Return the pool after SOL and tokens were added (negative: removed); the last buy may complete a curve."""
    return Pool(
        pool.venue,
        pool.sol_lamports + sol_lamports,
        pool.token_raw + token_raw,
        pool.real_sol_lamports + sol_lamports,
        pool.real_token_raw + token_raw,
        pool.supply_raw,
        pool.lp_fee_bps,
        pool.protocol_fee_bps,
        pool.creator_fee_bps,
    )


@jitable
def with_fees_charged(pool: Any) -> Pool:
    """Return the pool with the fees of its next trade, as the trade's event reports them."""
    fees = fees_of(pool)
    return Pool(
        pool.venue, pool.sol_lamports, pool.token_raw, pool.real_sol_lamports, pool.real_token_raw, pool.supply_raw,
        fees.lp, fees.protocol, fees.creator,
    )  # fmt: skip


@jitable
def price_of(life: Any) -> float:
    """Return the pool's price in lamports per raw token."""
    return life.pool.sol_lamports / life.pool.token_raw


@jitable
def buy(life: Any, scratch: Any, budget_lamports: int, wallet: int) -> int:
    """Buy for a budget with fees; return the raw tokens bought, 0 if the pool sells nothing."""
    if life.state == COMPLETE:
        return 0
    pool = with_fees_charged(recorded_pool(life))
    quote = quote_buy(pool, budget_lamports)
    if quote.token_raw <= 0 or quote.sol_lamports <= 0:
        return 0
    set_pool(life, pool_with(pool, quote.pool_sol_lamports, -quote.token_raw))
    write_trade(life, scratch, BUY_SIDE, quote, wallet)
    life.top_price = max(life.top_price, price_of(life))
    if life.state == ON_CURVE and life.pool.real_token_raw == 0:
        life.state = COMPLETE
        life.extra_lamports = budget_lamports - quote.sol_lamports - quote.fee_lamports
        life.extra_wallet = wallet
    return quote.token_raw


@jitable
def sell(life: Any, scratch: Any, token_raw: int, wallet: int) -> bool:
    """Sell tokens; return whether the pool paid for them."""
    if life.state == COMPLETE:
        return False
    pool = with_fees_charged(recorded_pool(life))
    quote = quote_sell(pool, token_raw)
    if quote.sol_lamports < MIN_SALE_LAMPORTS or quote.pool_sol_lamports >= pool.sol_lamports:
        return False
    set_pool(life, pool_with(pool, -quote.pool_sol_lamports, quote.token_raw))
    write_trade(life, scratch, SELL_SIDE, quote, wallet)
    return True
