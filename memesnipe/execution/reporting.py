"""The half of a reporting venue inside the core: it executes no order; every outcome is an `ExecutionReport`."""

from collections.abc import Sequence

from memesnipe.engine.fills import FillModel, network_fee_lamports
from memesnipe.engine.orders import Fill, Order


class ReportingVenue:
    """The latency and the fee of a venue whose outcomes reach the core as controls."""

    def __init__(self, model: FillModel) -> None:
        self.latency_ns = model.latency_ns
        self.network_fee_lamports = network_fee_lamports(model)

    def arrivals(self, pending: Sequence[Order], ts: int) -> list[Order]:  # noqa: ARG002 - required by the port
        """Return an empty list: the outcomes are controls."""
        return []

    def execute(self, order: Order, *_: object) -> Fill:
        """Raise an error: the desk never executes an order of this venue.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"order {order.spec_id}-{order.order_no} is executed outside")

    def settle(self, *_: object) -> None:
        """Return None: tokens leave the wallet only by a transaction."""

    def can_short(self) -> bool:
        """Return False: no perp venue takes transactions of this wallet."""
        return False

    def can_cancel(self) -> bool:
        """Return False: a transaction may exist whose report has not arrived yet."""
        return False
