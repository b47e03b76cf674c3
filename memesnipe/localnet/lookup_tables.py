"""The account keys of a transaction, with address lookup tables resolved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTable
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.message import Message, MessageAddressTableLookup, MessageV0
from solders.pubkey import Pubkey

from memesnipe.localnet.errors import RejectedTransactionError

PROGRAM_ID: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")


@dataclass(frozen=True, slots=True)
class Keys:
    """The accounts of a transaction in the cluster's order: of the message, then writable and read-only loaded ones."""

    static: tuple[Pubkey, ...]
    writable: tuple[Pubkey, ...]
    readonly: tuple[Pubkey, ...]
    signers: int
    flags: tuple[bool, ...]  # whether each key is writable

    @property
    def all(self) -> tuple[Pubkey, ...]:
        """Return every key."""
        return self.static + self.writable + self.readonly

    def instruction(self, compiled: CompiledInstruction) -> Instruction:
        """Return an instruction of the message with its accounts.

        Raises:
            RejectedTransactionError: an index is beyond the keys.
        """
        keys = self.all
        indices = list(compiled.accounts)
        if max(indices, default=0) >= len(keys) or compiled.program_id_index >= len(keys):
            raise RejectedTransactionError("SanitizeFailure")
        metas = [AccountMeta(keys[i], i < self.signers, self.flags[i]) for i in indices]
        return Instruction(keys[compiled.program_id_index], bytes(compiled.data), metas)


def resolve(message: Message | MessageV0, account: Callable[[Pubkey], Account | None], slot: int) -> Keys:
    """Return the keys of a message.

    Args:
        message: legacy or of version 0.
        account: returns an account of the chain.
        slot: of the block that the transaction would be in; addresses added to a table in it are not usable yet.

    Raises:
        RejectedTransactionError: a lookup table is missing or too short, with the cluster's error.
    """
    static = tuple(message.account_keys)
    flags = static_flags(message)
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    if isinstance(message, MessageV0):
        for lookup in message.address_table_lookups:
            addresses = _addresses(lookup, account, slot)
            writable += _pick(addresses, lookup.writable_indexes)
            readonly += _pick(addresses, lookup.readonly_indexes)
    flags += [True] * len(writable) + [False] * len(readonly)
    return Keys(static, tuple(writable), tuple(readonly), message.header.num_required_signatures, tuple(flags))


def static_flags(message: Message | MessageV0) -> list[bool]:
    """Return for each key in a message whether it is writable."""
    header, count = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    unsigned = count - header.num_readonly_unsigned_accounts
    signed = signers - header.num_readonly_signed_accounts
    return [index < signed or signers <= index < unsigned for index in range(count)]


def _addresses(
    lookup: MessageAddressTableLookup, account: Callable[[Pubkey], Account | None], slot: int
) -> list[Pubkey]:
    """Return the addresses of a table that are usable in a slot."""
    found = account(lookup.account_key)
    if found is None:
        raise RejectedTransactionError("AddressLookupTableNotFound")
    if found.owner != PROGRAM_ID:
        raise RejectedTransactionError("InvalidAddressLookupTableOwner")
    try:
        table = AddressLookupTable.deserialize(found.data)
    except ValueError as error:
        raise RejectedTransactionError("InvalidAddressLookupTableData") from error
    if table.meta.deactivation_slot < slot:  # a cluster still serves it for 512 slots
        raise RejectedTransactionError("AddressLookupTableNotFound")
    is_new = table.meta.last_extended_slot >= slot
    return table.addresses[: table.meta.last_extended_slot_start_index] if is_new else table.addresses


def _pick(addresses: list[Pubkey], indexes: bytes | list[int]) -> list[Pubkey]:
    if max(indexes, default=-1) >= len(addresses):
        raise RejectedTransactionError("InvalidAddressLookupTableIndex")
    return [addresses[index] for index in indexes]
