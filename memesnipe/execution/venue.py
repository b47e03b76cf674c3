"""The port to a venue: where the orders of a desk are executed.

A venue has two halves. `ExecutionVenue` is the half inside the deterministic core: its results follow from events and
controls alone. A venue whose outcomes come from outside also has a `VenueClient`: the executor submits an order to the
client after the order is committed; each `ExecutionReport` of the client is published, recorded and applied as a
control. `verify` therefore rederives live runs from their records, as it does paper runs.
"""

from collections.abc import Sequence
from typing import Protocol

from memesnipe.engine.holdings import Holding
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.pools import Pool
from memesnipe.market.state import TokenMarket
from memesnipe.protocol.messages import ExecutionReport


class ExecutionVenue(Protocol):
    """The half of a venue that the desk calls."""

    latency_ns: int  # from a decision to the arrival of its order at the venue
    network_fee_lamports: int  # of a transaction that lands

    def arrivals(self, pending: Sequence[Order], ts: int) -> list[Order]:
        """Return the orders whose outcome follows from the events before ``ts``, in order of arrival.

        A venue that reports returns an empty list: its outcomes are controls.
        """

    def execute(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill:
        """Return the outcome of an order that has arrived; the pool is already shifted by the desk's own trades."""

    def settle(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill | None:
        """Close a holding at its value, without a transaction: its token is dead, or its margin is exhausted.

        Returns:
            The fill; None if the venue cannot close a holding without a transaction.
        """

    def can_short(self) -> bool:
        """Return whether the venue trades perps; the desk refuses shorts otherwise."""

    def can_cancel(self) -> bool:
        """Return whether the desk itself cancels open orders; if not, only a report of the venue ends an order."""


class VenueClient(Protocol):
    """The half of a venue that communicates with external services.

    Orders have ids, and every method is idempotent: after a crash the executor repeats calls. A client therefore stores
    each order before it sends a transaction for it, and each change of its status until that change is acknowledged.
    """

    def submit(self, order_id: str, order: Order) -> None:
        """Accept a committed order for execution; a further call with the same id has no effect."""

    def cancel(self, order_id: str) -> None:
        """Request that an order is not executed.

        The client reports CANCELLED if it has signed no transaction for the order; if it has, the call has no effect.
        """

    def poll(self) -> list[ExecutionReport]:
        """Return the reports that are not acknowledged, in order, without waiting."""

    def acknowledge(self, reports: Sequence[ExecutionReport]) -> None:
        """Forget reports of `poll`, which are committed now."""

    def close(self) -> None:
        """Stop; open orders go on at the next start."""
