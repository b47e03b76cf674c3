"""The pools of the reference engine: the quotes of `docs/market-model.md` in plain integers."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from memesnipe.market.events import LAMPORTS_PER_SOL, PUMP_CURVE, PUMPSWAP, Event

# Smallest market cap in SOL, then the fees of pool, protocol and creator in basis points.
TIERS: Final = (
    (0, 2, 93, 30), (420, 20, 5, 95), (1470, 20, 5, 90), (2460, 20, 5, 85), (3440, 20, 5, 80),
    (4420, 20, 5, 75), (9820, 20, 5, 70), (14740, 20, 5, 65), (19650, 20, 5, 60), (24560, 20, 5, 55),
    (29470, 20, 5, 50), (34380, 20, 5, 45), (39300, 20, 5, 40), (44210, 20, 5, 35), (49120, 20, 5, 30),
    (54030, 20, 5, 28), (58940, 20, 5, 25), (63860, 20, 5, 23), (68770, 20, 5, 20), (73681, 20, 5, 18),
    (78590, 20, 5, 15), (83500, 20, 5, 13), (88400, 20, 5, 10), (93330, 20, 5, 8), (98240, 20, 5, 5),
)  # fmt: skip


class Fees(NamedTuple):
    """The three parts of a fee, in basis points."""

    lp: int
    protocol: int
    creator: int


class Quote(NamedTuple):
    """A trade: raw tokens, lamports against them, the fee, and the part of the fee kept by the pool."""

    tokens: int
    sol: int
    fee: int
    kept: int

    @property
    def paid(self) -> int:
        """The buyer's payment."""
        return self.sol + self.fee

    @property
    def received(self) -> int:
        """The seller's proceeds."""
        return self.sol - self.fee


NOTHING: Final = Quote(0, 0, 0, 0)


@dataclass(frozen=True)
class Pool:
    """A pool after an event, or shifted by our own trades."""

    venue: int
    sol: int
    tokens: int
    real_sol: int
    real_tokens: int
    event_fees: Fees
    supply: int
    complete: bool


def pool_of(event: Event) -> Pool:
    """Return the pool of a price event."""
    return Pool(
        venue=event.venue,
        sol=event.pool_sol_lamports,
        tokens=event.pool_token_raw,
        real_sol=event.real_sol_lamports,
        real_tokens=event.real_token_raw,
        event_fees=Fees(event.lp_fee_bps, event.protocol_fee_bps, event.creator_fee_bps),
        supply=event.supply_raw,
        complete=event.venue == PUMP_CURVE and event.real_token_raw <= 0,
    )


def shifted(pool: Pool, sol_in: int, tokens_out: int) -> Pool:
    """Return the pool with the SOL we paid in and without the tokens we took out."""
    real_tokens = pool.real_tokens - tokens_out
    if pool.venue == PUMP_CURVE and not pool.complete:
        real_tokens = max(real_tokens, 1)
    return replace(
        pool,
        sol=pool.sol + sol_in,
        tokens=pool.tokens - tokens_out,
        real_sol=pool.real_sol + sol_in,
        real_tokens=real_tokens,
    )


def ceil_div(a: int, b: int) -> int:
    """Return the quotient, rounded up."""
    return -(-a // b)


def share_fee(amount: int, fees: Fees) -> int:
    """Return the sum of the parts of a fee, each rounded up."""
    return sum(ceil_div(amount * bps, 10_000) for bps in fees)


def fees_of(pool: Pool) -> Fees:
    """Return the current fees of the pool."""
    if pool.venue != PUMPSWAP or pool.supply <= 0:
        return pool.event_fees
    market_cap = pool.sol * pool.supply // pool.tokens
    tier = [Fees(*shares) for market_cap_sol, *shares in TIERS if market_cap_sol * LAMPORTS_PER_SOL <= market_cap][-1]
    return tier if pool.event_fees.creator > 0 else tier._replace(creator=0)


def buy_exactly(pool: Pool, tokens: int) -> Quote:
    """Return the quote for an exact number of tokens."""
    if tokens <= 0 or pool.complete:
        return NOTHING
    if pool.venue == PUMP_CURVE:
        sol = tokens * pool.sol // (pool.tokens - tokens) + 1
        return Quote(tokens, sol, share_fee(sol, fees_of(pool)), 0)
    sol = ceil_div(tokens * pool.sol, pool.tokens - tokens)
    fees = fees_of(pool)
    if pool.venue == PUMPSWAP:
        return Quote(tokens, sol, share_fee(sol, fees), ceil_div(sol * fees.lp, 10_000))
    fee = 0
    while fee != ceil_div((sol + fee) * fees.lp, 10_000):  # rises from 0 to the smallest such fee
        fee = ceil_div((sol + fee) * fees.lp, 10_000)
    return Quote(tokens, sol, fee, fee)


def spend(pool: Pool, budget: int) -> Quote:
    """Return the quote for at most a budget, fees included."""
    if budget <= 0 or pool.complete:
        return NOTHING
    if pool.venue in (PUMP_CURVE, PUMPSWAP):
        return _spend_after_share_fee(pool, budget)
    fee = ceil_div(budget * fees_of(pool).lp, 10_000)
    sol = budget - fee
    tokens = sol * pool.tokens // (pool.sol + sol)
    if tokens > pool.real_tokens:
        return buy_exactly(pool, pool.real_tokens)
    return Quote(tokens, sol, fee, fee) if tokens > 0 else NOTHING


def _spend_after_share_fee(pool: Pool, budget: int) -> Quote:
    fees = fees_of(pool)
    net = budget * 10_000 // (10_000 + sum(fees))
    net -= max(net + share_fee(net, fees) - budget, 0)
    if net <= 0:
        return NOTHING
    if pool.venue == PUMP_CURVE:
        return buy_exactly(pool, min((net * pool.tokens - 1) // (pool.sol + net), pool.real_tokens))
    tokens = (net - 1) * pool.tokens // (pool.sol + net - 1)
    if tokens > pool.real_tokens:
        return buy_exactly(pool, pool.real_tokens)
    return Quote(tokens, net, share_fee(net, fees), ceil_div(net * fees.lp, 10_000)) if tokens > 0 else NOTHING


def sell(pool: Pool, tokens: int) -> Quote:
    """Return the quote for selling exactly so many tokens."""
    return NOTHING if pool.complete else value_quote(pool, tokens)


def value_quote(pool: Pool, tokens: int) -> Quote:
    """Return the quote for selling tokens, even on a complete curve."""
    if pool.tokens <= 0:
        return Quote(tokens, 0, 0, 0)
    moved = tokens * pool.sol // (pool.tokens + tokens)
    sol = min(moved, pool.real_sol)
    fees = fees_of(pool)
    if pool.venue == PUMP_CURVE:
        return Quote(tokens, sol, min(share_fee(sol, fees), sol), 0)
    if pool.venue == PUMPSWAP:
        return Quote(tokens, sol, min(share_fee(sol, fees), sol), ceil_div(sol * fees.lp, 10_000))
    less = tokens - ceil_div(tokens * fees.lp, 10_000)
    fee = min(moved - less * pool.sol // (pool.tokens + less), sol)
    return Quote(tokens, sol, fee, fee)
