"""Transactions as the signer reads them: every byte accounted for, every account resolved."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.signer.refusal import Reason, RefusedError

MAX_TRANSACTION_BYTES: Final = 1_232  # a packet
_VERSION_BIT: Final = 0x80
_SIGNATURE_BYTES: Final = 64
_PREFIX_BYTES: Final = 1 + _SIGNATURE_BYTES  # the number of signatures, and the empty own one

TableLoader = Callable[[Pubkey], Sequence[Pubkey]]


@dataclass(frozen=True)
class UnsignedTransaction:
    """A transaction that only the wallet has to sign."""

    raw: bytes
    message: Message | MessageV0

    @property
    def message_bytes(self) -> bytes:
        """Return the bytes that are signed."""
        return self.raw[_PREFIX_BYTES:]

    @property
    def message_hash(self) -> str:
        """Return the SHA-256 of the bytes that are signed, in hex."""
        return hashlib.sha256(self.message_bytes).hexdigest()

    def with_signature(self, signature: Signature) -> bytes:
        """Return the signed transaction."""
        return self.raw[:1] + bytes(signature) + self.message_bytes


@dataclass(frozen=True)
class ResolvedTransaction:
    """The instructions of a transaction with the addresses of all their accounts."""

    instructions: list[Instruction]
    static_keys: frozenset[Pubkey]
    writable: list[Pubkey]
    programs: list[Pubkey]


def parse_transaction(raw: bytes, wallet: Pubkey) -> UnsignedTransaction:
    """Return a transaction whose fee payer and only signer is the wallet.

    Raises:
        RefusedError: it is not that, has another version than legacy and 0, or contains bytes without a meaning.
    """
    if not 0 < len(raw) <= MAX_TRANSACTION_BYTES:
        raise RefusedError(Reason.MALFORMED, f"a transaction has from 1 to {MAX_TRANSACTION_BYTES} bytes")
    if raw[0] & _VERSION_BIT:  # from version 1 on, the version comes before everything else
        raise RefusedError(Reason.VERSION, f"version {raw[0] & ~_VERSION_BIT} is not signed; legacy and 0 are")
    if raw[0] != 1:
        raise RefusedError(Reason.SIGNATURES, f"{raw[0]} signatures; the wallet's must be the only one")
    if len(raw) <= _PREFIX_BYTES:
        raise RefusedError(Reason.MALFORMED, "the transaction ends before its message")
    version = raw[_PREFIX_BYTES]
    if version & _VERSION_BIT and version != _VERSION_BIT:
        raise RefusedError(Reason.VERSION, f"version {version & ~_VERSION_BIT} is not signed; legacy and 0 are")
    message = _read_message(raw)
    if any(raw[1:_PREFIX_BYTES]):
        raise RefusedError(Reason.SIGNATURES, "the transaction is signed already")
    if message.account_keys[0] != wallet:
        raise RefusedError(Reason.FEE_PAYER, f"the fee payer is {message.account_keys[0]}, not the wallet")
    return UnsignedTransaction(raw, message)


def _read_message(raw: bytes) -> Message | MessageV0:
    """Return the message of a transaction with one signature."""
    try:
        transaction = VersionedTransaction.from_bytes(raw)
        message = transaction.message
        required = message.header.num_required_signatures
        if required == 1:
            transaction.sanitize()
    except Exception as error:  # noqa: BLE001 - solders has errors of many types
        raise RefusedError(Reason.MALFORMED, f"it is not a transaction: {type(error).__name__}") from None
    if not isinstance(message, Message | MessageV0):
        raise RefusedError(Reason.VERSION, "only legacy transactions and version 0 are signed")
    if required != 1:
        raise RefusedError(Reason.SIGNATURES, f"{required} signatures are required; the wallet's must be the only one")
    if bytes(transaction) != raw:
        raise RefusedError(Reason.MALFORMED, "the transaction is not in the canonical form, or bytes follow it")
    return message


def resolve(transaction: UnsignedTransaction, load_table: TableLoader) -> ResolvedTransaction:
    """Return the instructions with the accounts of the lookup tables.

    Args:
        transaction: the transaction.
        load_table: returns the addresses in a lookup table.

    Raises:
        RefusedError: a table cannot be read or has no such entry, or an account is there twice.
    """
    message = transaction.message
    static = list(message.account_keys)
    writable_loaded, readonly_loaded = _load(message, load_table)
    keys = static + writable_loaded + readonly_loaded
    if len(set(keys)) != len(keys):
        raise RefusedError(Reason.MALFORMED, "an account is there twice")
    unsigned_writable = len(static) - message.header.num_readonly_unsigned_accounts
    end_of_writable = len(static) + len(writable_loaded)

    def is_writable(index: int) -> bool:
        return index < unsigned_writable or len(static) <= index < end_of_writable

    instructions = [
        Instruction(
            keys[compiled.program_id_index],
            bytes(compiled.data),
            [AccountMeta(keys[i], is_signer=i == 0, is_writable=is_writable(i)) for i in bytes(compiled.accounts)],
        )
        for compiled in message.instructions
    ]
    return ResolvedTransaction(
        instructions,
        frozenset(static),
        [key for index, key in enumerate(keys) if is_writable(index)],
        list(dict.fromkeys(instruction.program_id for instruction in instructions)),
    )


def _load(message: Message | MessageV0, load_table: TableLoader) -> tuple[list[Pubkey], list[Pubkey]]:
    """Return the writable and the other accounts that a message takes from lookup tables."""
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    if isinstance(message, Message):
        return writable, readonly
    for lookup in message.address_table_lookups:
        addresses = load_table(lookup.account_key)
        for indexes, found in (
            (bytes(lookup.writable_indexes), writable),
            (bytes(lookup.readonly_indexes), readonly),
        ):
            if any(index >= len(addresses) for index in indexes):
                raise RefusedError(Reason.LOOKUP_TABLE, f"{lookup.account_key} has no such entry")
            found += [addresses[index] for index in indexes]
    return writable, readonly
