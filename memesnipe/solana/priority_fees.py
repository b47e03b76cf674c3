"""Estimates of the price of compute that lands a transaction, in micro-lamports a unit."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service_errors import UnreachableError

_MICRO: Final = 1_000_000
MAX_PRICE: Final = 10**12  # micro-lamports a unit: a SOL for a million units; a higher estimate is this one
LEVELS: Final = {"Min": 0, "Low": 25, "Medium": 50, "High": 75, "VeryHigh": 95, "UnsafeMax": 100}  # Helius' percentiles


class _Estimate(msgspec.Struct, rename="camel"):
    priority_fee_estimate: float


class _Recent(msgspec.Struct, rename="camel"):
    slot: int
    prioritization_fee: Annotated[int, msgspec.Meta(ge=0)]


async def helius_estimate(rpc: Rpc, accounts: Sequence[str], level: str = "High") -> int:
    """Return Helius' estimate for transactions that write these accounts; it may be fractional, and is rounded up.

    Raises:
        ServiceError: there is none, or it is not a finite positive number.
    """
    options: dict[str, Any] = {"accountKeys": list(accounts), "options": {"priorityLevel": level}}
    found = (await rpc.read("getPriorityFeeEstimate", [options], _Estimate)).priority_fee_estimate
    if not math.isfinite(found) or found < 0:
        raise UnreachableError("", f"implausible priority fee {found}")
    return min(math.ceil(found), MAX_PRICE)


def helius_level(percentile: int) -> str:
    """Return the lowest of Helius' levels that stands for this percentile (0 to 100) or a higher one."""
    return next(level for level, value in LEVELS.items() if value >= percentile)


async def recent_percentile(rpc: Rpc, accounts: Sequence[str], percentile: int) -> int:
    """Return a percentile (0 to 100) of the lowest prices that landed in recent blocks; 0 where nothing was paid.

    With accounts a node counts, in each block, the highest of the lowest prices of the block and of the transactions
    that write one of them.
    """
    rows = await rpc.read("getRecentPrioritizationFees", [list(accounts)], list[_Recent])
    prices = sorted(row.prioritization_fee for row in rows)
    return min(prices[min(len(prices) * percentile // 100, len(prices) - 1)], MAX_PRICE) if prices else 0


def clamped(price: int, units: int, max_lamports: int, min_lamports: int = 0) -> int:
    """Return the price nearest to a wanted one whose fee for this number of units is within limits.

    The fee is rounded up to a lamport, as a cluster does. No fee exceeds the upper limit; it is below the lower one, by
    one lamport, only where both limits are the same and there are more than a million units.

    Args:
        price: micro-lamports a unit.
        units: the compute limit, for all of which is paid.
        max_lamports: of the priority fee.
        min_lamports: of the priority fee.
    """
    units = max(units, 1)
    lowest = (min_lamports - 1) * _MICRO // units + 1 if min_lamports else 0
    return max(0, min(max(price, lowest), max_lamports * _MICRO // units))
