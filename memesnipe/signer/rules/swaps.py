"""Swaps: out of and into the wallet's own accounts, between SOL and one token."""

from collections.abc import Callable
from functools import partial
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.signer.policy import Policy, Venue
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import Context, Effects, Swap, refuse_instruction
from memesnipe.signer.rules.trades import Trade, read_jupiter, read_pump, read_pumpswap
from memesnipe.solana.addresses import JUPITER, PUMP, PUMP_AMM, TOKEN, TOKEN_PROGRAMS, WRAPPED_SOL, token_address
from memesnipe.solana.instructions import jupiter, pumpfun, pumpswap
from memesnipe.solana.instructions.layout import DISCRIMINATOR_BYTES, DecodeError

Rule = Callable[[Instruction, Effects, Context], None]
Reader = Callable[[bytes, list[AccountMeta]], Trade]

_KNOWN: Final = {
    venue: frozenset(one.discriminator for one in formats)
    for venue, formats in (("pump", pumpfun.FORMATS), ("pumpswap", pumpswap.FORMATS), ("jupiter", jupiter.FORMATS))
}


def rules(policy: Policy) -> dict[Pubkey, Rule]:
    """Return the rules of the venues that the policy allows."""
    found: dict[Venue, tuple[Pubkey, Reader]] = {
        "pump": (PUMP, read_pump),
        "pumpswap": (PUMP_AMM, read_pumpswap),
        "jupiter": (JUPITER, partial(read_jupiter, limits=policy.jupiter)),
    }
    return {found[venue][0]: partial(check, venue, found[venue][1]) for venue in policy.venues}


def check(venue: Venue, read: Reader, instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add a swap.

    Raises:
        RefusedError: it is another instruction, or not between the wallet's own accounts.
    """
    data = bytes(instruction.data)
    if data[:DISCRIMINATOR_BYTES] not in _KNOWN[venue]:
        raise refuse_instruction(venue, f"the instruction {data[:DISCRIMINATOR_BYTES].hex()}")
    try:
        trade = read(data, list(instruction.accounts))
    except DecodeError as error:
        raise RefusedError(Reason.SWAP, f"{venue}: {error}") from None
    _check_accounts(venue, trade, context)
    effects.swaps.append(Swap(trade.side, trade.mint, trade.token_account, trade.max_in, trade.min_out))


def _check_accounts(venue: Venue, trade: Trade, context: Context) -> None:
    wallet = context.wallet
    if trade.user != wallet:
        raise RefusedError(Reason.ACCOUNT, f"{venue}: the user is not the wallet")
    if trade.sol_mint != WRAPPED_SOL or trade.mint == WRAPPED_SOL:
        raise RefusedError(Reason.SWAP, f"{venue}: {trade.mint} against {trade.sol_mint}; only SOL is allowed")
    if trade.token_program not in TOKEN_PROGRAMS or trade.sol_program != TOKEN:
        raise RefusedError(Reason.ACCOUNT, f"{venue}: a token program is another one")
    if trade.token_account != token_address(wallet, trade.mint, trade.token_program):
        raise RefusedError(Reason.DESTINATION, f"{venue}: the token account is not the wallet's")
    if trade.sol_account != context.wrapped_sol_account:
        raise RefusedError(Reason.DESTINATION, f"{venue}: the account of wrapped SOL is not the wallet's")
