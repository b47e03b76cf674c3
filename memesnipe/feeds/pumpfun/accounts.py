"""The accounts of PumpSwap pools and of mints, as a node returns them.

Sources: the account `Pool` in PumpSwap's IDL, to which fields are appended from time to time; the base state of a mint
in SPL Token, which Token-2022 begins with too.
"""

import binascii
import struct
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.programs import NO_KEY, PUMP, PUMP_AMM

_POOL_DISCRIMINATOR: Final = bytes.fromhex("f19a6d0411b16dbc")
# index, creator, base_mint, quote_mint; skipped: the bump, lp_mint, two token accounts, lp_supply
_POOL: Final = struct.Struct("<8xxH32s32s32s32x32x32x8x")
_COIN_CREATOR_END: Final = _POOL.size + 32  # appended in 2025; older accounts end before it
_TOKEN_PROGRAMS: Final = frozenset(
    {"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"}
)
_MINT: Final = struct.Struct("<36xQB?")  # supply, decimals, is_initialized; after the mint authority
_MINT_BYTES: Final = 82
_TOKEN_2022_TYPE: Final = 165  # offset of the account's type where there are extensions; 1 is a mint
_PUMP_KEY: Final = Pubkey.from_string(PUMP)


class AccountError(Exception):
    """An account is not of the expected kind; the text says why."""


class PoolAccount(NamedTuple):
    """What a pool's account says about its coins; keys of 32 bytes."""

    base_mint: bytes
    quote_mint: bytes
    coin_creator: bytes  # b"": none
    is_of_migration: bool  # the pool that pump.fun creates when a curve is complete; there is one for a coin


class MintAccount(NamedTuple):
    """What a mint's account says."""

    supply_raw: int
    decimals: int


class Account(msgspec.Struct):
    """An account in a reply with the encoding base64."""

    owner: str
    data: tuple[str, str]


class _Accounts(msgspec.Struct):
    value: Annotated[list[Account | None], msgspec.Meta(max_length=100)]


def accounts_of(result: Any, count: int) -> list[Account | None]:
    """Return the accounts in a result of `getMultipleAccounts`; None for one that does not exist.

    Raises:
        AccountError: the result is of another form, or has not this number of accounts.
    """
    try:
        found = msgspec.convert(result, _Accounts).value
    except msgspec.ValidationError as error:
        raise AccountError(f"getMultipleAccounts: {error}") from None
    if len(found) != count:
        raise AccountError(f"getMultipleAccounts: {len(found)} accounts instead of {count}")
    return found


def pool_of(account: Account) -> PoolAccount:
    """Return the pool in an account.

    Raises:
        AccountError: it is no pool of PumpSwap.
    """
    data = _data_of(account)
    if account.owner != PUMP_AMM or data[: len(_POOL_DISCRIMINATOR)] != _POOL_DISCRIMINATOR:
        raise AccountError("no pool of PumpSwap")
    if len(data) < _POOL.size:
        raise AccountError(f"{len(data)} bytes are too few for a pool")
    index, creator, base_mint, quote_mint = _POOL.unpack_from(data)
    coin_creator = data[_POOL.size : _COIN_CREATOR_END] if len(data) >= _COIN_CREATOR_END else NO_KEY
    authority, _ = Pubkey.find_program_address([b"pool-authority", base_mint], _PUMP_KEY)
    return PoolAccount(
        base_mint,
        quote_mint,
        b"" if coin_creator == NO_KEY else coin_creator,
        index == 0 and creator == bytes(authority),
    )


def mint_of(account: Account) -> MintAccount:
    """Return the mint in an account.

    Raises:
        AccountError: it is no mint of SPL Token or Token-2022.
    """
    data = _data_of(account)
    has_type = len(data) > _TOKEN_2022_TYPE and data[_TOKEN_2022_TYPE] == 1
    if account.owner not in _TOKEN_PROGRAMS or not (len(data) == _MINT_BYTES or has_type):
        raise AccountError("no mint")
    supply_raw, decimals, is_initialized = _MINT.unpack_from(data)
    if not is_initialized:
        raise AccountError("a mint that is not initialized")
    return MintAccount(supply_raw, decimals)


def _data_of(account: Account) -> bytes:
    try:
        return binascii.a2b_base64(account.data[0], strict_mode=True)
    except (binascii.Error, ValueError):
        raise AccountError("data that is no base64") from None
