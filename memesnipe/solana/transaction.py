"""Composition of a version 0 transaction: compute limit, compute price, swap, tip."""

import math
from dataclasses import dataclass
from typing import Final

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from memesnipe.execution.submission_events import NO_BASIS, BidBasis
from memesnipe.solana.priority_fees import clamped
from memesnipe.solana.swap_plan import NoRouteError, SwapPlan

MAX_BYTES: Final = 1_232  # of a transaction: an IPv6 packet without its headers
MAX_UNITS: Final = 1_400_000
_MARGIN: Final = 1.2  # of the compute limit, over what the simulation has used


@dataclass(frozen=True, slots=True)
class FeePlan:
    """What a transaction bids to be included.

    Args:
        price: micro-lamports a compute unit.
        max_priority_lamports: limit of the priority fee, to which the price is reduced.
        tip_lamports: to the tip account; 0 for none.
        tip_account: one of Jito's or Sender's; never in a lookup table.
        min_priority_lamports: limit of the priority fee, to which the price is raised.
        basis: what the bid follows; for the records alone.
    """

    price: int
    max_priority_lamports: int
    tip_lamports: int = 0
    tip_account: Pubkey | None = None
    min_priority_lamports: int = 0
    basis: BidBasis = NO_BASIS


def unit_limit(used: int) -> int:
    """Return the compute limit for what a simulation has used."""
    return min(math.ceil(used * _MARGIN), MAX_UNITS)


def compose(plan: SwapPlan, fees: FeePlan, payer: Pubkey, blockhash: Hash, units: int = MAX_UNITS) -> bytes:
    """Return the message of a transaction, with the prefix of its version.

    Raises:
        NoRouteError: it is too large to send.
    """
    price = clamped(fees.price, units, fees.max_priority_lamports, fees.min_priority_lamports)
    instructions = [set_compute_unit_limit(units), set_compute_unit_price(price), *plan.instructions]
    if fees.tip_lamports:
        if fees.tip_account is None:
            raise ValueError("a tip needs an account")
        instructions.append(
            transfer(TransferParams(from_pubkey=payer, to_pubkey=fees.tip_account, lamports=fees.tip_lamports))
        )
    # A tip account is found by reading the message: it must not be in a table.
    tables = [table for table in plan.lookup_tables if not fees.tip_lamports or fees.tip_account not in table.addresses]
    message = MessageV0.try_compile(payer, instructions, tables, blockhash)
    if message.header.num_required_signatures != 1:
        raise NoRouteError(f"{plan.source}: the transaction needs more than the wallet's signature")
    size = len(bytes(unsigned(to_bytes_versioned(message))))
    if size > MAX_BYTES:
        raise NoRouteError(f"{plan.source}: the transaction has {size} bytes, {MAX_BYTES} are allowed")
    return to_bytes_versioned(message)


def unsigned(message: bytes) -> VersionedTransaction:
    """Return the transaction of a message with an empty signature."""
    return VersionedTransaction.populate(MessageV0.from_bytes(message[1:]), [Signature.default()])
