"""Valid swaps, of every venue and kind, before they are bytes."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tests.signer import addresses as w
from tests.signer.oracle import ATA
from tests.signer.oracle_swaps import EVENT_AUTHORITY, INIT
from tests.signer.world import World, pay

TABLE: Final = w.address(20)


@dataclass
class Case:
    """A transaction before it is bytes, and the world in which it is signed."""

    instructions: list[Instruction] = field(repr=False)
    intent: dict[str, Any]
    has_wsol: bool = True
    legacy: bool = False
    payer: Pubkey = w.WALLET
    tabled: list[Pubkey] = field(default_factory=list)
    tables: dict[Pubkey, list[Pubkey]] | None = None
    hostile: list[Instruction] = field(default_factory=list)
    is_valid: bool = True
    edits: list[Callable[[bytes], bytes]] = field(default_factory=list)
    age_ms: int = 0

    def world(self) -> World:
        """Return the world, which is shared between cases: only the node's answers differ."""
        world = _worlds[self.has_wsol]
        world.tables = ({TABLE: self.tabled} if self.tabled else {}) if self.tables is None else self.tables
        world.hostile, world.is_valid = self.hostile, self.is_valid
        return world

    def raw(self, blockhash: Hash) -> bytes:
        """Return the bytes of the transaction."""
        if self.legacy:
            message: Any = Message.new_with_blockhash(self.instructions, self.payer, blockhash)
        else:
            tables = [AddressLookupTableAccount(TABLE, self.tabled)] if self.tabled else []
            message = MessageV0.try_compile(self.payer, self.instructions, tables, blockhash)
        signers = message.header.num_required_signatures
        raw = bytes(VersionedTransaction.populate(message, [Signature.default()] * signers))
        for edit in self.edits:
            raw = edit(raw)
        return raw


_worlds: Final = {has_wsol: World(has_wsol) for has_wsol in (False, True)}


def create_ata(mint: Pubkey, program: Pubkey, owner: Pubkey = w.WALLET, data: bytes = b"\x01") -> Instruction:
    keys = [w.WALLET, w.ata_of(owner, mint, program), owner, mint, w.SYSTEM, program]
    return Instruction(ATA, data, [AccountMeta(key, i == 0, i < 2) for i, key in enumerate(keys)])


def token(program: Pubkey, data: bytes, *accounts: Pubkey, signer: Pubkey = w.WALLET) -> Instruction:
    """Return an instruction of a token program; all accounts are writable, the wallet signs."""
    return Instruction(program, data, [AccountMeta(key, key == signer, True) for key in accounts])


def pump(discriminator: str, first: int, second: int) -> Instruction:
    pool = [w.address(30 + i) for i in range(9)]
    keys = [
        pool[0], w.MINT, w.WSOL, w.TOKEN_2022, w.TOKEN, w.POOL, w.POOLS, w.POOLS_WSOL, w.WALLET, w.OWN, w.OWN_WSOL,
        pool[1], pool[2], pool[3], w.SYSTEM, pool[4], w.PUMP,
    ]  # fmt: skip
    writable = {5, 6, 7, 8, 9, 10, 11, 13}
    metas = [AccountMeta(key, i == 8, i in writable) for i, key in enumerate(keys)]
    return Instruction(w.PUMP, bytes.fromhex(discriminator) + struct.pack("<QQ", first, second), metas)


def pumpswap(discriminator: str, first: int, second: int) -> Instruction:
    pool = [w.address(30 + i) for i in range(9)]
    keys = [
        w.POOL, w.WALLET, pool[0], w.MINT, w.WSOL, w.OWN, w.OWN_WSOL, w.POOLS, w.POOLS_WSOL, w.TOKEN_2022, w.TOKEN,
        w.SYSTEM, pool[1], pool[2], pool[3], pool[4], w.PUMPSWAP,
    ]  # fmt: skip
    writable = {0, 1, 5, 6, 7, 8, 12, 14}
    metas = [AccountMeta(key, i == 1, i in writable) for i, key in enumerate(keys)]
    return Instruction(w.PUMPSWAP, bytes.fromhex(discriminator) + struct.pack("<QQ", first, second), metas)


def cashback(discriminator: str, first: int, second: int) -> Instruction:
    """Return a v1 trade of a cashback coin in a pool; a buy tracks its volume."""
    is_sale = discriminator == DISCRIMINATORS["cashback"]["sell"]
    pool = [w.address(30 + i) for i in range(9)]
    keys = [
        w.POOL, w.WALLET, pool[0], w.MINT, w.WSOL, w.OWN, w.OWN_WSOL, w.POOLS, w.POOLS_WSOL, pool[1], pool[2],
        w.TOKEN_2022, w.TOKEN, w.SYSTEM, ATA, pool[3], w.PUMPSWAP, pool[4], pool[5],
    ]  # fmt: skip
    tail, last = [pool[6], pool[7]], [pool[8], w.address(39), w.address(40)]
    if is_sale:
        keys += [*tail, w.OWN_CASHBACK, w.OWN_ACCUMULATOR, *last]
    else:
        keys += [w.address(42), w.OWN_ACCUMULATOR, *tail, w.OWN_CASHBACK, *last]
    writable = {w.POOL, w.WALLET, w.OWN, w.OWN_WSOL, w.POOLS, w.POOLS_WSOL, pool[2], pool[4]}
    writable |= {w.OWN_CASHBACK, w.OWN_ACCUMULATOR, last[2]}
    metas = [AccountMeta(key, key == w.WALLET, key in writable) for key in keys]
    data = bytes.fromhex(discriminator) + struct.pack("<QQ", first, second) + (b"" if is_sale else b"\1")
    return Instruction(w.PUMPSWAP, data, metas)


