"""The paper venue: orders arrive after the latency of the fill model, and land or fail as they do in the arena."""

from collections.abc import Sequence

from memesnipe.engine.fills import FillModel, network_fee_lamports
from memesnipe.engine.holdings import Holding, execute, settle
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.pools import Pool
from memesnipe.market.state import TokenMarket


class PaperVenue:
    """A venue that executes orders against the recorded pools with the formulas of the arena."""

    def __init__(self, model: FillModel) -> None:
        self._model = model
        self.latency_ns = model.latency_ns
        self.network_fee_lamports = network_fee_lamports(model)

    def arrivals(self, pending: Sequence[Order], ts: int) -> list[Order]:
        """Return the orders that arrived strictly before ``ts``, in order of arrival."""
        arrived = [order for order in pending if order.due_ts < ts]
        arrived.sort(key=lambda order: (order.due_ts, order.spec_id, order.token, order.order_no))
        return arrived

    def execute(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill:
        """Return the outcome of an order that has arrived."""
        return execute(order, holding, pool, market, ts, seq, self._model)

    def settle(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill:
        """Return the fill that closes a holding at its value."""
        return settle(order, holding, pool, market, ts, seq)

    def can_short(self) -> bool:
        """Return True: perps are simulated."""
        return True

    def can_cancel(self) -> bool:
        """Return True: a paper order can be cancelled until it arrives."""
        return True
