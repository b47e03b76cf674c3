"""Valid swaps, and what an attacker would change about them."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import request_heap_frame, set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    AdvanceNonceAccountParams,
    AllocateParams,
    AssignParams,
    CreateAccountParams,
    WithdrawNonceAccountParams,
    advance_nonce_account,
    allocate,
    assign,
    create_account,
    withdraw_nonce_account,
)
from solders.transaction import VersionedTransaction

from tests.signer import world as w
from tests.signer.oracle import ATA

TABLE: Final = w.key_of(20).pubkey()
LOOK_ALIKE: Final = Pubkey(bytes(w.PUMP)[:31] + bytes([bytes(w.PUMP)[31] ^ 1]))
MEMO: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


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

    def world(self) -> w.World:
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


_worlds: Final = {has_wsol: w.World(has_wsol) for has_wsol in (False, True)}


def create_ata(mint: Pubkey, program: Pubkey, owner: Pubkey = w.WALLET, data: bytes = b"\x01") -> Instruction:
    keys = [w.WALLET, w.ata_of(owner, mint, program), owner, mint, w.SYSTEM, program]
    return Instruction(ATA, data, [AccountMeta(key, i == 0, i < 2) for i, key in enumerate(keys)])


def token(program: Pubkey, data: bytes, *accounts: Pubkey, signer: Pubkey = w.WALLET) -> Instruction:
    """Return an instruction of a token program; all accounts are writable, the wallet signs."""
    return Instruction(program, data, [AccountMeta(key, key == signer, True) for key in accounts])


def pump(discriminator: str, first: int, second: int) -> Instruction:
    pool = [w.key_of(30 + i).pubkey() for i in range(9)]
    keys = [
        pool[0], w.MINT, w.WSOL, w.TOKEN_2022, w.TOKEN, w.POOL, w.POOLS, w.POOLS_WSOL, w.WALLET, w.OWN, w.OWN_WSOL,
        pool[1], pool[2], pool[3], w.SYSTEM, pool[4], w.PUMP,
    ]  # fmt: skip
    writable = {5, 6, 7, 8, 9, 10, 11, 13}
    metas = [AccountMeta(key, i == 8, i in writable) for i, key in enumerate(keys)]
    return Instruction(w.PUMP, bytes.fromhex(discriminator) + struct.pack("<QQ", first, second), metas)


def jupiter(is_buy: bool, amount: int, quoted: int, slippage: int) -> Instruction:
    own, mints = (w.OWN_WSOL, w.OWN), (w.WSOL, w.MINT)
    own, mints = (own, mints) if is_buy else (own[::-1], mints[::-1])
    keys = [w.WALLET, *own, *mints, w.TOKEN, w.TOKEN_2022, w.JUPITER, w.key_of(41).pubkey(), w.JUPITER, w.POOL, w.POOLS]
    metas = [AccountMeta(key, i == 0, i in (0, 1, 2, 10, 11)) for i, key in enumerate([*keys, w.POOLS_WSOL])]
    data = bytes.fromhex("bb64facc31c4af14") + struct.pack("<QQHHH", amount, quoted, slippage, 0, 0) + b"\x01\0\0\0"
    return Instruction(w.JUPITER, data, metas)


def sync() -> Instruction:
    return Instruction(w.TOKEN, b"\x11", [AccountMeta(w.OWN_WSOL, False, True)])


@st.composite
def swaps(draw: st.DrawFn) -> Case:
    """Return a valid swap."""
    has_wsol = draw(st.booleans())
    is_buy, kind = draw(st.booleans()), draw(st.sampled_from(["exact in", "exact out", "jupiter"]))
    amount = draw(st.integers(100_000, 5_000_000))
    least = amount * draw(st.integers(0, 95)) // 100
    start = [
        set_compute_unit_limit(draw(st.integers(50_000, 400_000))),
        set_compute_unit_price(draw(st.integers(0, 10**6))),
    ]
    tip = [w.pay(draw(st.integers(0, 500_000)), w.TIP)] * draw(st.integers(0, 1))
    if kind == "jupiter":
        wrap = (
            [create_ata(w.WSOL, w.TOKEN), w.pay(amount, w.OWN_WSOL), sync()]
            if is_buy
            else [create_ata(w.WSOL, w.TOKEN)]
        )
        body = [*wrap, create_ata(w.MINT, w.TOKEN_2022), jupiter(is_buy, amount, least * 100 // 99, 100)]
        if draw(st.booleans()):
            body.append(token(w.TOKEN, b"\x09", w.OWN_WSOL, w.WALLET, w.WALLET))
        least = least * 100 // 99 * 9_900 // 10_000
        intent = {"max_in": amount, "min_out": least}
    elif not is_buy:
        body = [pump("1c92de7726c469d5", amount, least)]
        intent = {"max_in": amount, "min_out": least}
    elif kind == "exact in":
        body = [create_ata(w.MINT, w.TOKEN_2022), pump("e1f7501ed5b38488", amount, least)]
        intent = {"max_in": amount, "min_out": least}
    else:
        most = amount * draw(st.integers(102, 130)) // 100
        body = [create_ata(w.MINT, w.TOKEN_2022), pump("07051dc4f5176550", amount, most)]
        intent = {"max_in": most, "min_out": amount}
    intent = {"side": "buy" if is_buy else "sell", "mint": str(w.MINT), "decided_ms": 0, **intent}
    case = Case(start + body + tip, intent, has_wsol, legacy=draw(st.booleans()))
    if not case.legacy and draw(st.booleans()):
        case.tabled = draw(
            st.permutations(
                [w.POOL, w.POOLS, w.POOLS_WSOL, w.MINT, w.WSOL, *(w.key_of(30 + i).pubkey() for i in range(5))]
            )
        )
    return case


Attack = Callable[[st.DrawFn, Case], None]

_VICTIMS: Final = ((w.OWN, w.TOKEN_2022), (w.OWN_OTHER, w.TOKEN), (w.OWN_WSOL, w.TOKEN))


def _theft(draw: st.DrawFn) -> Instruction:
    """Return an instruction that takes something from the wallet, or gives a right over it away."""
    account, program = draw(st.sampled_from(_VICTIMS))
    to = {w.OWN: w.ATTACKERS, w.OWN_OTHER: w.ATTACKERS_OTHER, w.OWN_WSOL: w.ATTACKERS_WSOL}[account]
    mint = {w.OWN: w.MINT, w.OWN_OTHER: w.OTHER_MINT, w.OWN_WSOL: w.WSOL}[account]
    amount = struct.pack("<Q", draw(st.sampled_from([0, 1, 10_000, 7_000_000])))
    new_authority = b"\x01" + bytes(w.ATTACKER)
    return draw(
        st.sampled_from(
            [
                w.pay(
                    draw(st.sampled_from([1, 10**6, 10**9])), draw(st.sampled_from([w.ATTACKER, w.key_of(50).pubkey()]))
                ),
                token(program, b"\x03" + amount, account, to, w.WALLET),
                token(program, b"\x0c" + amount + b"\x06", account, mint, to, w.WALLET),
                token(program, b"\x04" + amount, account, w.ATTACKER, w.WALLET),
                token(program, b"\x0d" + amount + b"\x06", account, mint, w.ATTACKER, w.WALLET),
                token(program, b"\x06\x02" + new_authority, account, w.WALLET),
                token(program, b"\x06\x03" + new_authority, account, w.WALLET),
                token(program, b"\x08" + amount, account, mint, w.WALLET),
                token(program, b"\x09", account, w.ATTACKER, w.WALLET),
                token(program, b"\x09", account, w.WALLET, w.WALLET),
                assign(AssignParams(pubkey=w.WALLET, owner=w.TOKEN)),
                allocate(AllocateParams(pubkey=w.WALLET, space=8)),
            ]
        )
    )


def _insert(draw: st.DrawFn, case: Case, instruction: Instruction) -> None:
    case.instructions.insert(draw(st.integers(0, len(case.instructions))), instruction)


def steal(draw: st.DrawFn, case: Case) -> None:
    """Add a theft, in the open or from within the program that swaps."""
    theft = _theft(draw)
    if draw(st.booleans()):
        _insert(draw, case, theft)
    else:
        case.hostile = [theft]
        swap = next(i for i, each in enumerate(case.instructions) if each.program_id in (w.PUMP, w.JUPITER))
        hidden = [AccountMeta(meta.pubkey, False, True) for meta in theft.accounts if meta.pubkey != w.WALLET]
        if draw(st.booleans()):  # accounts of the theft must be named by the transaction
            old = case.instructions[swap]
            case.instructions[swap] = Instruction(old.program_id, bytes(old.data), old.accounts + hidden)
        else:
            case.instructions.append(Instruction(w.TOKEN, b"\x11", hidden[:1]))


def add_instruction(draw: st.DrawFn, case: Case) -> None:
    """Add an instruction that has no place in a swap."""
    extra = draw(
        st.sampled_from(
            [
                advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=w.NONCE, authorized_pubkey=w.WALLET)),
                withdraw_nonce_account(
                    WithdrawNonceAccountParams(
                        nonce_pubkey=w.NONCE, authorized_pubkey=w.WALLET, to_pubkey=w.ATTACKER, lamports=1
                    )
                ),
                create_account(
                    CreateAccountParams(
                        from_pubkey=w.WALLET, to_pubkey=w.ATTACKER, lamports=10**6, space=0, owner=w.SYSTEM
                    )
                ),
                Instruction(MEMO, b"hello", []),
                Instruction(w.key_of(60).pubkey(), b"", [AccountMeta(w.WALLET, True, True)]),
                request_heap_frame(65_536),
                set_compute_unit_price(draw(st.integers(0, 10**7))),
                set_compute_unit_limit(1_400_000),
                create_ata(w.OTHER_MINT, w.TOKEN),
                create_ata(w.MINT, w.TOKEN_2022, data=b""),
                create_ata(w.MINT, w.TOKEN_2022, data=b"\x00"),
                create_ata(w.MINT, w.TOKEN_2022, owner=w.ATTACKER),
                token(w.TOKEN, b"\x11", w.ATTACKERS_WSOL),
                token(w.TOKEN_2022, b"\x11", w.OWN_WSOL),
                pump("1c92de7726c469d5", 1_000, 0),
                pump("e1f7501ed5b38488", 1_000, 0),
                w.pay(draw(st.integers(0, 10**7)), w.OWN_WSOL),
                w.pay(draw(st.integers(0, 10**7)), w.TIP),
            ]
        )
    )
    _insert(draw, case, extra)


def change_account(draw: st.DrawFn, case: Case) -> None:
    """Put another account into an instruction."""
    at = draw(st.integers(0, len(case.instructions) - 1))
    old = case.instructions[at]
    if not old.accounts:
        return
    metas = list(old.accounts)
    position = draw(st.integers(0, len(metas) - 1))
    to = draw(
        st.sampled_from(
            [w.ATTACKER, w.ATTACKERS, w.ATTACKERS_WSOL, w.OWN, w.OWN_OTHER, w.OWN_WSOL, w.WALLET, w.MINT, w.OTHER_MINT,
             w.WSOL, w.TOKEN, w.TOKEN_2022, w.SYSTEM, w.POOL, w.JUPITER, LOOK_ALIKE]
        )
    )  # fmt: skip
    metas[position] = AccountMeta(to, metas[position].is_signer and to == w.WALLET, metas[position].is_writable)
    case.instructions[at] = Instruction(old.program_id, bytes(old.data), metas)


def change_program(draw: st.DrawFn, case: Case) -> None:
    """Send an instruction to another program."""
    at = draw(st.integers(0, len(case.instructions) - 1))
    program = draw(
        st.sampled_from([LOOK_ALIKE, w.PUMP, w.JUPITER, w.TOKEN, w.TOKEN_2022, w.SYSTEM, ATA, MEMO, w.ATTACKER])
    )
    old = case.instructions[at]
    case.instructions[at] = Instruction(program, bytes(old.data), old.accounts)


def change_data(draw: st.DrawFn, case: Case) -> None:
    """Change the parameters of an instruction."""
    at = draw(st.integers(0, len(case.instructions) - 1))
    old = case.instructions[at]
    data = bytearray(old.data)
    kind = draw(st.sampled_from(["bit", "cut", "more", "huge"]))
    if kind == "cut" or not data:
        data = data[: draw(st.integers(0, len(data)))]
    elif kind == "more":
        data += draw(st.binary(min_size=1, max_size=8))
    elif kind == "bit":
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    else:
        start = draw(st.integers(0, len(data) - 1))
        data[start : start + 4] = b"\xff" * len(data[start : start + 4])
    case.instructions[at] = Instruction(old.program_id, bytes(data), old.accounts)


def change_accounts_number(draw: st.DrawFn, case: Case) -> None:
    """Remove or add accounts."""
    at = draw(st.integers(0, len(case.instructions) - 1))
    old = case.instructions[at]
    extra = [AccountMeta(w.ATTACKER, False, True)]
    metas = old.accounts + extra if draw(st.booleans()) else old.accounts[:-1]
    case.instructions[at] = Instruction(old.program_id, bytes(old.data), metas)


def remove_instruction(draw: st.DrawFn, case: Case) -> None:
    """Leave an instruction out."""
    del case.instructions[draw(st.integers(0, len(case.instructions) - 1))]


def change_payer(draw: st.DrawFn, case: Case) -> None:
    """Let another account pay, which makes two signers."""
    if draw(st.booleans()):
        case.payer = w.ATTACKER
    else:
        case.instructions.append(Instruction(w.TOKEN, b"\x11", [AccountMeta(w.ATTACKER, True, True)]))


def hide_in_table(draw: st.DrawFn, case: Case) -> None:
    """Take accounts that matter from a lookup table, or from a table that is none."""
    case.legacy = False
    if draw(st.booleans()):
        _insert(draw, case, w.pay(10**6, draw(st.sampled_from([w.ATTACKER, w.TIP, w.OWN_WSOL]))))
    hidden = [w.ATTACKER, w.ATTACKERS, w.TIP, w.OWN_WSOL, w.OWN, w.POOL, w.POOLS, w.key_of(31).pubkey()]
    case.tabled = draw(st.permutations(hidden))
    kind = draw(st.sampled_from(["right", "missing", "short", "other"]))
    if kind == "missing":
        case.tables = {}
    elif kind == "short":
        case.tables = {TABLE: case.tabled[: draw(st.integers(0, 7))]}
    elif kind == "other":
        case.tables = {TABLE: [w.ATTACKER if key == w.OWN else key for key in case.tabled]}


def edit_bytes(draw: st.DrawFn, case: Case) -> None:
    """Change the bytes themselves."""
    kind = draw(st.sampled_from(["cut", "more", "version", "version 1", "signature", "bit", "legacy", "count"]))
    number, bits = draw(st.integers(0, 2**16 - 1)), draw(st.integers(0, 7))

    def edit(raw: bytes) -> bytes:
        at = number % max(1, len(raw))
        changed = bytearray(raw)
        if kind == "cut" or len(raw) <= 65:
            return raw[:at]
        if kind == "more":
            return raw + bytes([number & 0xFF])
        if kind == "version":
            changed[65] = 0x80 | number & 0x7F
        elif kind == "version 1":
            return b"\x81" + raw[65:] + raw[1:65]
        elif kind == "signature":
            changed[1 + number % 64] ^= 1 << bits
        elif kind == "legacy":
            return raw[:65] + raw[66:]
        elif kind == "count":
            changed[0] = number & 0xFF
        else:
            changed[at] ^= 1 << bits
        return bytes(changed)

    case.edits.append(edit)


def change_intent(draw: st.DrawFn, case: Case) -> None:
    """Ask for something else than the transaction does."""
    kind = draw(st.sampled_from(["side", "mint", "max_in", "min_out", "age", "blockhash"]))
    if kind == "side":
        case.intent["side"] = draw(st.sampled_from(["buy", "sell"]))
    elif kind == "mint":
        case.intent["mint"] = str(draw(st.sampled_from([w.MINT, w.OTHER_MINT, w.WSOL])))
    elif kind == "age":
        case.age_ms = draw(st.integers(-4_000, 60_000))
    elif kind == "blockhash":
        case.is_valid = False
    else:
        case.intent[kind] = max(1, case.intent[kind] + draw(st.integers(-2, 2)))


def raise_costs(draw: st.DrawFn, case: Case) -> None:
    """Give a lot away as a tip or as a fee, or buy for more than is allowed."""
    kind = draw(st.sampled_from(["tip", "price", "amount"]))
    if kind == "tip":
        _insert(draw, case, w.pay(draw(st.integers(400_000, 2_000_000)), w.TIP))
    elif kind == "price":
        case.instructions[1] = set_compute_unit_price(draw(st.integers(10**6, 2**64 - 1)))
    else:
        amount = draw(st.integers(10_000_000, 40_000_000))
        case.instructions = [
            *case.instructions[:2],
            create_ata(w.MINT, w.TOKEN_2022),
            pump("e1f7501ed5b38488", amount, 1),
        ]
        case.intent |= {"side": "buy", "max_in": amount, "min_out": 0}


ATTACKS: Final[list[Attack]] = [
    steal, steal, add_instruction, change_account, change_account, change_program, change_data, change_accounts_number,
    remove_instruction, change_payer, hide_in_table, edit_bytes, change_intent, raise_costs,
]  # fmt: skip


@st.composite
def attacks(draw: st.DrawFn) -> tuple[Case, list[str]]:
    """Return a swap after up to two attacks, with their names."""
    case = draw(swaps())
    names = []
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 1, 1, 2, 2, 2]))):
        attack = draw(st.sampled_from(ATTACKS))
        if case.instructions:
            attack(draw, case)
            names.append(attack.__name__)
    return case, names
