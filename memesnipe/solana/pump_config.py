"""The global accounts of pump.fun and PumpSwap: who gets fees, and what the programs charge.

Source: ``Global`` in the IDL of pump-sdk 2.0.0, ``GlobalConfig`` in that of PumpSwap's SDK 1.20.0. Only the fields that
a trade needs are read, at their places in these layouts.
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from memesnipe.solana.pump_accounts import NO_KEY, PumpAccountError

_GLOBAL: Final = bytes.fromhex("a7e8e8b1c86c727f")
_POOL_CONFIG: Final = bytes.fromhex("95089ccaa0fcb0d9")
_KEY_BYTES: Final = 32
_RECIPIENT_AT: Final = 41
_FEE_AT, _MIGRATION_FEE_AT, _CREATOR_FEE_AT = 105, 146, 154
_BUYBACK_AT: Final = 741
_GLOBAL_BYTES: Final = 1_005
_FLAGS_AT: Final = 56
_POOL_RECIPIENT_AT: Final = 57
_POOL_BUYBACK_AT: Final = 643
_POOL_CONFIG_BYTES: Final = 907


@dataclass(frozen=True, slots=True)
class PumpGlobal:
    """The global account of pump.fun."""

    fee_recipient: Pubkey
    buyback_recipient: Pubkey  # the first of eight
    protocol_fee_bps: int
    creator_fee_bps: int
    migration_fee_lamports: int

    @staticmethod
    def decode(data: bytes) -> "PumpGlobal":
        """Return the account in some data.

        Raises:
            PumpAccountError: it is another account.
        """
        if data[:8] != _GLOBAL or len(data) < _GLOBAL_BYTES:
            raise PumpAccountError("no global account of pump.fun")
        return PumpGlobal(
            _key(data, _RECIPIENT_AT),
            _key(data, _BUYBACK_AT),
            _number(data, _FEE_AT),
            _number(data, _CREATOR_FEE_AT),
            _number(data, _MIGRATION_FEE_AT),
        )

    def encode(self) -> bytes:
        """Return the data of an account with these fields, all others being zero."""
        data = bytearray(_GLOBAL.ljust(_GLOBAL_BYTES, b"\0"))
        _put(data, _RECIPIENT_AT, bytes(self.fee_recipient))
        _put(data, _BUYBACK_AT, bytes(self.buyback_recipient))
        for at, value in (
            (_FEE_AT, self.protocol_fee_bps),
            (_CREATOR_FEE_AT, self.creator_fee_bps),
            (_MIGRATION_FEE_AT, self.migration_fee_lamports),
        ):
            _put(data, at, struct.pack("<Q", value))
        return bytes(data)


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """The global account of PumpSwap."""

    buyback_recipient: Pubkey  # the first of eight wallets
    disable_flags: int  # functions of the program that are switched off
    fee_recipient: Pubkey = NO_KEY  # the first of eight wallets; v1 trades pay the protocol's fee to one of them

    @staticmethod
    def decode(data: bytes) -> "PoolConfig":
        """Return the account in some data.

        Raises:
            PumpAccountError: it is another account.
        """
        if data[:8] != _POOL_CONFIG or len(data) < _POOL_CONFIG_BYTES:
            raise PumpAccountError("no global account of PumpSwap")
        return PoolConfig(_key(data, _POOL_BUYBACK_AT), data[_FLAGS_AT], _key(data, _POOL_RECIPIENT_AT))

    def encode(self) -> bytes:
        """Return the data of an account with these fields, all others being zero."""
        data = bytearray(_POOL_CONFIG.ljust(_POOL_CONFIG_BYTES, b"\0"))
        _put(data, _POOL_BUYBACK_AT, bytes(self.buyback_recipient))
        _put(data, _POOL_RECIPIENT_AT, bytes(self.fee_recipient))
        data[_FLAGS_AT] = self.disable_flags
        return bytes(data)


def _key(data: bytes, at: int) -> Pubkey:
    return Pubkey.from_bytes(data[at : at + _KEY_BYTES])


def _number(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<Q", data, at)[0]
    return value


def _put(data: bytearray, at: int, value: bytes) -> None:
    data[at : at + len(value)] = value
