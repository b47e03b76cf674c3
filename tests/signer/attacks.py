"""What an attacker would change about a valid swap."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st
from solders.compute_budget import request_heap_frame, set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    WithdrawNonceAccountParams,
    advance_nonce_account,
    create_account,
    withdraw_nonce_account,
)

from tests.signer import addresses as w
from tests.signer.cases import (
    TABLE,
    Case,
    create_accumulator,
    create_ata,
    create_cashback_account,
    pump,
    swaps,
    token,
)
from tests.signer.oracle import ATA
from tests.signer.thefts import theft
from tests.signer.world import pay

LOOK_ALIKE: Final = Pubkey(bytes(w.PUMP)[:31] + bytes([bytes(w.PUMP)[31] ^ 1]))
MEMO: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")

Attack = Callable[[st.DrawFn, Case], None]


def _insert(draw: st.DrawFn, case: Case, instruction: Instruction) -> None:
    case.instructions.insert(draw(st.integers(0, len(case.instructions))), instruction)


# Accounts of the swaps that only the programs check.
_FREE: Final = {w.PUMP: (0, 5, 6, 7, 11, 13, 15), w.PUMPSWAP: (0, 2, 7, 8, 12, 14, 15)}
_FREE_IN_V1: Final = (0, 2, 7, 8, 9, 10, 15, 17, 18)
_SWAPS: Final = (w.PUMP, w.PUMPSWAP, w.JUPITER)


def steal(draw: st.DrawFn, case: Case) -> None:
    """Add a theft in the open."""
    _insert(draw, case, theft(draw))


def steal_within(draw: st.DrawFn, case: Case) -> None:
    """Let the program that swaps steal too, through accounts that no rule looks at."""
    found = [i for i, each in enumerate(case.instructions) if each.program_id in _SWAPS and len(each.accounts) > 6]
    if not found:
        return
    swap, stolen = case.instructions[found[0]], theft(draw)
    metas = list(swap.accounts)
    named = {meta.pubkey for meta in metas}
    needed = [AccountMeta(meta.pubkey, False, True) for meta in stolen.accounts if meta.pubkey not in named]
    if swap.program_id == w.JUPITER:
        metas += needed
    else:
        free = _FREE_IN_V1 if len(metas) > 17 else _FREE[swap.program_id]
        for position, meta in zip(draw(st.permutations(free)), needed, strict=False):
            metas[position : position + 1] = [meta]
    case.instructions[found[0]] = Instruction(swap.program_id, bytes(swap.data), metas)
    case.hostile = [stolen]


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
                Instruction(w.address(60), b"", [AccountMeta(w.WALLET, True, True)]),
                request_heap_frame(65_536),
                set_compute_unit_price(draw(st.integers(0, 10**7))),
                set_compute_unit_limit(1_400_000),
                create_ata(w.OTHER_MINT, w.TOKEN),
                create_ata(w.MINT, w.TOKEN_2022, data=b""),
                create_ata(w.MINT, w.TOKEN_2022, data=b"\x00"),
                create_ata(w.MINT, w.TOKEN_2022, owner=w.ATTACKER),
                token(w.TOKEN, b"\x11", w.ATTACKERS_WSOL),
                token(w.TOKEN_2022, b"\x11", w.OWN_WSOL),
                create_accumulator(),
                create_accumulator(w.ATTACKER),
                create_cashback_account(),
                create_cashback_account(w.ATTACKER),
                pump("1c92de7726c469d5", 1_000, 0),
                pump("e1f7501ed5b38488", 1_000, 0),
                pay(draw(st.integers(0, 10**7)), w.OWN_WSOL),
                pay(draw(st.integers(0, 10**7)), w.TIP),
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
             w.WSOL, w.TOKEN, w.TOKEN_2022, w.SYSTEM, w.POOL, w.JUPITER, LOOK_ALIKE, w.OWN_CASHBACK, w.OWN_ACCUMULATOR]
        )
    )  # fmt: skip
    metas[position] = AccountMeta(to, metas[position].is_signer and to == w.WALLET, metas[position].is_writable)
    case.instructions[at] = Instruction(old.program_id, bytes(old.data), metas)


def change_program(draw: st.DrawFn, case: Case) -> None:
    """Send an instruction to another program."""
    at = draw(st.integers(0, len(case.instructions) - 1))
    program = draw(
        st.sampled_from(
            [LOOK_ALIKE, w.PUMP, w.PUMPSWAP, w.JUPITER, w.TOKEN, w.TOKEN_2022, w.SYSTEM, ATA, MEMO, w.ATTACKER]
        )
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
        _insert(draw, case, pay(10**6, draw(st.sampled_from([w.ATTACKER, w.TIP, w.OWN_WSOL]))))
    hidden = [w.ATTACKER, w.ATTACKERS, w.TIP, w.OWN_WSOL, w.OWN, w.POOL, w.POOLS, w.address(31)]
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
        _insert(draw, case, pay(draw(st.integers(400_000, 2_000_000)), w.TIP))
    elif kind == "price":
        case.instructions[1:2] = [set_compute_unit_price(draw(st.integers(10**6, 2**64 - 1)))]
    else:
        amount = draw(st.integers(10_000_000, 40_000_000))
        case.instructions = [
            *case.instructions[:2],
            create_ata(w.MINT, w.TOKEN_2022),
            pump("e1f7501ed5b38488", amount, 1),
        ]
        case.intent |= {"side": "buy", "max_in": amount, "min_out": 0}


ATTACKS: Final[list[Attack]] = [
    steal, steal_within, steal_within, add_instruction, change_account, change_account, change_program, change_data,
    change_accounts_number, remove_instruction, change_payer, hide_in_table, edit_bytes, change_intent, raise_costs,
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
