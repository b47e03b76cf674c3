"""Input of the engine benchmark: a market of several hundred tokens, and `momentum_5m` as a handwritten loop."""

import math
from typing import Any, Final

import numpy as np

from memesnipe.compiled import compiled
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, NS_PER_S, PRICE, PUMPSWAP, SELL_SIDE, Events, empty
from memesnipe.market.pools import Pool, fees_of, moved, quote_buy, quote_sell
from memesnipe.market.wide import mul_div
from memesnipe.sdk.maths import decay

START_TS: Final = 1_767_225_600 * NS_PER_S
SOL_USD: Final = 200.0
SUPPLY_RAW: Final = 10**15
TRADES_PER_S: Final = 17.0  # of a recording of the whole market
SHARE_EXPONENT: Final = 1.05  # the ten busiest of 300 tokens have about half of all trades
SIZE_MEDIAN_SOL, SIZE_SIGMA, MAX_SIZE_SOL = 0.05, 2.0, 5.0
FAST: Final = 8.0  # as in `strategies/momentum_5m.py`


def make_market(count: int, tokens: int, seed: int) -> Events:
    """Return ``count`` trades in PumpSwap pools with `seq`, in order of time; each trade moves its pool."""
    rng = np.random.default_rng(seed)
    events = empty(count)
    events["seq"] = np.arange(1, count + 1)
    events["ts"] = START_TS + np.cumsum(rng.exponential(NS_PER_S / TRADES_PER_S, count)).astype(np.int64)
    events["kind"], events["venue"], events["sol_usd"] = PRICE, PUMPSWAP, SOL_USD
    events["supply_raw"], events["creator_fee_bps"] = SUPPLY_RAW, 1
    shares = np.arange(1, tokens + 1) ** -SHARE_EXPONENT
    drawn = rng.choice(tokens, size=count, p=shares / shares.sum())
    # Tokens are numbered in the order of their first event, as in every run.
    _, first, which = np.unique(drawn, return_index=True, return_inverse=True)
    events["token"] = np.argsort(np.argsort(first))[which]
    sizes = np.minimum(rng.lognormal(math.log(SIZE_MEDIAN_SOL), SIZE_SIGMA, count), MAX_SIZE_SOL)
    start = np.column_stack([rng.uniform(40, 400, tokens) * LAMPORTS_PER_SOL, np.full(tokens, SUPPLY_RAW // 5)])
    reserves = start.astype(np.int64)
    _trade(events, start[:, 0], reserves, (sizes * LAMPORTS_PER_SOL).astype(np.int64), rng.random(count))
    return events


@compiled
def _trade(events: Any, start_sol: Any, reserves: Any, sizes: Any, luck: Any) -> None:
    """Execute each trade on its token's pool: a buy or a sell, more often towards the pool's initial price."""
    for i in range(len(events)):
        event = events[i]
        token = event.token
        sol, held = reserves[token, 0], reserves[token, 1]
        pool = Pool(PUMPSWAP, sol, held, sol, held, SUPPLY_RAW, 0, 0, 1)
        fees = fees_of(pool)
        if luck[i] < 0.5 + 0.2 * math.log(start_sol[token] / sol):
            quote, sign, side = quote_buy(pool, sizes[i]), 1, BUY_SIDE
        else:
            quote, sign, side = quote_sell(pool, mul_div(sizes[i], held, sol)), -1, SELL_SIDE
        after = moved(pool, sign * quote.pool_sol_lamports, -sign * quote.token_raw)
        reserves[token, 0], reserves[token, 1] = after.sol_lamports, after.token_raw
        event.side = side
        event.sol_lamports, event.token_raw = quote.sol_lamports, quote.token_raw
        event.pool_sol_lamports = event.real_sol_lamports = after.sol_lamports
        event.pool_token_raw = event.real_token_raw = after.token_raw
        event.lp_fee_bps, event.protocol_fee_bps = fees.lp, fees.protocol
        event.price_usd = (
            after.sol_lamports / after.token_raw * 1e-3 * SOL_USD
        )  # lamports per raw token to SOL per token
        event.volume_usd = quote.sol_lamports * 1e-9 * SOL_USD
        event.liquidity_usd = after.sol_lamports * 1e-9 * SOL_USD


def bare_momentum(columns: tuple[Any, ...], tokens: int, params: Any) -> Any:
    """Count the votes of `momentum_5m` as a handwritten loop: every genome over every trade, without trading.

    Args:
        columns: ts, token, side, price and volume of each trade.
        tokens: number of tokens.
        params: shape (genomes, 3): lookback_s, breakout, vol_mult.

    Returns:
        Numbers of BUY and SELL votes of each genome, shape (genomes, 2).
    """
    ts, token, side, price, volume = columns
    votes = np.zeros((len(params), 2), np.int64)
    # Four numbers per token side by side: mean price, volume, net volume, and the weight of its history.
    _count_votes(ts, token, side, price, volume, np.zeros(tokens, np.int64), np.zeros((tokens, 4)), params, votes)
    return votes


@compiled
def _count_votes(
    ts: Any, token: Any, side: Any, price: Any, volume: Any, last_ts: Any, states: Any, params: Any, votes: Any
) -> None:
    for genome in range(len(params)):
        lookback_s, breakout, vol_mult = params[genome, 0], params[genome, 1], params[genome, 2]
        last_ts[:] = 0
        states[:] = 0.0
        buys = sells = 0
        for i in range(len(ts)):
            t, elapsed = token[i], ts[i] - last_ts[token[i]]
            mean, total, net, seen = states[t, 0], states[t, 1], states[t, 2], states[t, 3]
            last_ts[t] = ts[i]
            if elapsed == ts[i]:  # its first trade
                states[t, 0], states[t, 1] = price[i], volume[i]
                continue
            kept = decay(elapsed, lookback_s)
            kept_2 = kept * kept
            kept_4 = kept_2 * kept_2
            breaking_out = price[i] > mean * (1.0 + breakout)
            mean = kept * mean + (1.0 - kept) * price[i]
            total = kept * total + volume[i]
            net = kept_4 * kept_4 * net + side[i] * volume[i]
            seen = kept * seen + (1.0 - kept)
            states[t, 0], states[t, 1], states[t, 2], states[t, 3] = mean, total, net, seen
            # `&` and `|` avoid branches, which `and` and `or` would need and the processor could mispredict.
            is_buy = breaking_out & (FAST * net * seen > vol_mult * total)
            is_sell = (price[i] < mean) | (FAST * net < -total)
            buys += is_buy
            sells += is_sell & (not is_buy)
        votes[genome, 0] = buys
        votes[genome, 1] = sells
