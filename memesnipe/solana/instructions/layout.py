"""How instructions of Anchor programs are encoded: a discriminator, little-endian arguments, accounts by position."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

DISCRIMINATOR_BYTES: Final = 8

A = TypeVar("A")
T = TypeVar("T")


class DecodeError(Exception):
    """An instruction is not of the expected form; the text says why."""


class AccountLayout(Generic[A]):
    """The accounts of an instruction, in order.

    Args:
        kind: the class whose fields are the accounts.
        roles: ``name`` or ``name:flags`` for each account, separated by white space. The flags are w (writable),
            s (signer) and o (optional: None is encoded as the program's own address, as Anchor does).
    """

    def __init__(self, kind: type[A], roles: str) -> None:
        self._kind = kind
        self.roles = [(name, flags) for name, _, flags in (role.partition(":") for role in roles.split())]

    def encode(self, accounts: A, program: Pubkey) -> list[AccountMeta]:
        """Return the accounts with their privileges."""
        metas = []
        for name, flags in self.roles:
            key: Pubkey | None = getattr(accounts, name)
            if key is None:
                metas.append(AccountMeta(program, is_signer=False, is_writable=False))
            else:
                metas.append(AccountMeta(key, is_signer="s" in flags, is_writable="w" in flags))
        return metas

    def decode(self, metas: Sequence[AccountMeta], program: Pubkey) -> A:
        """Return the accounts; their privileges are not compared, because a transaction may give more.

        Raises:
            DecodeError: there are too few.
        """
        if len(metas) < len(self.roles):
            raise DecodeError(f"{len(metas)} accounts instead of {len(self.roles)}")
        return self._kind(
            **{
                name: None if "o" in flags and meta.pubkey == program else meta.pubkey
                for (name, flags), meta in zip(self.roles, metas, strict=False)
            }
        )


class InstructionFormat(Generic[T]):
    """The encoding of one instruction.

    The fields of its class are: ``accounts``, the arguments, then the tail if there is one, then
    ``remaining_accounts`` if ``has_remaining``.

    Args:
        kind: the class of the decoded instruction.
        program: that runs the instruction.
        discriminator: its 8 bytes, in hex.
        accounts: its accounts.
        arguments: ``name:code`` for each, separated by white space; the codes are those of `struct`.
        tail: what follows the arguments: "" (nothing), "flag" (a bool that may be absent) or "bytes" (the rest).
        has_remaining: whether accounts may follow those of the layout.
    """

    def __init__(
        self,
        kind: type[T],
        program: Pubkey,
        discriminator: str,
        accounts: AccountLayout[Any],
        arguments: str,
        tail: str = "",
        has_remaining: bool = False,
    ) -> None:
        self.kind, self.program, self.accounts = kind, program, accounts
        self.discriminator = bytes.fromhex(discriminator)
        names_and_codes = [argument.split(":") for argument in arguments.split()]
        self.arguments = [name for name, _ in names_and_codes]
        self._struct = struct.Struct("<" + "".join(code for _, code in names_and_codes))
        self._tail, self._has_remaining = tail, has_remaining
        fields: Sequence[str] = getattr(kind, "__slots__", ())
        self._tail_name = fields[1 + len(self.arguments)] if tail else ""

    def encode(self, instruction: T) -> Instruction:
        """Return the instruction as a transaction has it.

        Raises:
            struct.error: an argument does not fit its type.
        """
        data = self.discriminator + self._struct.pack(*(getattr(instruction, name) for name in self.arguments))
        if self._tail:
            data += _encode_tail(getattr(instruction, self._tail_name))
        metas = self.accounts.encode(getattr(instruction, "accounts"), self.program)  # noqa: B009 - T has no bound
        if self._has_remaining:
            metas += getattr(instruction, "remaining_accounts")  # noqa: B009
        return Instruction(self.program, data, metas)

    def decode(self, data: bytes, metas: Sequence[AccountMeta]) -> T:
        """Return the instruction.

        Raises:
            DecodeError: the data or the accounts are not of this form, exactly.
        """
        if data[:DISCRIMINATOR_BYTES] != self.discriminator:
            raise DecodeError(f"no {self.kind.__name__}")
        end = DISCRIMINATOR_BYTES + self._struct.size
        if len(data) < end:
            raise DecodeError(f"{self.kind.__name__}: {len(data)} bytes instead of {end}")
        values: list[Any] = list(self._struct.unpack_from(data, DISCRIMINATOR_BYTES))
        if self._tail == "bytes":
            values.append(data[end:])
        elif self._tail == "flag":
            values.append(_flag(data[end:]))
        elif len(data) > end:
            raise DecodeError(f"{self.kind.__name__}: {len(data)} bytes instead of {end}")
        expected = len(self.accounts.roles)
        if self._has_remaining:
            values.append(tuple(metas[expected:]))
        elif len(metas) > expected:
            raise DecodeError(f"{self.kind.__name__}: {len(metas)} accounts instead of {expected}")
        kind: Callable[..., T] = self.kind
        return kind(self.accounts.decode(metas, self.program), *values)


def _encode_tail(value: bytes | bool | None) -> bytes:
    if value is None:
        return b""
    return bytes([value]) if isinstance(value, bool) else value


def _flag(data: bytes) -> bool | None:
    if not data:
        return None
    if data not in (b"\0", b"\1"):
        raise DecodeError(f"{data.hex()} is no flag")
    return data == b"\1"


def decode_any(
    formats: Sequence[InstructionFormat[Any]], program: Pubkey, data: bytes, metas: Sequence[AccountMeta]
) -> Any:
    """Decode an instruction that has one of some formats.

    Raises:
        DecodeError: it is of another program, of none of the formats, or malformed.
    """
    for one in formats:
        if one.program == program and one.discriminator == data[:DISCRIMINATOR_BYTES]:
            return one.decode(data, metas)
    raise DecodeError(f"{data[:DISCRIMINATOR_BYTES].hex()} is no known instruction of {program}")
