"""Quotes of swaps by the emulated programs themselves, and the instructions that execute them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.foreseen import ForeseenAccounts
from memesnipe.localnet.market import BUYBACK_WALLET
from memesnipe.localnet.programs import ProgramError
from memesnipe.localnet.programs.jupiter import STEP
from memesnipe.localnet.programs.pumpfun import PumpFun
from memesnipe.localnet.programs.pumpswap import PumpSwap
from memesnipe.localnet.programs.state import pay
from memesnipe.solana.addresses import (
    JUPITER,
    JUPITER_EVENT_AUTHORITY,
    PUMP,
    PUMP_AMM,
    TOKEN,
    TOKEN_2022,
    WRAPPED_SOL,
    token_address,
)
from memesnipe.solana.instructions import jupiter, pumpfun, pumpswap
from memesnipe.solana.instructions.spl import close_account, create_token_account, sync_native

_NOBODY: Final = Pubkey.default()


class NoRouteError(Exception):
    """No pool swaps one of the mints for the other in this amount."""


@dataclass(frozen=True, slots=True)
class SwapQuote:
    """What a swap would pay out now; amounts are raw."""

    input_mint: Pubkey
    output_mint: Pubkey
    in_amount: int
    out_amount: int
    exchange: Pubkey  # the program that swaps
    pool: Pubkey
    label: str

    def min_out(self, slippage_bps: int) -> int:
        """Return the least output within a tolerance, as the program computes it."""
        return -(-self.out_amount * (jupiter.BPS - slippage_bps) // jupiter.BPS)


@dataclass(frozen=True, slots=True)
class SwapInstructions:
    """The instructions of a swap by one wallet."""

    setup: list[Instruction]
    swap: Instruction
    cleanup: Instruction


def quote(chain: Chain, input_mint: Pubkey, output_mint: Pubkey, amount: int) -> SwapQuote:
    """Return a quote at the state of the newest block.

    Raises:
        NoRouteError: none is possible.
    """
    if (input_mint == WRAPPED_SOL) == (output_mint == WRAPPED_SOL) or amount <= 0:
        raise NoRouteError
    is_buy = input_mint == WRAPPED_SOL
    mint = output_mint if is_buy else input_mint
    pool = pumpswap.canonical_pool(mint)
    state = ForeseenAccounts(chain)
    try:
        if chain.account(pool) is not None:
            in_pool = pumpswap.pool_trade_accounts(pool, mint, TOKEN_2022, _NOBODY, BUYBACK_WALLET)
            one = pumpswap.PoolBuyExactQuoteIn if is_buy else pumpswap.PoolSell
            out = PumpSwap().trade(one(in_pool, amount, 0), state).out
            return SwapQuote(input_mint, output_mint, amount, out, PUMP_AMM, pool, "Pump.fun Amm")
        on_curve = pumpfun.trade_v3_accounts(mint, TOKEN_2022, _NOBODY, BUYBACK_WALLET)
        trade = pumpfun.BuyExactQuoteInV3 if is_buy else pumpfun.SellV3
        out = PumpFun().trade(trade(on_curve, amount, 0), state).out
        return SwapQuote(input_mint, output_mint, amount, out, PUMP, on_curve.bonding_curve, "Pump.fun")
    except ProgramError:
        raise NoRouteError from None


def instructions(found: SwapQuote, user: Pubkey, slippage_bps: int) -> SwapInstructions:
    """Return the instructions of a swap: SOL is wrapped before it and unwrapped after it."""
    programs = {WRAPPED_SOL: TOKEN}
    source_program = programs.get(found.input_mint, TOKEN_2022)
    target_program = programs.get(found.output_mint, TOKEN_2022)
    source = token_address(user, found.input_mint, source_program)
    target = token_address(user, found.output_mint, target_program)
    wrapped = token_address(user, WRAPPED_SOL, TOKEN)
    setup = [
        create_token_account(user, user, WRAPPED_SOL, TOKEN),
        create_token_account(user, user, found.output_mint, target_program),
    ]
    if found.input_mint == WRAPPED_SOL:
        setup += [pay(user, wrapped, found.in_amount), sync_native(wrapped, TOKEN)]
    accounts = jupiter.RouteAccounts(
        user,
        source,
        target,
        found.input_mint,
        found.output_mint,
        source_program,
        target_program,
        None,
        JUPITER_EVENT_AUTHORITY,
        JUPITER,
    )
    plan = STEP.pack(1, 0, jupiter.BPS, 0, 1)
    exchange = AccountMeta(found.exchange, is_signer=False, is_writable=False)
    remaining = (exchange, *_exchange_accounts(found, user))
    route = jupiter.RouteV2(accounts, found.in_amount, found.out_amount, slippage_bps, 0, 0, plan, remaining)
    return SwapInstructions(setup, jupiter.encode(route), close_account(wrapped, user, user, TOKEN))


def _exchange_accounts(found: SwapQuote, user: Pubkey) -> list[AccountMeta]:
    mint = found.output_mint if found.input_mint == WRAPPED_SOL else found.input_mint
    if found.exchange == PUMP:
        on_curve = pumpfun.trade_v3_accounts(mint, TOKEN_2022, user, BUYBACK_WALLET)
        return pumpfun.V3_ACCOUNTS.encode(on_curve, PUMP)
    in_pool = pumpswap.pool_trade_accounts(found.pool, mint, TOKEN_2022, user, BUYBACK_WALLET)
    return pumpswap.ACCOUNTS.encode(in_pool, PUMP_AMM)


def route_plan(found: SwapQuote) -> list[Mapping[str, Any]]:
    """Return the plan of a quote as Jupiter's replies have it."""
    info = {
        "ammKey": str(found.pool),
        "label": found.label,
        "inputMint": str(found.input_mint),
        "outputMint": str(found.output_mint),
        "inAmount": str(found.in_amount),
        "outAmount": str(found.out_amount),
    }
    return [{"swapInfo": info, "percent": 100, "bps": jupiter.BPS}]
