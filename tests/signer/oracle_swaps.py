"""The oracle's own reading of the instructions that swap: which trades they are, and whose accounts they use."""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tests.signer import addresses as w
from tests.signer.oracle_reader import Read

# (program, first bytes) -> (side, is the output exact, (user, mint, other mint, programs, token and other account))
CURVE, POOL = (8, 1, 2, 3, 4, 9, 10), (1, 3, 4, 9, 10, 5, 6)
TRADES: Final = {
    (w.PUMP, "07051dc4f5176550"): ("buy", True, CURVE),
    (w.PUMP, "e1f7501ed5b38488"): ("buy", False, CURVE),
    (w.PUMP, "1c92de7726c469d5"): ("sell", False, CURVE),
    (w.PUMPSWAP, "b817ee6167c5d33d"): ("buy", True, POOL),
    (w.PUMPSWAP, "c2ab1c46684d5b2f"): ("buy", False, POOL),
    (w.PUMPSWAP, "5df6823ce7e940b2"): ("sell", False, POOL),
}
# first bytes of v1 trades of cashback coins -> (side, is the output exact, number of accounts, accumulator, its tokens)
V1_POOL = (1, 3, 4, 11, 12, 5, 6)
V1: Final = {
    "66063d1201daebea": ("buy", True, 27, 20, 23),
    "c62e1552b4d9e870": ("buy", False, 27, 20, 23),
    "33e685a4017f83ad": ("sell", False, 26, 22, 21),
}
# first bytes -> (start of the amounts, user, source, destination, their mints, their programs, number of accounts)
ROUTES: Final = {"bb64facc31c4af14": (8, 0, 1, 2, 3, 4, 5, 6, 10), "d19853937cfed8e9": (9, 1, 2, 5, 6, 7, 8, 9, 12)}
V2_OF_THE_CURVE: Final = {"b817ee6167c5d33d", "c2ab1c46684d5b2f", "5df6823ce7e940b2"}
INIT: Final = bytes.fromhex("5e06ca73ff60e8b7")
EVENT_AUTHORITY: Final = Pubkey.find_program_address([b"__event_authority"], w.PUMPSWAP)[0]
OWN_INIT: Final = [w.WALLET, w.WALLET, w.OWN_ACCUMULATOR, w.SYSTEM, EVENT_AUTHORITY, w.PUMPSWAP]
Swaps = list[tuple[str, Pubkey, int, int]]


@dataclass(frozen=True)
class Limits:
    """The numbers of the policy."""

    transaction: int
    priority_fee: int
    tip: int
    rent: int
    slippage_bps: int
    age_ms: int
    tips: frozenset[Pubkey]


def swaps_in(read: Read, found: set[str], limits: Limits) -> Swaps:
    swaps: Swaps = []
    for program, accounts, data in read.instructions:
        name = data[:8].hex()
        if (program, name) in TRADES:
            swaps += _trade(program, accounts, data, found)
        elif program == w.PUMPSWAP and name in V1:
            swaps += _v1_trade(accounts, data, found)
        elif program == w.PUMPSWAP and data == INIT:
            found |= set() if accounts == OWN_INIT else {"account"}
        elif program == w.JUPITER and name in ROUTES:
            swaps += _route(accounts, data, found, limits)
        elif program == w.PUMP and name in V2_OF_THE_CURVE:
            found.add("swap")  # no case has its 26 or 27 accounts
        elif program in (w.PUMP, w.PUMPSWAP, w.JUPITER):
            found.add("instruction")
    return swaps


def _trade(program: Pubkey, accounts: list[Pubkey], data: bytes, found: set[str]) -> Swaps:
    side, is_exact, (user, mint, other, token_program, other_program, own, own_other) = TRADES[program, data[:8].hex()]
    flagged = program == w.PUMP and side == "buy" and data[24:] == b"\0"
    if len(accounts) != 17 or not (len(data) == 24 or flagged):
        found.add("swap")
        return []
    _own_accounts(accounts, user, mint, other, token_program, other_program, own, own_other, found)
    first, second = struct.unpack("<QQ", data[8:24])
    return [(side, accounts[mint], *((second, first) if is_exact else (first, second)))]


def _v1_trade(accounts: list[Pubkey], data: bytes, found: set[str]) -> Swaps:
    side, is_exact, number, accumulator, cashback = V1[data[:8].hex()]
    flagged = side == "buy" and data[24:] in (b"\0", b"\1")
    if len(accounts) != number or not (len(data) == 24 or flagged):
        found.add("swap")
        return []
    _own_accounts(accounts, *V1_POOL, found)
    if (accounts[accumulator], accounts[cashback]) != (w.OWN_ACCUMULATOR, w.OWN_CASHBACK):
        found.add("destination")
    first, second = struct.unpack("<QQ", data[8:24])
    return [(side, accounts[3], *((second, first) if is_exact else (first, second)))]


def _own_accounts(
    accounts: list[Pubkey], user: int, mint: int, other: int, token_program: int, other_program: int, own: int,
    own_other: int, found: set[str],
) -> None:  # fmt: skip
    """Add what is wrong with the accounts of a trade at these places."""
    if accounts[user] != w.WALLET:
        found.add("account")
    if accounts[other] != w.WSOL or accounts[mint] == w.WSOL:
        found.add("swap")
    if accounts[token_program] not in (w.TOKEN, w.TOKEN_2022) or accounts[other_program] != w.TOKEN:
        found.add("account")
    expected = (w.ata_of(w.WALLET, accounts[mint], accounts[token_program]), w.OWN_WSOL)
    if (accounts[own], accounts[own_other]) != expected:
        found.add("destination")


def _route(accounts: list[Pubkey], data: bytes, found: set[str], limits: Limits) -> Swaps:
    start, user, *places, least = ROUTES[data[:8].hex()]
    if len(data) < start + 22 or len(accounts) < least:
        found.add("swap")
        return []
    amount, quoted, slippage, fee = struct.unpack("<QQHH", data[start : start + 20])
    source, destination, *mints_and_programs = (accounts[place] for place in places)
    mints, programs = mints_and_programs[:2], mints_and_programs[2:]
    if accounts[user] != w.WALLET:
        found.add("account")
    if slippage > limits.slippage_bps or fee:
        found.add("swap")
    if start == 8 and accounts[7] not in (w.JUPITER, destination):
        found.add("destination")
    side = "sell" if mints[1] == w.WSOL else "buy"
    token, other = (0, 1) if side == "sell" else (1, 0)
    if mints[other] != w.WSOL or mints[token] == w.WSOL:
        found.add("swap")
    if programs[token] not in (w.TOKEN, w.TOKEN_2022) or programs[other] != w.TOKEN:
        found.add("account")
    own = (source, destination)
    if own[token] != w.ata_of(w.WALLET, mints[token], programs[token]) or own[other] != w.OWN_WSOL:
        found.add("destination")
    return [(side, mints[token], amount, -(-quoted * (10_000 - slippage) // 10_000))]
