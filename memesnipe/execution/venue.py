"""The port to a venue: where the desk's orders are executed.

A venue has two halves. `ExecutionVenue` is the half inside the deterministic core: what it returns follows from events
and controls alone. A venue whose outcomes come from outside has a `VenueClient` too: the executor submits an order to
it after the order is committed, and what the client reports is published as an `ExecutionReport`, recorded, and applied
as a control. `verify` therefore re-derives live runs from their records as it does paper runs.
"""

from collections.abc import Sequence
from typing import Protocol

from memesnipe.engine.holdings import Holding
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.pools import Pool
from memesnipe.market.state import TokenMarket
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus


class ExecutionVenue(Protocol):
    """The half of a venue that the desk calls."""

    latency_ns: int  # from a decision to its arrival at the venue
    network_fee_lamports: int  # of a transaction that lands

    def arrivals(self, pending: Sequence[Order], ts: int) -> list[Order]:
        """Return the orders whose outcome follows from the events before ``ts``, in order of arrival.

        A venue that reports returns none: its outcomes are controls.
        """

    def execute(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill:
        """Return the outcome of an order that has arrived; the pool is already shifted by the desk's own trades."""

    def settle(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill | None:
        """Close a holding at its value, without a transaction: its token is dead, or its margin is gone.

        Returns:
            The fill; None where the venue cannot close anything without a transaction.
        """

    def can_cancel(self, status: OrderStatus) -> bool:
        """Return whether an open order can still be recalled."""


class VenueClient(Protocol):
    """The half of a venue that talks to the outside."""

    def submit(self, order_id: str, order: Order) -> None:
        """Submit a committed order; a second call with the same id has no effect."""

    def poll(self) -> list[ExecutionReport]:
        """Return what became known since the last call, without waiting."""
