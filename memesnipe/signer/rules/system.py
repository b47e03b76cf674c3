"""The System program: transfers to tip accounts and to the wallet's own account of wrapped SOL; nothing else.

Layout: `solana-system-interface`, a little-endian u32 for the kind, then the parameters.
"""

from typing import Final

from solders.instruction import Instruction

from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import Context, Effects, account_keys, refuse_instruction

_TRANSFER: Final = 2
_TRANSFER_BYTES: Final = 12
_KIND_BYTES: Final = 4
_NAMES: Final = (
    "CreateAccount", "Assign", "Transfer", "CreateAccountWithSeed", "AdvanceNonceAccount", "WithdrawNonceAccount",
    "InitializeNonceAccount", "AuthorizeNonceAccount", "Allocate", "AllocateWithSeed", "AssignWithSeed",
    "TransferWithSeed", "UpgradeNonceAccount", "CreateAccountAllowPrefund",
)  # fmt: skip


def check(instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add a transfer.

    Raises:
        RefusedError: it is another instruction, or a transfer from or to another account.
    """
    data, keys = bytes(instruction.data), account_keys(instruction)
    kind = int.from_bytes(data[:_KIND_BYTES], "little") if len(data) >= _KIND_BYTES else -1
    name = _NAMES[kind] if 0 <= kind < len(_NAMES) else f"kind {kind}"
    if "Nonce" in name:
        raise RefusedError(Reason.DURABLE_NONCE, f"System: {name}: a transaction with a durable nonce never expires")
    if kind != _TRANSFER:
        raise refuse_instruction("System", name)
    if len(data) != _TRANSFER_BYTES or len(keys) != 2 or keys[0] != context.wallet:
        raise RefusedError(Reason.ACCOUNT, "System: a transfer must have the wallet and one recipient")
    lamports = int.from_bytes(data[_KIND_BYTES:], "little")
    if keys[1] == context.wrapped_sol_account:
        effects.wrapped_lamports += lamports
    elif keys[1] not in context.policy.tip_keys:
        raise RefusedError(Reason.DESTINATION, f"System: a transfer to {keys[1]}, which is no tip account")
    elif keys[1] not in context.static_keys:
        raise RefusedError(Reason.TIP, "a tip account from a lookup table gets no tip")
    else:
        effects.tip_lamports += lamports
