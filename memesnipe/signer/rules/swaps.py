"""Swaps: out of and into the wallet's own accounts, between SOL and one token."""

from collections.abc import Callable
from functools import partial
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.signer.policy import Policy, Venue
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import Context, Effects, Swap, account_keys, refuse_instruction
from memesnipe.signer.rules.trades import Trade, read_jupiter, read_pump, read_pumpswap
from memesnipe.solana.addresses import JUPITER, PUMP, PUMP_AMM, TOKEN, TOKEN_PROGRAMS, WRAPPED_SOL, token_address
from memesnipe.solana.instructions import jupiter, pumpfun, pumpswap
from memesnipe.solana.instructions.layout import DISCRIMINATOR_BYTES, DecodeError
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import (
    INIT_ACCUMULATOR,
    cashback_address,
    create_accumulator,
)

Rule = Callable[[Instruction, Effects, Context], None]
Reader = Callable[[bytes, list[AccountMeta]], Trade]

_KNOWN: Final = {
    venue: frozenset(one.discriminator for one in formats)
    for venue, formats in (
        ("pump", pumpfun.FORMATS),
        ("pumpswap", (*pumpswap.FORMATS, *pumpswap.CASHBACK_FORMATS)),
        ("jupiter", jupiter.FORMATS),
    )
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
    if venue == "pumpswap" and data == INIT_ACCUMULATOR:
        _check_accumulator(instruction, effects, context)
        return
    if data[:DISCRIMINATOR_BYTES] not in _KNOWN[venue]:
        raise refuse_instruction(venue, f"the instruction {data[:DISCRIMINATOR_BYTES].hex()}")
    try:
        trade = read(data, list(instruction.accounts))
    except DecodeError as error:
        raise RefusedError(Reason.SWAP, f"{venue}: {error}") from None
    _check_accounts(venue, trade, context)
    is_cashback = trade.cashback is not None
    effects.swaps.append(Swap(trade.side, trade.mint, trade.token_account, trade.max_in, trade.min_out, is_cashback))


def check_cashback(effects: Effects) -> None:
    """Check that accounts for cashback are created only if the swap uses them.

    Raises:
        RefusedError: the swap does not.
    """
    if effects.creates_cashback_accounts and not effects.swap.is_cashback:
        raise RefusedError(Reason.ACCOUNT, "accounts for cashback are created, which the swap does not use")


def _check_accumulator(instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add the creation of the wallet's volume accumulator.

    Raises:
        RefusedError: it is another's, or another pays.
    """
    if account_keys(instruction) != account_keys(create_accumulator(context.wallet)):
        raise RefusedError(Reason.ACCOUNT, "pumpswap: a volume accumulator is created that is not the wallet's")
    effects.creates_cashback_accounts = True


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
    if trade.cashback not in (None, (accumulator_address(wallet), cashback_address(wallet))):
        raise RefusedError(Reason.DESTINATION, f"{venue}: the accounts for cashback are not the wallet's")
