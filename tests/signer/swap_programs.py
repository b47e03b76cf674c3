"""The programs that swap, in the signer's test world: their instructions as the transfers that they cause."""

import struct
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM

from tests.signer.addresses import (
    ATA_PROGRAM,
    JUPITER,
    POOL_META,
    POOLS_META,
    POOLS_WSOL_META,
    PUMP,
    PUMPSWAP,
    TOKEN,
    TOKEN_2022,
    WSOL,
)

_ACCUMULATOR_BYTES: Final = 137


class ProgramError(Exception):
    """A program refuses its instruction."""


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def move(
    program: Pubkey, source: AccountMeta, destination: AccountMeta, owner: AccountMeta, amount: int
) -> Instruction:
    """Return a transfer of tokens."""
    return Instruction(program, b"\x03" + amount.to_bytes(8, "little"), [source, destination, owner])


def _amounts(name: str, first: int, second: int) -> tuple[int, int]:
    """Return the tokens and the lamports of a trade: a token costs a lamport, 1 % more to buy."""
    if name == "sell":
        tokens = lamports = first
        fits = lamports >= second
    elif name == "buy":
        tokens, lamports = first, first + first // 100
        fits = lamports <= second
    else:
        tokens, lamports = first * 100 // 101, first
        fits = tokens >= second
    if not fits:
        raise ProgramError("TooMuchSlippage")
    return tokens, lamports


def _pump(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a trade on the curve, which pays and is paid in SOL that is not wrapped."""
    name = {"07051dc4f5176550": "buy", "e1f7501ed5b38488": "buy_in", "1c92de7726c469d5": "sell"}.get(data[:8].hex())
    if name is None or len(metas) != 17 or len(data) < 24:
        raise ProgramError("InstructionFallbackNotFound")
    tokens, lamports = _amounts(name, _u64(data, 8), _u64(data, 16))
    user, own, program = metas[8], metas[9], metas[3].pubkey
    amount = b"\x02\0\0\0" + lamports.to_bytes(8, "little")
    if name == "sell":
        return [move(program, own, POOLS_META, user, tokens), Instruction(SYSTEM, amount, [POOL_META, user])]
    return [Instruction(SYSTEM, amount, [user, POOL_META]), move(program, POOLS_META, own, POOL_META, tokens)]


def _pumpswap(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a trade in a pool."""
    if data[:8].hex() in V1 or data.hex() == INIT_ACCUMULATOR:
        return _cashback(data, metas)
    name = {"b817ee6167c5d33d": "buy", "c2ab1c46684d5b2f": "buy_in", "5df6823ce7e940b2": "sell"}.get(data[:8].hex())
    if name is None or len(metas) != 17 or len(data) != 24:
        raise ProgramError("InstructionFallbackNotFound")
    tokens, lamports = _amounts(name, _u64(data, 8), _u64(data, 16))
    user, own, wrapped, program = metas[1], metas[5], metas[6], metas[9].pubkey
    if name == "sell":
        return [
            move(program, own, POOLS_META, user, tokens),
            move(TOKEN, POOLS_WSOL_META, wrapped, POOL_META, lamports),
        ]
    return [move(TOKEN, wrapped, POOLS_WSOL_META, user, lamports), move(program, POOLS_META, own, POOL_META, tokens)]


V1: Final = {"66063d1201daebea": "buy", "c62e1552b4d9e870": "buy_in", "33e685a4017f83ad": "sell"}
INIT_ACCUMULATOR: Final = "5e06ca73ff60e8b7"


def _cashback(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a v1 trade of a cashback coin, or the creation of an accumulator."""
    if data.hex() == INIT_ACCUMULATOR:
        if len(metas) != 6:
            raise ProgramError("AccountNotEnoughKeys")
        return [_new_accumulator(metas[0], metas[2])]
    name = V1[data[:8].hex()]
    is_sale = name == "sell"
    if len(metas) != (26 if is_sale else 27) or len(data) != (24 if is_sale else 25):
        raise ProgramError("InstructionFallbackNotFound")
    tokens, lamports = _amounts(name, _u64(data, 8), _u64(data, 16))
    user, own, wrapped, program = metas[1], metas[5], metas[6], metas[11].pubkey
    back = lamports // 200  # from the pool, which is the same to the wallet as from the trader
    if is_sale:
        return [
            move(program, own, POOLS_META, user, tokens),
            move(TOKEN, POOLS_WSOL_META, wrapped, POOL_META, lamports),
            move(TOKEN, POOLS_WSOL_META, metas[21], POOL_META, back),
        ]
    create = [user.pubkey, metas[23].pubkey, metas[20].pubkey, WSOL, SYSTEM, TOKEN]
    return [
        _new_accumulator(user, metas[20]),
        Instruction(ATA_PROGRAM, b"\x01", [AccountMeta(key, i == 0, i < 2) for i, key in enumerate(create)]),
        move(TOKEN, wrapped, POOLS_WSOL_META, user, lamports),
        move(TOKEN, POOLS_WSOL_META, metas[23], POOL_META, back),
        move(program, POOLS_META, own, POOL_META, tokens),
    ]


def _new_accumulator(payer: AccountMeta, address: AccountMeta) -> Instruction:
    """Return the creation of an account of PumpSwap."""
    rent = (_ACCUMULATOR_BYTES + 128) * 6_960
    data = struct.pack("<IQQ", 0, rent, _ACCUMULATOR_BYTES) + bytes(PUMPSWAP)
    return Instruction(SYSTEM, data, [payer, AccountMeta(address.pubkey, True, True)])


def _jupiter(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a route through the pool."""
    kinds = {"bb64facc31c4af14": (8, 0, 1, 2, 3, 10), "d19853937cfed8e9": (9, 1, 2, 5, 6, 12)}
    at, *places, least = kinds.get(data[:8].hex(), (0, 0, 0, 0, 0, 0))
    if not least or len(data) < at + 22 or len(metas) < least:
        raise ProgramError("InstructionFallbackNotFound")
    amount, quoted, slippage = _u64(data, at), _u64(data, at + 8), int.from_bytes(data[at + 16 : at + 18], "little")
    given = amount * 100 // 101
    if given * 10_000 < quoted * (10_000 - slippage):
        raise ProgramError("SlippageToleranceExceeded")
    user, source, destination, mint = (metas[place] for place in places)
    if at == 8 and metas[7].pubkey != JUPITER:
        destination = metas[7]
    if mint.pubkey == WSOL:
        return [
            move(TOKEN, source, POOLS_WSOL_META, user, amount),
            move(TOKEN_2022, POOLS_META, destination, POOL_META, given),
        ]
    return [
        move(TOKEN_2022, source, POOLS_META, user, amount),
        move(TOKEN, POOLS_WSOL_META, destination, POOL_META, given),
    ]


EXPAND: Final = {PUMP: _pump, PUMPSWAP: _pumpswap, JUPITER: _jupiter}
