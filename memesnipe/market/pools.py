"""Exact integer arithmetic of pools: what a trade costs, pays and leaves behind, rounded as the chain does.

The pump.fun curve was checked on 2,501 recorded trades (`tests/market/test_recorded_trades.py`). PumpSwap and
other constant-product pools round their cost up instead; the finer rules of PumpSwap's fee tiers are not here yet.
Amounts are lamports and raw tokens; a fee is a list of shares in basis points, each rounded up on its own.
"""

from dataclasses import dataclass

from memesnipe.market.events import PUMP_CURVE, Event

BPS = 10_000


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as it stands: pricing reserves, what can really be taken out, and its fees."""

    venue: int
    sol_lamports: int
    token_raw: int
    real_sol_lamports: int
    real_token_raw: int
    fees_bps: tuple[int, ...]

    def moved(self, sol_lamports: int, token_raw: int) -> "Pool":
        """The pool after so much SOL and so many tokens went in (negative: came out)."""
        return Pool(
            self.venue,
            self.sol_lamports + sol_lamports,
            self.token_raw + token_raw,
            self.real_sol_lamports + sol_lamports,
            self.real_token_raw + token_raw,
            self.fees_bps,
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """One priced trade: tokens, the SOL that moves the pool, and the fees beside it."""

    token_raw: int
    sol_lamports: int
    fee_lamports: int


def pool_after(event: Event) -> Pool:
    """The pool that a price event leaves behind."""
    return Pool(
        event.venue,
        event.pool_sol_lamports,
        event.pool_token_raw,
        event.real_sol_lamports,
        event.real_token_raw,
        (event.protocol_fee_bps, event.creator_fee_bps),
    )


def fee_lamports(sol_lamports: int, fees_bps: tuple[int, ...]) -> int:
    """All fees on an amount, each share rounded up on its own."""
    return sum(-(-sol_lamports * bps // BPS) for bps in fees_bps)


def quote_buy_tokens(pool: Pool, token_raw: int) -> Quote:
    """What exactly ``token_raw`` tokens cost. The pool must hold them."""
    product = token_raw * pool.sol_lamports
    left = pool.token_raw - token_raw
    cost = product // left + 1 if pool.venue == PUMP_CURVE else -(-product // left)
    return Quote(token_raw, cost, fee_lamports(cost, pool.fees_bps))


def quote_buy(pool: Pool, budget_lamports: int) -> Quote:
    """The most tokens that a budget buys, fees included; a quote of 0 tokens when it buys none."""
    net = budget_lamports * BPS // (BPS + sum(pool.fees_bps))
    while net > 0 and net + fee_lamports(net, pool.fees_bps) > budget_lamports:
        net -= 1
    if net <= 0 or pool.sol_lamports <= 0 or pool.token_raw <= 1:
        return Quote(0, 0, 0)
    # The curve charges floor(t*s / (T-t)) + 1 <= net, other pools ceil(t*s / (T-t)) <= net: solve for t.
    if pool.venue == PUMP_CURVE:
        token_raw = (net * pool.token_raw - 1) // (pool.sol_lamports + net)
    else:
        token_raw = net * pool.token_raw // (pool.sol_lamports + net)
    token_raw = min(token_raw, pool.real_token_raw)
    return quote_buy_tokens(pool, token_raw) if token_raw > 0 else Quote(0, 0, 0)


def quote_sell(pool: Pool, token_raw: int) -> Quote:
    """What selling ``token_raw`` tokens pays before fees, bounded by the SOL that is really there."""
    if token_raw <= 0 or pool.sol_lamports <= 0:
        return Quote(0, 0, 0)
    gross = min(token_raw * pool.sol_lamports // (pool.token_raw + token_raw), max(pool.real_sol_lamports, 0))
    return Quote(token_raw, gross, min(fee_lamports(gross, pool.fees_bps), gross))
