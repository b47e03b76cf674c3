"""The emulated program of Jupiter: ``route_v2`` with one step, a trade on a curve or in a PumpSwap pool.

SOL is wrapped on both sides. A plan names no pool: the accounts after those of the route begin with the exchange's
program, then those of its own instruction, as on mainnet. The number of the exchange in the plan is one of the local
chain (`STEP`).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.pumpfun import Outcome, PumpFun
from memesnipe.localnet.programs.pumpswap import PumpSwap
from memesnipe.localnet.programs.state import INSTRUCTION_FALLBACK_NOT_FOUND, anchor_error, create, pay
from memesnipe.solana.addresses import JUPITER, PUMP, PUMP_AMM, TOKEN, WRAPPED_SOL, pda
from memesnipe.solana.instructions import pumpfun, pumpswap
from memesnipe.solana.instructions.jupiter import RouteV2, decode, min_out
from memesnipe.solana.instructions.layout import AccountLayout, DecodeError
from memesnipe.solana.instructions.spl import close_account, sync_native, transfer_checked

STEP: Final = struct.Struct("<IBHBB")  # number of steps, exchange, share in basis points, two indices
SLIPPAGE: Final = 6001
NOT_ENOUGH_ACCOUNTS: Final = 6008
NOT_SUPPORTED: Final = 6016
_TOKEN_BYTES: Final = 165
_SOL_DECIMALS: Final = 9
_INITIALIZE_ACCOUNT_3: Final = 18

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class _Step:
    """The swap of a route: what it needs before, causes and needs after it."""

    before: list[Instruction]
    outcome: Outcome
    after: list[Instruction]


class Jupiter:
    """Jupiter: swaps through the other emulated programs."""

    program_id = JUPITER

    def __init__(self) -> None:
        self._curves, self._pools = PumpFun(), PumpSwap()

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        """Return what an instruction causes (`EmulatedProgram`)."""
        try:
            route = decode(data, list(accounts))
        except DecodeError as error:
            lines = anchor_error("InstructionFallbackNotFound", INSTRUCTION_FALLBACK_NOT_FOUND, str(error))
            raise ProgramError(INSTRUCTION_FALLBACK_NOT_FOUND, lines) from None
        if not isinstance(route, RouteV2):
            raise _error(NOT_SUPPORTED, "SwapNotSupported", "Swap not supported")
        if not route.remaining_accounts:
            raise _error(NOT_ENOUGH_ACCOUNTS, "NotEnoughAccountKeys", "Not Enough Account keys")
        program = route.remaining_accounts[0].pubkey
        step = self._curve_step(route, state) if program == PUMP else self._pool_step(route, state)
        if step.outcome.out < min_out(route):
            raise _error(SLIPPAGE, "SlippageToleranceExceeded", "Slippage tolerance exceeded")
        inner = step.outcome.expansion
        lines = ["Program log: Instruction: RouteV2", f"Program {program} invoke [2]", *inner.log_lines]
        lines.append(f"Program {program} success")
        return Expansion([*step.before, *inner.instructions, *step.after], lines, inner.commit)

    def _pool_step(self, route: RouteV2, state: MarketAccounts) -> _Step:
        if route.remaining_accounts[0].pubkey != PUMP_AMM:
            raise _error(NOT_SUPPORTED, "SwapNotSupported", "Swap not supported")
        is_buy = route.accounts.source_mint == WRAPPED_SOL
        one: type[pumpswap.PoolBuyExactQuoteIn | pumpswap.PoolSell]
        one = pumpswap.PoolBuyExactQuoteIn if is_buy else pumpswap.PoolSell
        accounts = _accounts(route, pumpswap.ACCOUNTS)
        return _Step([], self._pools.trade(one(accounts, route.in_amount, 0), state), [])

    def _curve_step(self, route: RouteV2, state: MarketAccounts) -> _Step:
        user = route.accounts.user_transfer_authority
        accounts = _accounts(route, pumpfun.V3_ACCOUNTS)
        if route.accounts.source_mint == WRAPPED_SOL:
            bought = self._curves.trade(pumpfun.BuyExactQuoteInV3(accounts, route.in_amount, 0), state)
            return _Step(_unwrap(route, user), bought, [])
        sold = self._curves.trade(pumpfun.SellV3(accounts, route.in_amount, 0), state)
        target = route.accounts.user_destination_token_account
        return _Step([], sold, [pay(user, target, sold.out), sync_native(target, TOKEN)])


def _accounts(route: RouteV2, layout: AccountLayout[A]) -> A:
    """Return the accounts of the exchange's instruction."""
    try:
        return layout.decode(route.remaining_accounts[1:], route.remaining_accounts[0].pubkey)
    except DecodeError:
        raise _error(NOT_ENOUGH_ACCOUNTS, "NotEnoughAccountKeys", "Not Enough Account keys") from None


def _unwrap(route: RouteV2, user: Pubkey) -> list[Instruction]:
    """Return what turns the input, which is wrapped, into lamports of the wallet."""
    bridge = pda(JUPITER, b"local-unwrap", user)
    initialize = bytes([_INITIALIZE_ACCOUNT_3]) + bytes(bridge)
    written = AccountMeta(bridge, is_signer=False, is_writable=True)
    return [
        create(user, bridge, _TOKEN_BYTES, TOKEN),
        Instruction(TOKEN, initialize, [written, AccountMeta(WRAPPED_SOL, is_signer=False, is_writable=False)]),
        transfer_checked(
            route.accounts.user_source_token_account, WRAPPED_SOL, bridge, user, route.in_amount, _SOL_DECIMALS, TOKEN
        ),
        close_account(bridge, user, bridge, TOKEN),
    ]


def _error(code: int, name: str, text: str) -> ProgramError:
    return ProgramError(code, ["Program log: Instruction: RouteV2", *anchor_error(name, code, text)])
