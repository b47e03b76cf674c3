"""A swap as instructions, before it is a transaction; and the choice among several ways to make it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction

from memesnipe.errors import MemeSnipeError
from memesnipe.solana.service_errors import ServiceError


class NoRouteError(MemeSnipeError):
    """There is no way to make the swap at this moment; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Swap:
    """What is to be swapped.

    Args:
        side: between SOL and the token.
        mint: of the token.
        amount_in: lamports for a buy, fees included; raw tokens for a sale.
        min_out: raw tokens for a buy, lamports for a sale.
        slippage_bps: tolerance from which the minimum was computed.
    """

    side: Literal["buy", "sell"]
    mint: str
    amount_in: int
    min_out: int
    slippage_bps: int


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """The instructions of a swap, account creation and cleaning up included.

    Args:
        source: its name.
        instructions: in order.
        expected_out: raw tokens or lamports.
        min_out: which the instructions enforce.
        lookup_tables: that the instructions' accounts are in.
    """

    source: str
    instructions: tuple[Instruction, ...]
    expected_out: int
    min_out: int
    lookup_tables: tuple[AddressLookupTableAccount, ...] = ()


class SwapSource(Protocol):
    """A way to make swaps: Jupiter, or a pool directly."""

    async def plan(self, swap: Swap) -> SwapPlan:
        """Return the plan of a swap.

        Raises:
            NoRouteError: it cannot be made this way.
            ServiceError: a service does not answer.
        """


async def best_plan(swap: Swap, sources: Sequence[SwapSource]) -> SwapPlan:
    """Return the plan that gives most, among those that are available and enforce the minimum; the first among equals.

    Raises:
        NoRouteError: there is none; the text has the reason of each source.
    """
    found = await asyncio.gather(*(source.plan(swap) for source in sources), return_exceptions=True)
    plans, reasons = list[SwapPlan](), list[str]()
    for each in found:
        if isinstance(each, SwapPlan):
            if each.expected_out >= swap.min_out <= each.min_out:
                plans.append(each)
            else:
                reasons.append(f"{each.source}: gives {each.expected_out}, {swap.min_out} are required")
        elif isinstance(each, NoRouteError | ServiceError):
            reasons.append(str(each))
        else:
            raise each
    if not plans:
        raise NoRouteError("; ".join(reasons) or "no source of swaps is configured")
    return max(plans, key=lambda plan: plan.expected_out)
