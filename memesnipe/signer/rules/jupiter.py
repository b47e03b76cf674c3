"""Swaps through Jupiter: `route_v2` and `shared_accounts_route_v2`.

Source: the IDL of the program `JUP6...` and `jup-ag/docs`.
"""

from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.signer.chain import TOKEN_PROGRAM, TOKEN_PROGRAMS
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import (
    WRAPPED_SOL,
    Context,
    Effects,
    Swap,
    account_keys,
    own_account,
    refuse_instruction,
)

JUPITER: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
_BPS: Final = 10_000
_AMOUNTS_BYTES: Final = 22  # u64 in, u64 quoted out, u16 slippage, u16 platform fee, u16 positive slippage


@dataclass(frozen=True)
class _Layout:
    """Positions of accounts, and of the amounts in the data."""

    name: str
    amounts: int
    user: int
    source: int
    destination: int
    source_mint: int
    destination_mint: int
    override: int | None
    min_accounts: int


_LAYOUTS: Final = {
    bytes.fromhex("bb64facc31c4af14"): _Layout("route_v2", 8, 0, 1, 2, 3, 4, 7, 10),
    bytes.fromhex("d19853937cfed8e9"): _Layout("shared_accounts_route_v2", 9, 1, 2, 5, 6, 7, None, 12),
}


def check(instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add a swap.

    Raises:
        RefusedError: it is another instruction, not between the wallet's own accounts, or has other fees or more
            slippage than the policy allows.
    """
    data, keys = bytes(instruction.data), account_keys(instruction)
    layout = _LAYOUTS.get(data[:8])
    if layout is None:
        raise refuse_instruction("jupiter", f"the instruction {data[:8].hex()}")
    if len(data) < layout.amounts + _AMOUNTS_BYTES or len(keys) < layout.min_accounts:
        raise RefusedError(Reason.SWAP, f"{layout.name} is malformed")
    if keys[layout.user] != context.wallet:
        raise RefusedError(Reason.ACCOUNT, f"{layout.name}: the user is not the wallet")
    if layout.override is not None and keys[layout.override] not in (JUPITER, keys[layout.destination]):
        raise RefusedError(Reason.DESTINATION, f"{layout.name}: another destination than the wallet's account")
    effects.swaps.append(_read(layout, keys, context, *_read_amounts(layout, data, context)))


def _read_amounts(layout: _Layout, data: bytes, context: Context) -> tuple[int, int]:
    """Return what the swap takes, and what it gives at least."""
    limits, at = context.policy.jupiter, layout.amounts
    amount, quoted = int.from_bytes(data[at : at + 8], "little"), int.from_bytes(data[at + 8 : at + 16], "little")
    slippage, fee = int.from_bytes(data[at + 16 : at + 18], "little"), int.from_bytes(data[at + 18 : at + 20], "little")
    if slippage > limits.max_slippage_bps:
        raise RefusedError(Reason.SWAP, f"{layout.name}: slippage of {slippage} bps; {limits.max_slippage_bps} at most")
    if fee > limits.max_platform_fee_bps:
        raise RefusedError(Reason.SWAP, f"{layout.name}: a platform fee of {fee} bps")
    return amount, quoted * (_BPS - slippage) // _BPS


def _read(layout: _Layout, keys: list[Pubkey], context: Context, max_in: int, min_out: int) -> Swap:
    source, destination = keys[layout.source_mint], keys[layout.destination_mint]
    if (source == WRAPPED_SOL) == (destination == WRAPPED_SOL):
        raise RefusedError(Reason.SWAP, f"{layout.name} from {source} to {destination}; one must be SOL")
    is_buy = source == WRAPPED_SOL
    mint = destination if is_buy else source
    wrapped, token = keys[layout.source], keys[layout.destination]
    if not is_buy:
        token, wrapped = wrapped, token
    if token not in {own_account(context.wallet, mint, program) for program in TOKEN_PROGRAMS}:
        raise RefusedError(Reason.DESTINATION, f"{layout.name}: the token account is not the wallet's")
    if wrapped != own_account(context.wallet, WRAPPED_SOL, TOKEN_PROGRAM):
        raise RefusedError(Reason.DESTINATION, f"{layout.name}: the account of wrapped SOL is not the wallet's")
    return Swap("buy" if is_buy else "sell", mint, token, max_in, min_out)
