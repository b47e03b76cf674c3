"""What the policy forbids, found by other means than the signer's: a hand-written reader of the bytes, a list of rules,
and the execution of the transaction, of which only the outcome for the wallet counts.

It knows nothing of `memesnipe.signer`. The result is the set of all reasons for which a transaction must be refused; an
empty set means that it must be signed.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from solders.pubkey import Pubkey

from tests.signer import addresses as w
from tests.signer.oracle_reader import Read, read_transaction
from tests.signer.oracle_swaps import INIT, OWN_INIT, V1, Limits, swaps_in
from tests.signer.world import World

COMPUTE: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
ATA: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
PROGRAMS: Final = {COMPUTE, ATA, w.SYSTEM, w.TOKEN, w.TOKEN_2022, w.PUMP, w.PUMPSWAP, w.JUPITER}
OWN_CASHBACK_ATA: Final = [w.WALLET, w.OWN_CASHBACK, w.OWN_ACCUMULATOR, w.WSOL, w.SYSTEM, w.TOKEN]
RIGHTS: Final = ((0, 64), (72, 76), (108, 109), (129, 165))  # mint and owner, is delegated, state, close authority


def judge(raw: bytes, intent: dict[str, Any], now_ms: int, world: World, limits: Limits) -> set[str]:
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


def _judge(read: Read, raw: bytes, intent: dict[str, Any], now_ms: int, world: World, limits: Limits) -> set[str]:
    found: set[str] = set()
    sums, swaps, budget = Sums(), swaps_in(read, found, limits), []
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
    is_cashback = any(p == w.PUMPSWAP and d[:8].hex() in V1 for p, _, d in read.instructions)
    prepares = any(
        (p == w.PUMPSWAP and d == INIT and a == OWN_INIT) or (p == ATA and d == b"\x01" and a == OWN_CASHBACK_ATA)
        for p, a, d in read.instructions
    )
    if prepares and not is_cashback:
        found.add("account")
    if len(set(budget)) < len(budget):
        found.add("compute_budget")
    if len(swaps) != 1:
        return found | {"swap"}
    side, mint, takes, gives = swaps[0]
    priority = (sums.units * sums.price + 999_999) // 1_000_000
    costs = 5_000 + priority + sums.tip
    found |= _amounts(swaps[0], sums, priority, costs, intent, now_ms, world, limits)
    # What the bytes alone show comes first; running the transaction decides about the others.
    return found or _outcome(read, world.run(raw), side, mint, takes, gives, costs, world, limits)


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
    elif accounts == OWN_CASHBACK_ATA:
        return
    elif len(accounts) != 6 or accounts[4] != w.SYSTEM or accounts[5] not in (w.TOKEN, w.TOKEN_2022):
        found.add("account")
    elif accounts[:3:2] != [w.WALLET] * 2 or accounts[1] != w.ata_of(w.WALLET, accounts[3], accounts[5]):
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
        own = {w.ata_of(w.WALLET, mint, program) for mint in mints} | ({w.OWN_WSOL} if program == w.TOKEN else set())
        if accounts[0] not in own:
            found.add("account")


def _amounts(
    swap: tuple[str, Pubkey, int, int], sums: Sums, priority: int, costs: int, intent: dict[str, Any], now_ms: int,
    world: World, limits: Limits,
) -> set[str]:  # fmt: skip
    side, mint, takes, gives = swap
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
    return {name for name, is_so in checks.items() if is_so}


def _outcome(
    read: Read, ran: Any, side: str, mint: Pubkey, takes: int, gives: int, costs: int, world: World, limits: Limits
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
        is_given_away = key != w.WALLET and after is not None and bytes(after.data[32:64]) != bytes(w.WALLET)
        if is_given_away:
            found.add("authority")
        after_sol += after.lamports if after and key in (w.WALLET, w.OWN_WSOL) and not is_given_away else 0
        if key == w.WALLET:
            if after is not None and (after.owner != w.SYSTEM or after.data):
                found.add("authority")
            continue
        had = struct.unpack("<Q", before.data[64:72])[0] if before else 0
        has = struct.unpack("<Q", after.data[64:72])[0] if after and len(after.data) >= 165 else 0
        if _loses_rights(key, before, after, closed):
            found.add("authority")
        if key != w.OWN_WSOL and had - has > (takes if side == "sell" and held[key] == mint else 0):
            found.add("balance")
        bought += has - had if held[key] == mint else 0
    if side == "buy" and bought < gives:
        found.add("balance")
    new = {k: a for k, a in ran.items() if a is not None and world.vm.get_account(k) is None}
    rent = sum(a.lamports for k, a in new.items() if k != w.OWN_WSOL or a.data[32:64] != bytes(w.WALLET))
    foreign = sum(a.lamports for k, a in new.items() if len(a.data) < 165 or a.data[32:64] != bytes(w.WALLET))
    if foreign > limits.rent:
        found.add("balance")
    declared = costs + rent + (takes if side == "buy" else -gives)
    if before_sol - after_sol > declared:
        found.add("balance")
    if side == "buy" and declared > limits.transaction:
        found.add("spend_transaction")
    return found


def _loses_rights(key: Pubkey, before: Any, after: Any, closed: set[Pubkey]) -> bool:
    """Return whether others have more rights over a token account of the wallet than before."""
    if after is None:
        return bool(before) and key not in closed
    if not before:
        return any(after.data[72:76]) or any(after.data[129:133])
    return any(bytes(before.data)[a:b] != after.data[a:b] for a, b in RIGHTS)
