"""Mint accounts of SPL Token and Token-2022, with the extensions that can take or freeze a holder's tokens.

Layout: `spl-token` (82 bytes); Token-2022 adds a byte for the kind of account at 165, and then type, length and value
of each extension (u16, u16, bytes).
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from memesnipe.errors import MemeSnipeError
from memesnipe.solana import addresses

TOKEN: Final = str(addresses.TOKEN)
TOKEN_2022: Final = str(addresses.TOKEN_2022)
_MINT_BYTES: Final = 82
_KIND_AT: Final = 165
_KIND_MINT: Final = 1
_KEY_BYTES: Final = 32
_NO_KEY: Final = bytes(_KEY_BYTES)
_FEE_AT: Final = (88, 106)  # basis points of the older and of the newer transfer fee, after two keys and an amount


class Extension(IntEnum):
    """The extensions that concern a holder."""

    TRANSFER_FEE = 1
    DEFAULT_STATE = 6
    NON_TRANSFERABLE = 9
    PERMANENT_DELEGATE = 12
    TRANSFER_HOOK = 14
    PAUSABLE = 26


class MintError(MemeSnipeError):
    """The account is no mint."""


@dataclass(frozen=True, slots=True)
class MintAccount:
    """A mint.

    Args:
        mint_authority: whether somebody can create tokens.
        freeze_authority: whether somebody can freeze accounts.
        supply: raw.
        decimals: of a token.
        extensions: value of each extension by its number.
    """

    mint_authority: bool
    freeze_authority: bool
    supply: int
    decimals: int
    extensions: dict[int, bytes]

    def dangers(self) -> list[str]:
        """Return what the mint lets others do to a holder."""
        found = [
            name
            for name, is_so in (("mint authority", self.mint_authority), ("freeze authority", self.freeze_authority))
            if is_so
        ]
        for number, value in sorted(self.extensions.items()):
            found += _dangers_of(number, value)
        return found


def parse_mint(owner: str, data: bytes) -> MintAccount:
    """Return a mint.

    Args:
        owner: the program of the account.
        data: of the account.

    Raises:
        MintError: it is not a mint, or is cut.
    """
    if owner not in (TOKEN, TOKEN_2022):
        raise MintError(f"the mint belongs to {owner}")
    if len(data) < _MINT_BYTES or data[45] != 1:
        raise MintError("the account is not an initialized mint")
    if len(data) > _MINT_BYTES and (owner == TOKEN or len(data) <= _KIND_AT or data[_KIND_AT] != _KIND_MINT):
        raise MintError("the account is not a mint")
    supply, decimals = struct.unpack_from("<QB", data, 36)
    has_mint, has_freeze = struct.unpack_from("<I", data, 0)[0], struct.unpack_from("<I", data, 46)[0]
    return MintAccount(bool(has_mint), bool(has_freeze), supply, decimals, _extensions(data[_KIND_AT + 1 :]))


def _extensions(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        number, size = struct.unpack_from("<HH", data, at)
        if number == 0:  # the rest is not used
            break
        value = data[at + 4 : at + 4 + size]
        if len(value) < size:
            raise MintError(f"extension {number} is cut")
        found[number] = value
        at += 4 + size
    return found


def _dangers_of(number: int, value: bytes) -> list[str]:  # noqa: PLR0911 - a table
    """Return the dangers of an extension; a value that is too short to be read is one."""
    if number == Extension.TRANSFER_FEE:
        if len(value) < _FEE_AT[1] + 2:
            return ["transfer fee that cannot be read"]
        bps = max(struct.unpack_from("<H", value, at)[0] for at in _FEE_AT)
        authority = value[:_KEY_BYTES] != _NO_KEY
        return [f"transfer fee of {bps} bps"] * (bps > 0) + ["transfer fee can change"] * authority
    if number == Extension.DEFAULT_STATE:
        return ["accounts are frozen at first"] if value[:1] != b"\x01" else []
    if number == Extension.NON_TRANSFERABLE:
        return ["not transferable"]
    if number == Extension.PERMANENT_DELEGATE:
        return ["permanent delegate"] if value[:_KEY_BYTES] != _NO_KEY else []
    if number == Extension.TRANSFER_HOOK:  # its authority, its program
        return ["transfer hook"] if value[:64].strip(b"\0") else []
    return ["pausable"] if number == Extension.PAUSABLE else []
