"""What the policy forbids, found by other means than the signer's: a hand-written reader of the bytes, a list of rules,
and the execution of the transaction, of which only the outcome for the wallet counts.

It knows nothing of `memesnipe.signer`. The result is the set of all reasons for which a transaction must be refused; an
empty set means that it must be signed.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from solders.pubkey import Pubkey

from tests.signer import world as w
from tests.signer.oracle_reader import Read, read_transaction
from tests.signer.world import ata_of

COMPUTE: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
ATA: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
PROGRAMS: Final = {COMPUTE, ATA, w.SYSTEM, w.TOKEN, w.TOKEN_2022, w.PUMP, w.PUMPSWAP, w.JUPITER}
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
# first bytes -> (start of the amounts, user, source, destination, their mints, their programs, number of accounts)
ROUTES: Final = {"bb64facc31c4af14": (8, 0, 1, 2, 3, 4, 5, 6, 10), "d19853937cfed8e9": (9, 1, 2, 5, 6, 7, 8, 9, 12)}
V2_OF_THE_CURVE: Final = {"b817ee6167c5d33d", "c2ab1c46684d5b2f", "5df6823ce7e940b2"}
RIGHTS: Final = ((0, 64), (72, 76), (108, 109), (129, 165))  # mint and owner, is delegated, state, close authority


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


def judge(raw: bytes, intent: dict[str, Any], now_ms: int, world: w.World, limits: Limits) -> set[str]:
    """Return the reasons for which a transaction must be refused."""
    found: set[str] = set()
    read = read_transaction(raw, world, found)
    if read is None:
        return found
    return found | _judge(read, raw, intent, now_ms, world, limits)


@dataclass
class Sums:
    """What a transaction says that it does."""

    units: int = 1_400_000
    price: int = 0
    tip: int = 0
    wrapped: int = 0


Swaps = list[tuple[str, Pubkey, int, int]]


def _judge(read: Read, raw: bytes, intent: dict[str, Any], now_ms: int, world: w.World, limits: Limits) -> set[str]:
    found: set[str] = set()
    sums, swaps, budget = Sums(), _swaps(read, found, limits), []
    mints = {mint for _, mint, _, _ in swaps}
    for program, accounts, data in read.instructions:
        if program not in PROGRAMS:
            found.add("program")
        elif program == COMPUTE:
            budget.append(data[:1])
            _budget(accounts, data, sums, found)
        elif program == w.SYSTEM:
            _system(read, accounts, data, sums, found, limits)
        elif program == ATA:
            _associated(accounts, data, mints, found)
        elif program in (w.TOKEN, w.TOKEN_2022):
            _token(program, accounts, data, mints, found)
    if len(set(budget)) < len(budget):
        found.add("compute_budget")
    if len(swaps) != 1:
        return found | {"swap"}
    return found | _amounts(read, raw, swaps[0], sums, intent, now_ms, world, limits)


def _budget(accounts: list[Pubkey], data: bytes, sums: Sums, found: set[str]) -> None:
    kind = data[0] if data else 255
    if kind not in (2, 3, 4):
        found.add("instruction")
    elif len(data) != (9 if kind == 3 else 5) or accounts:
        found.add("compute_budget")
    elif kind == 2:
        sums.units = min(1_400_000, struct.unpack("<I", data[1:])[0])
    elif kind == 3:
        sums.price = struct.unpack("<Q", data[1:])[0]


def _system(read: Read, accounts: list[Pubkey], data: bytes, sums: Sums, found: set[str], limits: Limits) -> None:
    kind = struct.unpack("<I", data[:4])[0] if len(data) >= 4 else -1
    if kind in (4, 5, 6, 7, 12):
        found.add("durable_nonce")
    elif kind != 2:
        found.add("instruction")
    elif len(data) != 12 or len(accounts) != 2 or accounts[0] != w.WALLET:
        found.add("account")
    elif accounts[1] == w.OWN_WSOL:
        sums.wrapped += struct.unpack("<Q", data[4:])[0]
    elif accounts[1] not in limits.tips:
        found.add("destination")
    elif accounts[1] not in read.keys[: read.static]:
        found.add("tip")
    else:
        sums.tip += struct.unpack("<Q", data[4:])[0]


def _associated(accounts: list[Pubkey], data: bytes, mints: set[Pubkey], found: set[str]) -> None:
    if data != b"\x01":
        found.add("instruction")
    elif len(accounts) != 6 or accounts[4] != w.SYSTEM or accounts[5] not in (w.TOKEN, w.TOKEN_2022):
        found.add("account")
    elif (
        accounts[0] != w.WALLET or accounts[2] != w.WALLET or accounts[1] != ata_of(w.WALLET, accounts[3], accounts[5])
    ):
        found.add("destination")
    elif accounts[3] not in mints | {w.WSOL}:
        found.add("account")


def _token(program: Pubkey, accounts: list[Pubkey], data: bytes, mints: set[Pubkey], found: set[str]) -> None:
    if data not in (b"\x09", b"\x11"):
        found.add("instruction")
    elif data == b"\x11":
        if accounts != [w.OWN_WSOL] or program != w.TOKEN:
            found.add("account")
    elif len(accounts) != 3 or accounts[2] != w.WALLET:
        found.add("account")
    elif accounts[1] != w.WALLET:
        found.add("destination")
    else:
        own = {ata_of(w.WALLET, mint, program) for mint in mints} | ({w.OWN_WSOL} if program == w.TOKEN else set())
        if accounts[0] not in own:
            found.add("account")


def _swaps(read: Read, found: set[str], limits: Limits) -> Swaps:
    swaps: Swaps = []
    for program, accounts, data in read.instructions:
        name = data[:8].hex()
        if (program, name) in TRADES:
            swaps += _trade(program, accounts, data, found)
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
    first, second = struct.unpack("<QQ", data[8:24])
    if accounts[user] != w.WALLET:
        found.add("account")
    if accounts[other] != w.WSOL or accounts[mint] == w.WSOL:
        found.add("swap")
    if accounts[token_program] not in (w.TOKEN, w.TOKEN_2022) or accounts[other_program] != w.TOKEN:
        found.add("account")
    if accounts[own] != ata_of(w.WALLET, accounts[mint], accounts[token_program]) or accounts[own_other] != w.OWN_WSOL:
        found.add("destination")
    return [(side, accounts[mint], *((second, first) if is_exact else (first, second)))]


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
    if own[token] != ata_of(w.WALLET, mints[token], programs[token]) or own[other] != w.OWN_WSOL:
        found.add("destination")
    return [(side, mints[token], amount, -(-quoted * (10_000 - slippage) // 10_000))]


def _amounts(
    read: Read, raw: bytes, swap: tuple[str, Pubkey, int, int], sums: Sums, intent: dict[str, Any], now_ms: int,
    world: w.World, limits: Limits,
) -> set[str]:  # fmt: skip
    side, mint, takes, gives = swap
    found: set[str] = set()
    priority = (sums.units * sums.price + 999_999) // 1_000_000
    costs = 5_000 + priority + sums.tip
    declared = costs + (takes if side == "buy" else 0)
    checks = {
        "priority_fee": priority > limits.priority_fee,
        "tip": sums.tip > limits.tip,
        "swap": sums.wrapped > (takes if side == "buy" else 0),
        "spend_transaction": side == "buy" and declared > limits.transaction,
        "intent": (side, str(mint)) != (intent["side"], intent["mint"])
        or takes > intent["max_in"]
        or gives < intent["min_out"],
        "stale": not -2_000 <= now_ms - intent["decided_ms"] <= limits.age_ms,
        "blockhash": not world.is_valid,
    }
    found |= {name for name, is_so in checks.items() if is_so}
    if any(program not in PROGRAMS for program, _, _ in read.instructions):
        return found  # nothing more follows from running it
    return found | _outcome(read, world.run(raw), side, mint, takes, gives, costs, world, limits)


def _outcome(
    read: Read, ran: Any, side: str, mint: Pubkey, takes: int, gives: int, costs: int, world: w.World, limits: Limits
) -> set[str]:
    """Return what is wrong with the wallet after the transaction."""
    if isinstance(ran, str):
        return {"simulation"}
    found: set[str] = set()
    closed = {a[0] for p, a, d in read.instructions if p in (w.TOKEN, w.TOKEN_2022) and d == b"\x09" and len(a) == 3}
    held = {w.OWN: w.MINT, w.OWN_OTHER: w.OTHER_MINT, w.OWN_WSOL: w.WSOL}
    bought = 0
    before_sol = after_sol = 0
    for key in (w.WALLET, *held):
        before = world.vm.get_account(key)
        after = ran.get(key, before)
        before_sol += before.lamports if before and key in (w.WALLET, w.OWN_WSOL) else 0
        after_sol += after.lamports if after and key in (w.WALLET, w.OWN_WSOL) else 0
        if key == w.WALLET:
            if after is not None and (after.owner != w.SYSTEM or after.data):
                found.add("authority")
            continue
        had = struct.unpack("<Q", before.data[64:72])[0] if before else 0
        has = struct.unpack("<Q", after.data[64:72])[0] if after and len(after.data) >= 165 else 0
        if before and after is None and key not in closed:
            found.add("authority")
        if before and after is not None and any(bytes(before.data)[a:b] != after.data[a:b] for a, b in RIGHTS):
            found.add("authority")
        if not before and after is not None and (any(after.data[72:76]) or any(after.data[129:133])):
            found.add("authority")
        if key != w.OWN_WSOL and had - has > (takes if side == "sell" and held[key] == mint else 0):
            found.add("balance")
        bought += has - had if held[key] == mint else 0
    if side == "buy" and bought < gives:
        found.add("balance")
    new = {k: a for k, a in ran.items() if a is not None and world.vm.get_account(k) is None}
    rent = sum(a.lamports for k, a in new.items() if k != w.OWN_WSOL)
    foreign = sum(a.lamports for k, a in new.items() if len(a.data) < 165 or a.data[32:64] != bytes(w.WALLET))
    if foreign > limits.rent:
        found.add("balance")
    declared = costs + rent + (takes if side == "buy" else -gives)
    if before_sol - after_sol > declared:
        found.add("balance")
    if side == "buy" and declared > limits.transaction:
        found.add("spend_transaction")
    return found
