"""Accounts as JSON, in the encodings of a node."""

import base64
from typing import Any, Final, Literal

import msgspec
from solders.account import Account

from memesnipe import base58
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Commitment
from memesnipe.localnet.rpc.errors import invalid
from memesnipe.localnet.tokens import TOKEN, Mint, TokenAccount, mint, token_account

Encoding = Literal["base58", "base64", "jsonParsed"]
_RENT_EXEMPT_EPOCH: Final = 2**64 - 1
_BASE58_BYTES: Final = 128  # the most that a node encodes in base58


class DataSlice(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A part of an account's data."""

    offset: int
    length: int


def account_json(
    account: Account | None, encoding: Encoding | None, part: DataSlice | None, chain: Chain, commitment: Commitment
) -> dict[str, Any] | None:
    """Return an account as JSON; None if there is none.

    Args:
        account: the account.
        encoding: None for the outdated form without a name, which is base58.
        part: the part of the data to return; None for all.
        chain: knows the mints of token accounts.
        commitment: at which the mint is read.

    Raises:
        RpcError: the data is too long for base58.
    """
    if account is None:
        return None
    return {
        "lamports": account.lamports,
        "data": _data(account, encoding, part, chain, commitment),
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": _RENT_EXEMPT_EPOCH,
        "space": len(account.data),
    }


def amount_json(amount: int, decimals: int) -> dict[str, Any]:
    """Return an amount of tokens as JSON."""
    whole, rest = divmod(amount, 10**decimals)
    fraction = f"{rest:0{decimals}}".rstrip("0") if rest else ""
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": amount / 10**decimals,
        "uiAmountString": f"{whole}.{fraction}" if fraction else str(whole),
    }


def _data(
    account: Account, encoding: Encoding | None, part: DataSlice | None, chain: Chain, commitment: Commitment
) -> Any:
    if encoding == "jsonParsed":
        parsed = _parsed(account, chain, commitment)
        if parsed is not None:
            name = "spl-token" if account.owner == TOKEN else "spl-token-2022"
            return {"program": name, "parsed": parsed, "space": len(account.data)}
        encoding = "base64"  # as a node does for programs that it does not know
    data = account.data if part is None else account.data[part.offset : part.offset + part.length]
    if encoding == "base64":
        return [base64.b64encode(data).decode(), "base64"]
    if len(data) > _BASE58_BYTES:
        raise invalid(f"Encoded binary (base 58) data should be less than {_BASE58_BYTES} bytes, please use Base64")
    return base58.encode(data) if encoding is None else [base58.encode(data), "base58"]


def _parsed(account: Account, chain: Chain, commitment: Commitment) -> dict[str, Any] | None:
    """Return a token account or a mint as JSON; None if it is neither."""
    held, minted = token_account(account), mint(account)
    if minted is not None:
        return {"info": _mint(account, minted), "type": "mint"}
    decimals = mint(chain.account(held.mint, commitment)) if held is not None else None
    if held is None or decimals is None:
        return None
    return {"info": _token_account(account, held, decimals.decimals), "type": "account"}


def _mint(account: Account, minted: Mint) -> dict[str, Any]:
    data = account.data
    return {
        "decimals": minted.decimals,
        "freezeAuthority": _optional_key(data[46:82]),
        "isInitialized": True,
        "mintAuthority": _optional_key(data[:36]),
        "supply": str(minted.supply),
    }


def _token_account(account: Account, held: TokenAccount, decimals: int) -> dict[str, Any]:
    is_native = int.from_bytes(account.data[109:113], "little") == 1
    state = ("uninitialized", "initialized", "frozen")[account.data[108]]
    return {
        "isNative": is_native,
        "mint": str(held.mint),
        "owner": str(held.owner),
        "state": state,
        "tokenAmount": amount_json(held.amount, decimals),
    }


def _optional_key(field: bytes) -> str | None:
    """Return a key of a mint that may be absent: four bytes that say so, and the key."""
    return base58.encode(field[4:]) if field[0] else None
