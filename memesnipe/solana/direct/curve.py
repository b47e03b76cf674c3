"""Swaps on pump.fun's curve: v3 instructions, and v2 for cashback coins, which v3 refuses."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.market.pools import MIGRATION_FEE_LAMPORTS
from memesnipe.market.pump import PUMP_FEES_BPS
from memesnipe.solana.addresses import WRAPPED_SOL
from memesnipe.solana.curve_quotes import buy_for, sell_tokens
from memesnipe.solana.direct.accounts import CoinAccounts
from memesnipe.solana.instructions import pumpfun
from memesnipe.solana.instructions.pumpfun_accounts import TradeV2Accounts, TradeV3Accounts
from memesnipe.solana.pump_accounts import NO_KEY, BondingCurve
from memesnipe.solana.swap_plan import NoRouteError, Swap

NAME = "pump.fun"


def check_curve(curve: BondingCurve, coin: CoinAccounts) -> None:
    """Check that the maths of the curve are known.

    Raises:
        NoRouteError: they are not.
    """
    known = coin.pump_global
    if curve.quote_mint not in (NO_KEY, WRAPPED_SOL):
        raise NoRouteError(f"{NAME}: the coin is quoted in {curve.quote_mint}, not in SOL")
    if curve.is_mayhem_mode:
        raise NoRouteError(f"{NAME}: the constants of a mayhem coin are not known")
    if curve.is_holder_reward or curve.creator_fee_bps not in (0, PUMP_FEES_BPS[1]):
        raise NoRouteError(f"{NAME}: the coin has fees of its own")
    if (known.protocol_fee_bps, known.creator_fee_bps) != PUMP_FEES_BPS:
        raise NoRouteError(f"{NAME}: charges {known.protocol_fee_bps} and {known.creator_fee_bps} bps, not as known")
    if known.migration_fee_lamports != MIGRATION_FEE_LAMPORTS:
        raise NoRouteError(f"{NAME}: charges {known.migration_fee_lamports} lamports for a migration, not as known")


def expected_out(swap: Swap, curve: BondingCurve, coin: CoinAccounts) -> int:
    """Return what a swap brings now: raw tokens or lamports, after fees.

    Raises:
        NoRouteError: it brings nothing, or cannot be made on this curve.
    """
    if swap.side == "sell":
        part = sell_tokens(curve, swap.amount_in)
        if part is None or part.sol_lamports <= part.fee:
            raise NoRouteError(f"{NAME}: the sale pays nothing")
        return part.sol_lamports - part.fee
    found = buy_for(curve, coin.curve_tokens, swap.amount_in)
    if found is None:
        raise NoRouteError(f"{NAME}: the buy brings nothing")
    if found.rest is not None and curve.is_cashback_coin:
        raise NoRouteError(f"{NAME}: a cashback coin's curve has fewer tokens than the buy takes")
    return found.token_raw


def curve_instruction(swap: Swap, curve: BondingCurve, coin: CoinAccounts, wallet: Pubkey, min_out: int) -> Instruction:
    """Return the instruction of a swap."""
    is_buy = swap.side == "buy"
    if curve.is_cashback_coin:
        v2 = _v2(curve, coin, wallet)
        one = pumpfun.BuyExactQuoteInV2 if is_buy else pumpfun.SellV2
        return pumpfun.encode(one(v2, swap.amount_in, min_out))
    v3 = _v3(coin, wallet)
    kind = pumpfun.BuyExactQuoteInV3 if is_buy else pumpfun.SellV3
    return pumpfun.encode(kind(v3, swap.amount_in, min_out))


def _v3(coin: CoinAccounts, wallet: Pubkey) -> TradeV3Accounts:
    return pumpfun.trade_v3_accounts(coin.mint, coin.token_program, wallet, coin.pump_global.buyback_recipient)


def _v2(curve: BondingCurve, coin: CoinAccounts, wallet: Pubkey) -> TradeV2Accounts:
    known = coin.pump_global
    return pumpfun.trade_v2_accounts(
        coin.mint, coin.token_program, wallet, curve.creator, known.fee_recipient, known.buyback_recipient
    )
