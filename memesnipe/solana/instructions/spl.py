"""Instructions of SPL Token, Token-2022 and the associated token account program that swaps need.

Sources: the instruction enums of ``solana-program/token`` and ``solana-program/associated-token-account``. Both token
programs encode these instructions alike.
"""

import struct
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import ASSOCIATED_TOKEN, SYSTEM, token_address

_CREATE_IDEMPOTENT: Final = b"\x01"
_MINT_TO: Final = 7
_CLOSE_ACCOUNT: Final = b"\x09"
_TRANSFER_CHECKED: Final = 12
_SYNC_NATIVE: Final = b"\x11"


def create_token_account(payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey) -> Instruction:
    """Create the associated token account of an owner unless it exists."""
    return Instruction(
        ASSOCIATED_TOKEN,
        _CREATE_IDEMPOTENT,
        [
            AccountMeta(payer, is_signer=True, is_writable=True),
            AccountMeta(token_address(owner, mint, token_program), is_signer=False, is_writable=True),
            _reads(owner),
            _reads(mint),
            _reads(SYSTEM),
            _reads(token_program),
        ],
    )


def transfer_checked(
    source: Pubkey, mint: Pubkey, destination: Pubkey, owner: Pubkey, amount: int, decimals: int, token_program: Pubkey
) -> Instruction:
    """Transfer raw tokens from one token account to another."""
    return Instruction(
        token_program,
        struct.pack("<BQB", _TRANSFER_CHECKED, amount, decimals),
        [_writes(source), _reads(mint), _writes(destination), _signs(owner)],
    )


def mint_to(mint: Pubkey, destination: Pubkey, authority: Pubkey, amount: int, token_program: Pubkey) -> Instruction:
    """Create raw tokens in a token account."""
    return Instruction(
        token_program, struct.pack("<BQ", _MINT_TO, amount), [_writes(mint), _writes(destination), _signs(authority)]
    )


def close_account(account: Pubkey, destination: Pubkey, owner: Pubkey, token_program: Pubkey) -> Instruction:
    """Close a token account; its lamports go to ``destination``. Wrapped SOL is unwrapped in this way."""
    return Instruction(token_program, _CLOSE_ACCOUNT, [_writes(account), _writes(destination), _signs(owner)])


def sync_native(account: Pubkey, token_program: Pubkey) -> Instruction:
    """Set the amount of an account of wrapped SOL to its lamports."""
    return Instruction(token_program, _SYNC_NATIVE, [_writes(account)])


def _reads(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=False)


def _writes(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=True)


def _signs(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=True, is_writable=False)