def create_accumulator(wallet: Pubkey = w.WALLET) -> Instruction:
    """Return the creation of the wallet's volume accumulator."""
    keys = [wallet, wallet, w.OWN_ACCUMULATOR, w.SYSTEM, EVENT_AUTHORITY, w.PUMPSWAP]
    return Instruction(w.PUMPSWAP, INIT, [AccountMeta(key, i == 0, i in (0, 2)) for i, key in enumerate(keys)])


def create_cashback_account(payer: Pubkey = w.WALLET) -> Instruction:
    """Return the creation of the token account that gets the wallet's cashback."""
    keys = [payer, w.OWN_CASHBACK, w.OWN_ACCUMULATOR, w.WSOL, w.SYSTEM, w.TOKEN]
    return Instruction(ATA, b"\x01", [AccountMeta(key, i == 0, i < 2) for i, key in enumerate(keys)])


def jupiter(is_buy: bool, is_shared: bool, amount: int, quoted: int, slippage: int) -> Instruction:
    own, mints, programs = [w.OWN_WSOL, w.OWN], [w.WSOL, w.MINT], [w.TOKEN, w.TOKEN_2022]
    if not is_buy:
        own, mints, programs = own[::-1], mints[::-1], programs[::-1]
    authority = w.address(41)
    pool = [w.POOL, w.POOLS, w.POOLS_WSOL]
    if is_shared:
        keys = [authority, w.WALLET, own[0], *pool[1:], own[1], *mints, *programs, authority, w.JUPITER, *pool]
    else:
        keys = [w.WALLET, *own, *mints, *programs, w.JUPITER, authority, w.JUPITER, *pool]
    writable = {w.WALLET, *own, *pool}
    metas = [AccountMeta(key, key == w.WALLET, key in writable) for key in keys]
    start = "d19853937cfed8e907" if is_shared else "bb64facc31c4af14"
    data = bytes.fromhex(start) + struct.pack("<QQHHH", amount, quoted, slippage, 0, 0) + b"\x01\0\0\0"
    return Instruction(w.JUPITER, data, metas)


def sync() -> Instruction:
    return Instruction(w.TOKEN, b"\x11", [AccountMeta(w.OWN_WSOL, False, True)])


DISCRIMINATORS: Final = {
    "pump": {"exact out": "07051dc4f5176550", "exact in": "e1f7501ed5b38488", "sell": "1c92de7726c469d5"},
    "pumpswap": {"exact out": "b817ee6167c5d33d", "exact in": "c2ab1c46684d5b2f", "sell": "5df6823ce7e940b2"},
    "cashback": {"exact out": "66063d1201daebea", "exact in": "c62e1552b4d9e870", "sell": "33e685a4017f83ad"},
}


def _trade(draw: st.DrawFn, venue: str, side: str, amount: int) -> tuple[Instruction, int, int]:
    """Return a swap, what it takes at most, and what it gives at least."""
    least = amount * draw(st.integers(0, 95)) // 100
    if venue in ("route", "shared"):
        slippage = draw(st.integers(0, 3_000))
        swap = jupiter(side == "buy", venue == "shared", amount, least, slippage)
        return swap, amount, -(-least * (10_000 - slippage) // 10_000)
    kind = draw(st.sampled_from(["exact in", "exact out"])) if side == "buy" else "sell"
    first, second = (least + 1, amount) if kind == "exact out" else (amount, least)
    make = {"pump": pump, "pumpswap": pumpswap, "cashback": cashback}[venue]
    swap = make(DISCRIMINATORS[venue][kind], first, second)
    if venue == "pump" and side == "buy" and draw(st.booleans()):
        swap = Instruction(swap.program_id, bytes(swap.data) + b"\0", swap.accounts)
    return swap, amount, first if kind == "exact out" else least


VENUES: Final = ["pump", "pumpswap", "cashback", "route", "shared"]


@st.composite
def swaps(draw: st.DrawFn) -> Case:
    """Return a valid swap."""
    venue, side = draw(st.sampled_from(VENUES)), draw(st.sampled_from(["buy", "sell"]))
    amount = draw(st.integers(100_000, 5_000_000))
    swap, max_in, min_out = _trade(draw, venue, side, amount)
    least_units = 150_000 if venue == "cashback" else 50_000  # it creates two accounts more
    units, price = draw(st.integers(least_units, 400_000)), draw(st.integers(0, 10**6))
    body = [set_compute_unit_limit(units), set_compute_unit_price(price)]
    if venue != "pump":
        body.append(create_ata(w.WSOL, w.TOKEN))
        if side == "buy":
            body += [pay(amount, w.OWN_WSOL), sync()]
        elif venue == "cashback":  # a buy creates them itself
            body += [create_accumulator(), create_cashback_account()]
    body += [create_ata(w.MINT, w.TOKEN_2022), swap] if side == "buy" else [swap]
    if venue != "pump" and draw(st.booleans()):
        body.append(token(w.TOKEN, b"\x09", w.OWN_WSOL, w.WALLET, w.WALLET))
    if draw(st.booleans()):
        body.append(pay(draw(st.integers(0, 500_000)), w.TIP))
    intent = {"side": side, "mint": str(w.MINT), "max_in": max_in, "min_out": min_out}
    case = Case(body, intent, has_wsol=draw(st.booleans()), legacy=draw(st.booleans()))
    if not case.legacy and draw(st.booleans()):
        pool = [w.POOL, w.POOLS, w.POOLS_WSOL, w.MINT, w.WSOL, *(w.address(30 + i) for i in range(5))]
        case.tabled = draw(st.permutations(pool))
    return case
