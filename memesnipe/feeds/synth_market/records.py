"""The events of a token's life: each function writes one record, stamped with the slot in which it lands."""

from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.landing import mix
from memesnipe.feeds.synth_market.life import SLOT_NS, STEP_S
from memesnipe.market.events import DEPTH, LAMPORTS_PER_SOL, NS_PER_S, ONCHAIN, PRICE, SOCIAL
from memesnipe.market.pump import RAW_PER_TOKEN

_MS = 1_000_000
_LAST_IN_SLOT = SLOT_NS // _MS - 1


@jitable
def trader_of(wallet: int) -> Any:
    """Return the 32 bits that identify a wallet in an event; never 0."""
    return np.uint32(mix(np.uint64(wallet) + np.uint64(0x5DEECE66D)) >> np.uint64(32)) | np.uint32(1)


@jitable
def sol_usd_at(scratch: Any, ts: int) -> float:
    """Return the price of SOL at a time."""
    prices = scratch.environment.sol_usd
    step = (ts - scratch.environment.start_ts) // int(STEP_S * NS_PER_S)
    return prices[min(max(step, 0), len(prices) - 1)]


@jitable
def _stamped(life: Any, scratch: Any, kind: int) -> Any:
    """Return the next record with its header; the last one of the array, which has no other use, if it is full."""
    events = scratch.events
    at = life.written
    if at >= len(events) - 1:
        life.is_full = 1
        at = len(events) - 1
    else:
        life.written += 1
    slot = (life.launch_ts + int(life.now_s * 1e9)) // SLOT_NS
    if slot <= life.slot:
        slot = life.slot
        life.in_slot += 1
    else:
        life.in_slot = 0
    life.slot = slot
    event = events[at]
    event.ts = slot * SLOT_NS + min(life.in_slot, _LAST_IN_SLOT) * _MS
    event.slot = slot - scratch.environment.start_ts // SLOT_NS
    event.token, event.kind, event.venue = life.token, kind, life.pool.venue
    event.sol_usd = sol_usd_at(scratch, event.ts)
    return event


@jitable
def write_trade(life: Any, scratch: Any, side: int, quote: Any, wallet: int) -> None:
    """Write a trade that was just executed in the token's pool."""
    event = _stamped(life, scratch, PRICE)
    pool = life.pool
    usd = event.sol_usd / LAMPORTS_PER_SOL
    event.side = side
    event.price_usd = pool.sol_lamports * usd / (pool.token_raw / RAW_PER_TOKEN)
    event.volume_usd = quote.sol_lamports * usd
    event.liquidity_usd = pool.real_sol_lamports * usd
    event.sol_lamports, event.token_raw = quote.sol_lamports, quote.token_raw
    event.pool_sol_lamports, event.pool_token_raw = pool.sol_lamports, pool.token_raw
    event.real_sol_lamports, event.real_token_raw = pool.real_sol_lamports, pool.real_token_raw
    event.trader, event.supply_raw = trader_of(wallet), pool.supply_raw
    event.lp_fee_bps, event.protocol_fee_bps = pool.lp_fee_bps, pool.protocol_fee_bps
    event.creator_fee_bps = pool.creator_fee_bps


@jitable
def write_onchain(life: Any, scratch: Any, action: int, lamports: int) -> None:
    """Write an on-chain event with its amount in lamports, and the number of holders."""
    event = _stamped(life, scratch, ONCHAIN)
    event.amount_usd = lamports * event.sol_usd / LAMPORTS_PER_SOL
    event.holders = float(life.holders + int(life.gifted))
    event.action = action


@jitable
def write_social(life: Any, scratch: Any, sentiment: float, mentions: float) -> None:
    """Write a report of mentions."""
    event = _stamped(life, scratch, SOCIAL)
    event.venue = 0
    event.sentiment, event.mentions = min(max(sentiment, -1.0), 1.0), mentions


@jitable
def write_depth(life: Any, scratch: Any, change_lamports: int) -> None:
    """Write a change of the pool's liquidity that was just made."""
    event = _stamped(life, scratch, DEPTH)
    usd = event.sol_usd / LAMPORTS_PER_SOL
    event.change_usd, event.liquidity_usd = change_lamports * usd, life.pool.real_sol_lamports * usd
