"""Fills: the outcome of an order on its arrival at the chain; compiled in the engine, plain Python in the desk.

The assumptions are in `docs/market-model.md`. Pools passed in already include the caller's own trades.
"""

import math
from typing import Final, NamedTuple

from memesnipe.compiled import jitable
from memesnipe.engine.landing import landing_draw
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL
from memesnipe.market.pools import BPS, NOTHING, Pool, quote_buy, quote_sell

PERP_FEE_BPS: Final = 5
NS_PER_HOUR: Final = 3.6e12
_MAX_LAMPORTS: Final = 2.0**60  # of a short's gain and cover fee, so that their sums fit 64 bits

# Reasons for orders and for failures: codes in compiled code, words everywhere else.
REASONS: Final = ("signal", "stop_loss", "take_profit", "trailing_stop", "max_hold", "dead", "liquidated")
SIGNAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, MAX_HOLD, DEAD, LIQUIDATED = range(len(REASONS))
SETTLED: Final = (REASONS[DEAD], REASONS[LIQUIDATED])  # closed immediately, without a transaction
FAILURES: Final = ("", "did not land", "the pool gives nothing", "slippage beyond tolerance")
LANDED, NOT_LANDED, GIVES_NOTHING, SLIPPED = range(len(FAILURES))


class FillModel(NamedTuple):
    """Parameters of execution: latency, costs, landing probability, and the silence after which a token is dead."""

    seed: int = 0
    latency_ns: int = 1_500_000_000
    landing_max: float = 0.95  # share of transactions that land at any price
    landing_half_lamports: int = 6_000  # priority fee plus tip at which half of ``landing_max`` lands
    slippage_bps: int = 1_000
    base_fee_lamports: int = 5_000
    priority_fee_lamports: int = 100_000
    tip_lamports: int = 10_000
    dead_after_ns: int = 1_800_000_000_000


class Outcome(NamedTuple):
    """The outcome of an order; amounts are 0 if it failed."""

    failure: int
    token_raw: int
    sol_lamports: int
    fee_lamports: int  # the fee of the pool or of the perp venue
    pool_sol_lamports: int
    network_fee_lamports: int


@jitable
def network_fee_lamports(model: FillModel) -> int:
    """Return the network fees of a landed transaction: base fee, priority fee and tip."""
    return model.base_fee_lamports + model.priority_fee_lamports + model.tip_lamports


@jitable
def landing_ratio(model: FillModel) -> float:
    """Return the share of transactions that land; it grows with the priority fee and the tip."""
    bid = model.priority_fee_lamports + model.tip_lamports
    return model.landing_max * bid / (bid + model.landing_half_lamports) if bid > 0 else 0.0


@jitable
def lands(model: FillModel, key: int, order_no: int) -> bool:
    """Return whether the order lands."""
    return landing_draw(model.seed, key, order_no) < landing_ratio(model)


@jitable
def fill_in_pool(
    side: int, budget_lamports: int, token_raw: int, expected: int, pool: Pool, model: FillModel
) -> Outcome:
    """Execute a landed order in its pool: a buy for at most ``budget_lamports``, or a sale of ``token_raw``."""
    quote = NOTHING
    if side == BUY_SIDE:
        quote = quote_buy(pool, budget_lamports)
        got = quote.token_raw
    else:
        quote = quote_sell(pool, token_raw)
        got = quote.sol_lamports - quote.fee_lamports
    if got <= 0:
        return failed(GIVES_NOTHING, model)
    if is_beyond_tolerance(got, expected, model):
        return failed(SLIPPED, model)
    return Outcome(
        LANDED,
        quote.token_raw,
        quote.sol_lamports,
        quote.fee_lamports,
        quote.pool_sol_lamports,
        network_fee_lamports(model),
    )


@jitable
def failed(failure: int, model: FillModel) -> Outcome:
    """Return the outcome of a failed pool order: it pays the base and the priority fee, but no tip."""
    return Outcome(failure, 0, 0, 0, 0, model.base_fee_lamports + model.priority_fee_lamports)


@jitable
def is_beyond_tolerance(got: int, expected: int, model: FillModel) -> bool:
    """Return whether a fill is worse than its quote by more than ``slippage_bps``."""
    # got * BPS < expected * kept, in digits of BPS because the products need more than 63 bits.
    kept = BPS - model.slippage_bps
    return got < expected // BPS * kept + (expected % BPS * kept + BPS - 1) // BPS


@jitable
def perp_fee_lamports(notional_lamports: int) -> int:
    """Return the perp venue's fee on a notional, rounded up."""
    return -(-notional_lamports * PERP_FEE_BPS // BPS)


@jitable
def open_short(budget_lamports: int, expected: int, mark_usd: float, model: FillModel) -> Outcome:
    """Execute an order to open a short at the mark; a failure costs nothing."""
    mark = int(mark_usd * 1e6)
    if mark <= 0:
        return Outcome(GIVES_NOTHING, 0, 0, 0, 0, 0)
    if is_beyond_tolerance(mark, expected, model):
        return Outcome(SLIPPED, 0, 0, 0, 0, 0)
    notional = budget_lamports * BPS // (BPS + PERP_FEE_BPS)
    return Outcome(LANDED, 0, notional, perp_fee_lamports(notional), 0, 0)


@jitable
def short_value_lamports(
    margin_lamports: int, notional_usd: float, entry_mark: float, funding_usd: float, mark: float, sol_usd: float
) -> int:
    """Return the value of a short before the fee of covering it, at least 0."""
    if sol_usd <= 0.0 or entry_mark <= 0.0:
        return margin_lamports
    gain_usd = notional_usd * (1 - mark / entry_mark) + funding_usd
    gain_lamports = gain_usd / sol_usd * LAMPORTS_PER_SOL
    return max(margin_lamports + math.floor(min(max(gain_lamports, -_MAX_LAMPORTS), _MAX_LAMPORTS)), 0)


@jitable
def cover_short(value_lamports: int, margin_lamports: int, entry_mark: float, mark: float) -> Outcome:
    """Return the outcome of covering a short at the mark."""
    fee = min(value_lamports, perp_fee_lamports(int(min(margin_lamports * (mark / entry_mark), _MAX_LAMPORTS))))
    return Outcome(LANDED, 0, value_lamports, fee, 0, 0)


@jitable
def funding_usd(notional_usd: float, rate: float, elapsed_ns: int) -> float:
    """Return the funding in USD that longs paid to a short; ``rate`` is a ratio per hour."""
    return notional_usd * rate * (elapsed_ns / NS_PER_HOUR)
