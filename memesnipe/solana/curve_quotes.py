"""What a trade on a curve costs or pays, with the part of the last buy that goes on into the future pool.

The maths of a curve are those of `memesnipe.market.pools`. Source of the last buy: ``docs/SYNTHETIC_MIGRATION.md`` of
``pump-fun/pump-public-docs``. Inferred: each part's fees are rounded up by themselves, and the budget of the second
part is what the first has left.
"""

from dataclasses import dataclass
from typing import Final

from memesnipe.market.events import PUMP_CURVE
from memesnipe.market.pools import (
    BPS,
    MIGRATION_FEE_LAMPORTS,
    Fees,
    Pool,
    quote_buy,
    quote_buy_tokens,
    quote_sell,
    share_fee,
)
from memesnipe.market.pump import PUMP_FEES_BPS
from memesnipe.market.wide import mul_div, mul_div_up
from memesnipe.solana.pump_accounts import BondingCurve

CURVE_FEES: Final = Fees(0, *PUMP_FEES_BPS)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a trade: raw tokens, lamports before fees, and the fees in lamports."""

    token_raw: int
    sol_lamports: int

    @property
    def protocol_fee(self) -> int:
        """Return the protocol's fee in lamports."""
        return mul_div_up(self.sol_lamports, CURVE_FEES.protocol, BPS)

    @property
    def creator_fee(self) -> int:
        """Return the creator's fee in lamports."""
        return mul_div_up(self.sol_lamports, CURVE_FEES.creator, BPS)

    @property
    def fee(self) -> int:
        """Return both fees in lamports."""
        return self.protocol_fee + self.creator_fee


@dataclass(frozen=True, slots=True)
class FuturePool:
    """The reserves with which the pool of a curve would open."""

    token_raw: int
    sol_lamports: int


@dataclass(frozen=True, slots=True)
class Buy:
    """A buy on a curve; ``rest`` is bought from the future pool ``opening``."""

    curve: Part
    rest: Part | None = None
    opening: FuturePool | None = None

    @property
    def token_raw(self) -> int:
        """Return all raw tokens bought."""
        return self.curve.token_raw + (self.rest.token_raw if self.rest else 0)

    @property
    def total_lamports(self) -> int:
        """Return what the buyer pays, with fees."""
        return sum(part.sol_lamports + part.fee for part in (self.curve, self.rest) if part)


def pool_of(curve: BondingCurve) -> Pool:
    """Return a curve as the market's maths take it."""
    return Pool(
        PUMP_CURVE,
        curve.virtual_quote_reserves,
        curve.virtual_token_reserves,
        curve.real_quote_reserves,
        curve.real_token_reserves,
        curve.token_total_supply,
        *CURVE_FEES,
    )


def buy_tokens(curve: BondingCurve, held_raw: int, token_raw: int) -> Buy | None:
    """Return the buy of exactly ``token_raw`` tokens; None if neither curve nor future pool has them.

    Args:
        curve: before the buy.
        held_raw: raw tokens in the curve's token account.
        token_raw: of the buy.
    """
    part = _curve_part(curve, min(token_raw, curve.real_token_reserves))
    if part is None or part.token_raw == token_raw:
        return Buy(part) if part else None
    opening = _opening(curve, held_raw, part)
    out = token_raw - part.token_raw
    if opening is None or out >= opening.token_raw:
        return None
    cost = mul_div_up(opening.sol_lamports, out, opening.token_raw - out)
    return Buy(part, Part(out, cost), opening)


def buy_for(curve: BondingCurve, held_raw: int, budget_lamports: int) -> Buy | None:
    """Return the largest buy for a budget with fees; None if it buys nothing. Arguments as in `buy_tokens`."""
    quote = quote_buy(pool_of(curve), budget_lamports)
    if quote.token_raw <= 0:
        return None
    part = Part(quote.token_raw, quote.sol_lamports)
    opening = _opening(curve, held_raw, part)
    left = budget_lamports - part.sol_lamports - part.fee
    if part.token_raw < curve.real_token_reserves or opening is None:
        return Buy(part)
    net = mul_div(left, BPS, BPS + sum(CURVE_FEES))
    net -= max(net + share_fee(net, CURVE_FEES) - left, 0)
    if net <= 1:
        return Buy(part)
    out = mul_div(net - 1, opening.token_raw, opening.sol_lamports + net - 1)
    return Buy(part, Part(out, net), opening) if out > 0 else Buy(part)


def sell_tokens(curve: BondingCurve, token_raw: int) -> Part | None:
    """Return a sale; None if it pays nothing."""
    quote = quote_sell(pool_of(curve), token_raw)
    return Part(quote.token_raw, quote.sol_lamports) if quote.token_raw > 0 else None


def _curve_part(curve: BondingCurve, token_raw: int) -> Part | None:
    quote = quote_buy_tokens(pool_of(curve), token_raw)
    return Part(quote.token_raw, quote.sol_lamports) if quote.token_raw > 0 else None


def _opening(curve: BondingCurve, held_raw: int, part: Part) -> FuturePool | None:
    """Return the pool with which a curve would open after the part that completes it; None for mayhem coins."""
    if curve.is_mayhem_mode:
        return None
    sol_lamports = curve.real_quote_reserves + part.sol_lamports - MIGRATION_FEE_LAMPORTS
    return FuturePool(held_raw - part.token_raw, sol_lamports) if sol_lamports > 0 else None
