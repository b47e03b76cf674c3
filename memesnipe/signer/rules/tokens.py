"""The token programs: synchronise wrapped SOL, close own accounts to the wallet, create own associated accounts.

Layouts: `spl-token` `TokenInstruction` and `spl-associated-token-account` `AssociatedTokenAccountInstruction`.
"""

from typing import Final

from solders.instruction import Instruction

from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import Context, Effects, account_keys, refuse_instruction
from memesnipe.solana.addresses import SYSTEM, TOKEN, TOKEN_PROGRAMS, WRAPPED_SOL, token_address
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import cashback_address

_CLOSE_ACCOUNT: Final = b"\x09"
_SYNC_NATIVE: Final = b"\x11"
_CREATE_IDEMPOTENT: Final = b"\x01"
_NAMES: Final = (
    "InitializeMint", "InitializeAccount", "InitializeMultisig", "Transfer", "Approve", "Revoke", "SetAuthority",
    "MintTo", "Burn", "CloseAccount", "FreezeAccount", "ThawAccount", "TransferChecked", "ApproveChecked",
    "MintToChecked", "BurnChecked", "InitializeAccount2", "SyncNative",
)  # fmt: skip


def check(instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add an instruction of SPL Token or Token-2022.

    Raises:
        RefusedError: it is neither SyncNative nor CloseAccount, or not on the wallet's own accounts.
    """
    data, keys = bytes(instruction.data), account_keys(instruction)
    if data == _SYNC_NATIVE:
        if keys != [context.wrapped_sol_account] or instruction.program_id != TOKEN:
            raise RefusedError(Reason.ACCOUNT, "SyncNative of an account that is not the wallet's wrapped SOL")
        return
    if data != _CLOSE_ACCOUNT:
        kind = data[0] if data else -1
        name = _NAMES[kind] if 0 <= kind < len(_NAMES) else f"kind {kind}"
        raise refuse_instruction("Token", name)
    if len(keys) != 3 or keys[2] != context.wallet:
        raise RefusedError(Reason.ACCOUNT, "CloseAccount with an owner other than the wallet")
    if keys[1] != context.wallet:
        raise RefusedError(Reason.DESTINATION, f"CloseAccount to {keys[1]}, not to the wallet")
    effects.closed.append((keys[0], instruction.program_id))


def check_closed(effects: Effects, context: Context) -> None:
    """Check that only accounts of the swap's token and of wrapped SOL are closed.

    Raises:
        RefusedError: another account is closed.
    """
    own = {context.wrapped_sol_account: TOKEN}
    own.update({token_address(context.wallet, effects.swap.mint, program): program for program in TOKEN_PROGRAMS})
    for account, program in effects.closed:
        if own.get(account) != program:
            raise RefusedError(Reason.ACCOUNT, f"CloseAccount of {account}, which the swap does not use")


def check_associated(instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add the creation of an associated token account of the wallet, or of its accumulator for cashback.

    Raises:
        RefusedError: it is not CreateIdempotent, or for another owner.
    """
    keys = account_keys(instruction)
    if bytes(instruction.data) != _CREATE_IDEMPOTENT:
        raise refuse_instruction("AssociatedToken", "anything but CreateIdempotent")
    if len(keys) != 6 or keys[4] != SYSTEM or keys[5] not in TOKEN_PROGRAMS:
        raise RefusedError(Reason.ACCOUNT, "AssociatedToken: the accounts are not those of CreateIdempotent")
    payer, account, owner, mint, _, token_program = keys
    wallet = context.wallet
    if keys == [wallet, cashback_address(wallet), accumulator_address(wallet), WRAPPED_SOL, SYSTEM, TOKEN]:
        effects.creates_cashback_accounts = True
        return
    if payer != wallet or owner != wallet or account != token_address(owner, mint, token_program):
        raise RefusedError(Reason.DESTINATION, "AssociatedToken: the account is not the wallet's")
    effects.created_mints.append(mint)


def check_created(effects: Effects) -> None:
    """Check that only accounts of the swap's token and of wrapped SOL are created.

    Raises:
        RefusedError: another account is created.
    """
    for mint in effects.created_mints:
        if mint not in (effects.swap.mint, WRAPPED_SOL):
            raise RefusedError(Reason.ACCOUNT, f"an account of {mint} is created, which the swap does not use")
