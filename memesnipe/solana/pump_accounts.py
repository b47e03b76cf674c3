"""The accounts of curves and of PumpSwap's pools: decoded and encoded.

Sources: ``BondingCurve`` in the IDL of pump-sdk 2.0.0, ``Pool`` in that of PumpSwap's SDK 1.20.0. The programs append
fields from time to time; those that an account has not are zero. The fees that v3 and v2 trades keep in the account are
appended last; that position is inferred.
"""

import struct
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, TypeVar

from solders.pubkey import Pubkey

_CODES: Final = {"u8": "B", "u16": "H", "u64": "Q", "bool": "?", "key": "32s", "i128": "16s"}
_CURVE: Final = bytes.fromhex("17b7f83760d8ac60")
_POOL: Final = bytes.fromhex("f19a6d0411b16dbc")
_CURVE_KINDS: Final = "u64 u64 u64 u64 u64 bool key bool bool key u64 bool bool u64 u64"
_POOL_KINDS: Final = "u8 u16 key key key key key key u64 key bool bool i128 u64 bool u64 u64"

NO_KEY: Final = Pubkey.default()
A = TypeVar("A")


class PumpAccountError(Exception):
    """An account is not of the expected kind; the text says why."""


@dataclass(frozen=True, slots=True)
class BondingCurve:
    """A curve; amounts are raw tokens and lamports (or raw quote tokens)."""

    virtual_token_reserves: int
    virtual_quote_reserves: int
    real_token_reserves: int
    real_quote_reserves: int
    token_total_supply: int
    complete: bool = False
    creator: Pubkey = NO_KEY
    is_mayhem_mode: bool = False
    is_cashback_coin: bool = False
    quote_mint: Pubkey = NO_KEY  # zero: SOL
    creator_fee_bps: int = 0
    can_edit_creator_fee: bool = False
    is_holder_reward: bool = False
    protocol_fees: int = 0  # kept until they are swept
    creator_fees: int = 0

    @staticmethod
    def decode(data: bytes) -> "BondingCurve":
        """Return the curve in an account's data.

        Raises:
            PumpAccountError: it is no curve.
        """
        return _decode(BondingCurve, data, _CURVE, _CURVE_KINDS)

    def encode(self) -> bytes:
        """Return the data of its account."""
        return _encode(self, _CURVE, _CURVE_KINDS)


@dataclass(frozen=True, slots=True)
class PumpPool:
    """A pool of PumpSwap; it is priced by its quote vault plus `virtual_quote_reserves`, which may be negative."""

    pool_bump: int
    index: int
    creator: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    lp_mint: Pubkey
    pool_base_token_account: Pubkey
    pool_quote_token_account: Pubkey
    lp_supply: int
    coin_creator: Pubkey = NO_KEY
    is_mayhem_mode: bool = False
    is_cashback_coin: bool = False
    virtual_quote_reserves: int = 0
    creator_fee_bps: int = 0
    can_edit_creator_fee: bool = False
    protocol_fees: int = 0  # in the quote vault until they are swept
    creator_fees: int = 0

    @staticmethod
    def decode(data: bytes) -> "PumpPool":
        """Return the pool in an account's data.

        Raises:
            PumpAccountError: it is no pool.
        """
        return _decode(PumpPool, data, _POOL, _POOL_KINDS)

    def encode(self) -> bytes:
        """Return the data of its account."""
        return _encode(self, _POOL, _POOL_KINDS)


def _decode(kind: type[A], data: bytes, discriminator: bytes, kinds: str) -> A:
    if data[: len(discriminator)] != discriminator:
        raise PumpAccountError(f"no {kind.__name__}")
    values: dict[str, Any] = {}
    at = len(discriminator)
    for field, code in zip(fields(kind), kinds.split(), strict=True):  # type: ignore[arg-type]
        size = struct.calcsize("<" + _CODES[code])
        if at + size > len(data) and field.default is MISSING:
            raise PumpAccountError(f"{len(data)} bytes are too few for a {kind.__name__}")
        (value,) = struct.unpack("<" + _CODES[code], data[at : at + size].ljust(size, b"\0"))
        at += size
        if code == "key":
            value = Pubkey.from_bytes(value)
        elif code == "i128":
            value = int.from_bytes(value, "little", signed=True)
        values[field.name] = value
    return kind(**values)


def _encode(account: Any, discriminator: bytes, kinds: str) -> bytes:
    data = discriminator
    for field, code in zip(fields(account), kinds.split(), strict=True):
        value = getattr(account, field.name)
        if code == "i128":
            data += value.to_bytes(16, "little", signed=True)
        else:
            data += struct.pack("<" + _CODES[code], bytes(value) if code == "key" else value)
    return data
