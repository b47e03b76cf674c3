"""Estimates of the price of compute that lands a transaction, in micro-lamports a unit."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service_errors import UnreachableError


class _Estimate(msgspec.Struct, rename="camel"):
    priority_fee_estimate: float


class _Recent(msgspec.Struct, rename="camel"):
    slot: int
    prioritization_fee: int


async def helius_estimate(rpc: Rpc, accounts: Sequence[str], level: str = "High") -> int:
    """Return Helius' estimate for transactions that write these accounts; it may be fractional, and is rounded up.

    Raises:
        ServiceError: there is none, or it is not a finite positive number.
    """
    options: dict[str, Any] = {"accountKeys": list(accounts), "options": {"priorityLevel": level}}
    found = (await rpc.read("getPriorityFeeEstimate", [options], _Estimate)).priority_fee_estimate
    if not math.isfinite(found) or found < 0:
        raise UnreachableError("", f"implausible priority fee {found}")
    return math.ceil(found)


async def recent_percentile(rpc: Rpc, accounts: Sequence[str], percentile: int) -> int:
    """Return a percentile (0 to 100) of the lowest prices that landed in recent blocks; 0 where nothing was paid."""
    rows = await rpc.read("getRecentPrioritizationFees", [list(accounts)], list[_Recent])
    prices = sorted(row.prioritization_fee for row in rows)
    return prices[min(len(prices) * percentile // 100, len(prices) - 1)] if prices else 0


def clamped(price: int, units: int, max_lamports: int) -> int:
    """Return a price whose fee for this number of units does not exceed a limit.

    Args:
        price: micro-lamports a unit.
        units: the compute limit, for all of which is paid.
        max_lamports: of the priority fee.
    """
    return max(0, min(price, max_lamports * 1_000_000 // max(units, 1)))
