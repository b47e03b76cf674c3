"""From an order to the message to sign: the best plan, composed, simulated, with its compute limit."""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256

from solders.hash import Hash
from solders.pubkey import Pubkey

from memesnipe.engine.orders import Order
from memesnipe.execution.submission_events import Built
from memesnipe.market.events import BUY_SIDE, SELL_SIDE
from memesnipe.solana.fills import error_text
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.swap_plan import NoRouteError, Swap, SwapSource, best_plan
from memesnipe.solana.transaction import MAX_UNITS, FeePlan, compose, unit_limit, unsigned

_BPS = 10_000
_LIMITS = 4_096  # different compute limits of orders; they cost less than a lamport


def swap_of(order: Order, mint: str, slippage_bps: int) -> Swap:
    """Return the swap of an order; its minimum is the quote at the decision less the tolerance.

    Raises:
        NoRouteError: the order is no swap: it is of a perp venue.
    """
    if order.side not in (BUY_SIDE, SELL_SIDE):
        raise NoRouteError("there is no live venue for perps")
    min_out = order.expected * (_BPS - slippage_bps) // _BPS
    if order.side == BUY_SIDE:
        return Swap("buy", mint, order.budget_lamports, min_out, slippage_bps)
    return Swap("sell", mint, order.token_raw, min_out, slippage_bps)


class SwapMessageBuilder:
    """Builds messages of swaps.

    Args:
        rpc: nodes.
        sources: ways to make a swap, by preference.
        fees: returns what a transaction bids at the moment.
        wallet: that signs and pays.
        slippage_bps: tolerance.
    """

    def __init__(
        self,
        rpc: Rpc,
        sources: Sequence[SwapSource],
        fees: Callable[[], Awaitable[FeePlan]],
        wallet: Pubkey,
        slippage_bps: int,
    ) -> None:
        self._rpc, self._sources, self._fees = rpc, sources, fees
        self._wallet, self._slippage_bps = wallet, slippage_bps

    async def build(self, order: Order, mint: str) -> Built:
        """Return the message of an order.

        Raises:
            NoRouteError: the swap cannot be made, or its simulation failed.
            ServiceError: a service does not answer.
        """
        plan = await best_plan(swap_of(order, mint, self._slippage_bps), self._sources)
        fees, newest = await self._fees(), await self._rpc.latest_blockhash()
        blockhash = Hash.from_string(newest.blockhash)
        draft = compose(plan, fees, self._wallet, blockhash)
        simulated = await self._rpc.simulate(bytes(unsigned(draft)))
        if simulated.err is not None or not simulated.units_consumed:
            raise NoRouteError(f"{plan.source}: the simulation failed: {error_text(simulated.err)}")
        message = compose(plan, fees, self._wallet, blockhash, _own_limit(order, simulated.units_consumed))
        return Built(message, newest.last_valid_block_height, newest.slot, fees.basis)


def _own_limit(order: Order, used: int) -> int:
    """Return a compute limit that differs between orders.

    Two orders for the same amount would otherwise have the same message, with the same blockhash, and so one signature:
    the chain would execute one of them, and both would be reported as landed.
    """
    digest = sha256(f"{order.spec_id}-{order.order_no}".encode()).digest()
    return min(unit_limit(used) + int.from_bytes(digest[:2], "big") % _LIMITS, MAX_UNITS)
