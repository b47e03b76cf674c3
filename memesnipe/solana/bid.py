"""What a transaction offers to be included: the priority fee of its compute budget, and its tips."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from solders.message import MessageV0

from memesnipe.solana.addresses import COMPUTE_BUDGET, SYSTEM

_SET_LIMIT: Final = 2  # instructions of the compute budget program
_SET_PRICE: Final = 3
_TRANSFER: Final = (2).to_bytes(4, "little")  # of the system program


@dataclass(frozen=True, slots=True)
class Bid:
    """The offer of a transaction."""

    priority_fee_lamports: int
    tip_lamports: int


def bid_of(message: bytes, tip_accounts: Collection[str]) -> Bid:
    """Return the offer of a version 0 message of ours, which sets both limit and price of its compute units.

    Args:
        message: with the prefix of its version.
        tip_accounts: system transfers to which are tips; they are never in a lookup table.
    """
    decoded = MessageV0.from_bytes(message[1:])
    keys = decoded.account_keys
    units = price = tip = 0
    for one in decoded.instructions:
        program, data, accounts = keys[one.program_id_index], bytes(one.data), bytes(one.accounts)
        if program == COMPUTE_BUDGET and data[:1] == bytes([_SET_LIMIT]):
            units = int.from_bytes(data[1:5], "little")
        elif program == COMPUTE_BUDGET and data[:1] == bytes([_SET_PRICE]):
            price = int.from_bytes(data[1:9], "little")
        elif program == SYSTEM and data[:4] == _TRANSFER and accounts[1] < len(keys):
            tip += int.from_bytes(data[4:12], "little") if str(keys[accounts[1]]) in tip_accounts else 0
    return Bid(-(-units * price // 1_000_000), tip)
