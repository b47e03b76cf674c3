"""The half of a reporting venue inside the core: it executes nothing itself, every outcome is an `ExecutionReport`."""

from collections.abc import Sequence

from memesnipe.engine.fills import FillModel, network_fee_lamports
from memesnipe.engine.orders import Fill, Order
from memesnipe.protocol.order_status import OrderStatus


class ReportingVenue:
    """A venue of which the core knows the costs alone."""

    def __init__(self, model: FillModel) -> None:
        self.latency_ns = model.latency_ns
        self.network_fee_lamports = network_fee_lamports(model)

    def arrivals(self, pending: Sequence[Order], ts: int) -> list[Order]:  # noqa: ARG002 - of the port
        """Return none."""
        return []

    def execute(self, order: Order, *_: object) -> Fill:
        """Refuse: the desk never executes an order of this venue.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"order {order.spec_id}-{order.order_no} is executed outside")

    def settle(self, *_: object) -> None:
        """Return None: tokens leave the wallet by a transaction or not at all."""

    def can_cancel(self, status: OrderStatus) -> bool:
        """Return whether no transaction exists yet."""
        return status is OrderStatus.INTENDED
