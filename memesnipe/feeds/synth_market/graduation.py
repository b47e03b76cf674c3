"""Graduation to PumpSwap, plain or synthetic, and the outside providers of liquidity there."""

from typing import Any

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market.agenda import schedule
from memesnipe.feeds.synth_market.draws import between, exponential, lognormal, poisson, uniform
from memesnipe.feeds.synth_market.execution import pool_with, with_fees_charged
from memesnipe.feeds.synth_market.life import COMPLETE, ON_PUMPSWAP, PERSON
from memesnipe.feeds.synth_market.records import write_depth, write_onchain, write_trade
from memesnipe.feeds.synth_market.traders import begin_wave, buy_and_own, draw_wallet, own, release
from memesnipe.market.events import BUY_SIDE, CURVE_COMPLETE, MIGRATION, PUMPSWAP
from memesnipe.market.pools import MIGRATION_FEE_LAMPORTS, Pool, quote_buy, recorded_pool, set_pool
from memesnipe.market.pump import PUMP_FEES_BPS, PUMP_SUPPLY_RAW

POOL_TOKEN_RAW = 206_900_000_000_000  # the supply less the tokens that a curve sells
_DEPOSIT_CHANCE = 0.3
_WITHDRAWN_CHANCE = 0.7


@jitable
def complete(life: Any, scratch: Any) -> None:
    """Report the complete curve, and schedule the migration; only then does the token trade again."""
    write_onchain(life, scratch, CURVE_COMPLETE, 0)
    if uniform(life) >= b.SYNTHETIC_CHANCE:
        life.extra_lamports = 0
    schedule(life, scratch, between(life, b.MIGRATION_S[0], b.MIGRATION_S[1]), b.MIGRATE, 0)


@jitable
def migrate(life: Any, scratch: Any) -> None:
    """Open the PumpSwap pool; after a synthetic migration with the reserves that the last buy left."""
    sol = life.pool.real_sol_lamports - MIGRATION_FEE_LAMPORTS
    supply = PUMP_SUPPLY_RAW
    opened = Pool(PUMPSWAP, sol, POOL_TOKEN_RAW, sol, POOL_TOKEN_RAW, supply, 0, 0, 1)
    set_pool(life, with_fees_charged(opened))
    write_onchain(life, scratch, MIGRATION, sol)
    if life.extra_lamports > 0:
        _buy_extra(life, scratch)
    life.state = ON_PUMPSWAP
    life.median_sol, life.sigma, life.wealth_sol = b.GRADUATE_BUY_SOL, b.GRADUATE_BUY_SIGMA, b.GRADUATE_WEALTH_SOL
    interest = min(lognormal(life, b.GRADUATE_INTEREST, b.GRADUATE_INTEREST_SIGMA), b.INTEREST_MAX)
    fades_s = lognormal(life, b.GRADUATE_FADES_S, b.GRADUATE_FADES_SIGMA)
    begin_wave(life, scratch, interest, fades_s, b.AHEAD_OF_GRADUATE)
    for _ in range(poisson(life, b.REVIVALS)):
        schedule(life, scratch, exponential(life, b.REVIVAL_EVERY_S), b.REVIVE, 0)
    if uniform(life) < _DEPOSIT_CHANCE:
        schedule(life, scratch, exponential(life, 400.0), b.DEPOSIT, 0)


@jitable
def _buy_extra(life: Any, scratch: Any) -> None:
    """Execute the part of the completing buy that goes on into the pool, at the curve's fees (PROTOCOLS.md 5b)."""
    pool = recorded_pool(life)
    protocol, creator = PUMP_FEES_BPS
    # Without a supply the pool has the given fees instead of its tier's.
    at_curve_fees = Pool(
        PUMPSWAP,
        pool.sol_lamports,
        pool.token_raw,
        pool.real_sol_lamports,
        pool.real_token_raw,
        0,
        0,
        protocol,
        creator,
    )
    quote = quote_buy(at_curve_fees, life.extra_lamports)
    if quote.token_raw <= 0:
        return
    after = pool_with(at_curve_fees, quote.pool_sol_lamports, -quote.token_raw)
    set_pool(
        life,
        Pool(
            PUMPSWAP, after.sol_lamports, after.token_raw, after.real_sol_lamports, after.real_token_raw,
            PUMP_SUPPLY_RAW, 0, protocol, creator,
        ),
    )  # fmt: skip
    write_trade(life, scratch, BUY_SIDE, quote, life.extra_wallet)
    own(life, scratch, quote.token_raw, life.extra_wallet, PERSON)


@jitable
def revive(life: Any, scratch: Any) -> None:
    """Let a graduate be heard of again, by as many buyers as before in the median."""
    interest = min(life.interest * lognormal(life, 1.0, b.REVIVAL_SIGMA), b.INTEREST_MAX)
    begin_wave(life, scratch, interest, lognormal(life, b.REVIVAL_FADES_S, 0.8), b.AHEAD_OF_REVIVAL)


@jitable
def deposit(life: Any, scratch: Any) -> None:
    """Let an outside provider buy tokens and add them to the pool with SOL; many withdraw later."""
    if life.state != ON_PUMPSWAP or life.deposit_raw > 0:
        return
    sol = between(life, 2.0, 12.0)
    at = buy_and_own(life, scratch, sol, draw_wallet(life, PERSON), PERSON)
    if at < 0:
        return
    position = scratch.positions[at]
    pool = recorded_pool(life)
    token_raw = position.raw
    lamports = int(token_raw * (pool.sol_lamports / pool.token_raw))
    position.raw = 0
    life.deposit_raw, life.pool_raw = token_raw, pool.token_raw
    set_pool(life, pool_with(pool, lamports, token_raw))
    write_depth(life, scratch, lamports)
    if uniform(life) < _WITHDRAWN_CHANCE:
        schedule(life, scratch, lognormal(life, 600.0, 1.2), b.WITHDRAW, at)


@jitable
def withdraw(life: Any, scratch: Any, at: int) -> None:
    """Withdraw the outside provider's share of the pool, whose tokens are then sold."""
    if life.state == COMPLETE:
        return
    pool = recorded_pool(life)
    share = life.deposit_raw / (life.deposit_raw + life.pool_raw)
    lamports, token_raw = int(pool.sol_lamports * share), int(pool.token_raw * share)
    set_pool(life, pool_with(pool, -lamports, -token_raw))
    write_depth(life, scratch, -lamports)
    life.deposit_raw = 0
    position = scratch.positions[at]
    position.raw = token_raw
    release(life, scratch, at, token_raw)
