"""The state of the desk as plain data, with its queries."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from memesnipe.engine.holdings import Holding
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.market.state import MarketState
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.trading.breaker import RiskLevel


def order_key(order: Order) -> str:
    """Return the key of an order: strategy and order number."""
    return f"{order.spec_id}-{order.order_no}"


@dataclass(slots=True)
class RoundTrip:
    """An entry and all that follows until nothing is held: its budget, and the change of the cash since."""

    stake_lamports: int
    profit_lamports: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """The beginning or the end of a round trip of the desk."""

    spec_id: str
    token: int
    value: float | None  # at the end: its profit relative to its stake, net of all costs
    ts: int
    is_between_events: bool = True  # whether it follows the events of its time


@dataclass(frozen=True, slots=True)
class Reported:
    """The effect of a venue's report: the order where it has ended, and its fill if it reached the chain."""

    key: str
    ended: Order | None
    fill: Fill | None


@dataclass(slots=True)
class DeskState:
    """The state of the desk."""

    market_state: MarketState = field(default_factory=MarketState)
    level: RiskLevel = RiskLevel.NORMAL
    halted: bool = False
    is_late: bool = False  # the last event was published too late to act on
    allocations_usd: dict[str, float] = field(default_factory=dict)
    holdings: dict[str, dict[int, Holding]] = field(default_factory=dict)  # strategy -> token -> holding
    pending: list[Order] = field(default_factory=list)
    exit_orders: int = 0
    sent_ts: list[int] = field(default_factory=list)  # when the orders of the last minute were sent
    cash_lamports: int = 0  # of the whole portfolio; 0 before SOL has a price
    is_funded: bool = False
    refused_exits: set[tuple[str, int]] = field(default_factory=set)  # refused since the risk level last changed
    round_trips: dict[str, dict[int, RoundTrip]] = field(default_factory=dict)  # strategy -> token -> open round trip
    statuses: dict[str, OrderStatus] = field(default_factory=dict)  # by order key, where a venue has reported one

    def status_of(self, order: Order) -> OrderStatus:
        """Return the status of an open order."""
        return self.statuses.get(order_key(order), OrderStatus.INTENDED)

    def is_pending(self, spec_id: str, token: int) -> bool:
        """Return whether a strategy has an open order for a token."""
        return any(order.spec_id == spec_id and order.token == token for order in self.pending)

    def holding(self, spec_id: str, token: int) -> Holding | None:
        """Return a strategy's holding of a token, or None."""
        return self.holdings.get(spec_id, {}).get(token)

    def held_of(self, token: int) -> Iterator[Holding]:
        """Return the holdings of a token by all strategies."""
        return (book[token] for book in self.holdings.values() if token in book)

    def exposure_lamports(self, token: int | None = None) -> int:
        """Return the cost of holdings plus the budgets of open entries, for one token or for all."""
        held = sum(
            holding.cost_lamports
            for book in self.holdings.values()
            for held_token, holding in book.items()
            if token in (None, held_token)
        )
        return held + sum(
            order.budget_lamports for order in self.pending if order.side in ENTRIES and token in (None, order.token)
        )

    def held(self) -> list[tuple[str, int]]:
        """Return strategy and token of every holding."""
        return [(spec_id, token) for spec_id, book in self.holdings.items() for token in book]

    def not_permitted(self) -> list[Order]:
        """Return the open entries where positions may only be closed, and all open orders where trading halts."""
        if self.halted or self.level is RiskLevel.EMERGENCY:
            return list(self.pending)
        if self.level is RiskLevel.CRITICAL:
            return [order for order in self.pending if order.side in ENTRIES]
        return []
