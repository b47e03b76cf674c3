"""Accounts and transactions as a node returns them, for the tests of lookups."""

import base64
import struct
from collections.abc import Sequence
from typing import Any

from solders.pubkey import Pubkey

from memesnipe.base58 import encode as to_base58
from memesnipe.feeds.pumpfun.chain_events import ChainEvent
from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM
from memesnipe.feeds.pumpfun.quotes import WRAPPED_SOL_KEY
from memesnipe.testing.pumpfun_frames import SELF_CALL, TOKEN_PROGRAM, encode_event, key_of, program_of
from tests.feeds.pumpfun.chain import MAKER, MINT

TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
SUPPLY = 10**15


def authority_of(mint: bytes) -> bytes:
    """Return the creator of the pool to which a coin migrates."""
    return bytes(Pubkey.find_program_address([b"pool-authority", mint], Pubkey.from_string(PUMP))[0])


def pool_data(
    base: bytes = MINT, quote: bytes = WRAPPED_SOL_KEY, creator: bytes = MAKER, index: int = 0, size: int = 270
) -> bytes:
    """Return the first bytes of a pool's account."""
    head = bytes.fromhex("f19a6d0411b16dbc") + struct.pack("<BH", 254, index)
    keys = creator + base + quote + key_of("lp") + key_of("vault of base") + key_of("vault of quote")
    appended = MAKER + b"\0\1" + (-5).to_bytes(16, "little", signed=True) + struct.pack("<Q?", 30, True)
    return (head + keys + struct.pack("<Q", 4_000) + appended).ljust(size, b"\0")[:size]


def mint_data(decimals: int = 6, supply: int = SUPPLY, is_initialized: bool = True) -> bytes:
    """Return a mint's account without extensions."""
    return struct.pack("<I32sQB?I32s", 0, b"", supply, decimals, is_initialized, 0, b"")


def account(owner: str, data: bytes) -> dict[str, Any]:
    """Return an account with the encoding base64."""
    text = base64.b64encode(data).decode()
    return {"owner": owner, "data": [text, "base64"], "lamports": 1, "executable": False, "space": len(data)}


class Accounts:
    """The accounts of a node: the function of `getMultipleAccounts`."""

    def __init__(self, **accounts: dict[str, Any]) -> None:
        self.accounts = accounts

    def add_pool(self, pool: bytes, mint: bytes = MINT, decimals: int = 6, **fields: Any) -> None:
        """Add a pool and its mint."""
        self.accounts[base58(pool)] = account(PUMP_AMM, pool_data(mint, **fields))
        self.accounts[base58(mint)] = account(TOKEN_2022, with_extension(mint_data(decimals)))

    def __call__(self, keys: list[str], options: dict[str, Any]) -> Any:
        assert options == {"commitment": "confirmed", "encoding": "base64"}
        return {"context": {"slot": 1}, "value": [self.accounts.get(key) for key in keys]}


def with_extension(data: bytes) -> bytes:
    """Return a mint's account with an extension, as in Token-2022."""
    return data.ljust(165, b"\0") + b"\1" + bytes(20)


def transaction_result(events: Sequence[ChainEvent], slot: int = 10, **meta: Any) -> dict[str, Any]:
    """Return a result of `getTransaction` whose inner instructions have these events.

    PumpSwap's address is one that was loaded from a table; one inner instruction is of another program, and one of
    pump.fun is no event.
    """
    keys = [base58(USER_KEY), PUMP, TOKEN_PROGRAM]
    loaded = {"writable": [base58(key_of("curve"))], "readonly": [PUMP_AMM]}
    index = {PUMP: 1, PUMP_AMM: 4}
    inner = [
        {"programIdIndex": 2, "accounts": [], "data": to_base58(b"\3" + bytes(8)), "stackHeight": 2},
        {"programIdIndex": 1, "accounts": [], "data": to_base58(bytes(8) + encode_event(events[0])), "stackHeight": 2},
    ]
    inner += [
        {"programIdIndex": index[program_of(e)], "accounts": [0], "data": to_base58(SELF_CALL + encode_event(e))}
        for e in events
    ]
    return {
        "slot": slot,
        "version": 0,
        "transaction": {"signatures": ["s"], "message": {"accountKeys": keys, "instructions": []}},
        "meta": {"err": None, "innerInstructions": [{"index": 2, "instructions": inner}], "loadedAddresses": loaded}
        | meta,
    }


USER_KEY = key_of("signer")
