"""The state of the desk as plain data, with its queries."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from memesnipe.engine.holdings import Holding
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.market.state import MarketState
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.ledger import LedgerState


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
    seq: int = 0  # the last event before it
    profit_lamports: int = 0  # at the end, net of all costs


@dataclass(frozen=True, slots=True)
class Reported:
    """The effect of a venue's report: the order where it has ended, and its fill if it reached the chain."""

    key: str
    ended: Order | None
    fill: Fill | None


@dataclass(slots=True)
class DeskState:
    """The state of the desk."""

    ledger: LedgerState
    is_late: bool = False  # the last event is not to be acted on (`STALE`)
    allocations_usd: dict[str, float] = field(default_factory=dict)
    pending: list[Order] = field(default_factory=list)
    exit_orders: int = 0
    sent_ts: list[int] = field(default_factory=list)  # when the orders of the last minute were sent
    refused_exits: set[tuple[str, int]] = field(default_factory=set)  # refused since level or halt last changed
    round_trips: dict[str, dict[int, RoundTrip]] = field(default_factory=dict)  # strategy -> token -> open round trip
    statuses: dict[str, OrderStatus] = field(default_factory=dict)  # by order key, where a venue has reported one

    @property
    def market_state(self) -> MarketState:
        """The markets after the last event."""
        return self.ledger.market_state

    @property
    def cash_lamports(self) -> int:
        """The cash of the account; 0 before SOL has a price."""
        return self.ledger.cash_lamports

    @property
    def level(self) -> RiskLevel:
        """The level of the account's breaker."""
        return self.ledger.breaker.level

    @property
    def halted(self) -> bool:
        """Whether trading was halted manually."""
        return self.ledger.halted

    @property
    def flattening(self) -> bool:
        """Whether every position is being sold, whatever is halted."""
        return self.ledger.flattening

    def status_of(self, order: Order) -> OrderStatus:
        """Return the status of an open order."""
        return self.statuses.get(order_key(order), OrderStatus.INTENDED)

    def is_pending(self, spec_id: str, token: int) -> bool:
        """Return whether a strategy has an open order for a token."""
        return any(order.spec_id == spec_id and order.token == token for order in self.pending)

    def holding(self, spec_id: str, token: int) -> Holding | None:
        """Return a strategy's holding of a token, or None."""
        position = self.ledger.position(spec_id, token)
        return None if position is None else position.holding

    def held_of(self, token: int) -> Iterator[Holding]:
        """Return the holdings of a token by all strategies."""
        return (position.holding for position in self.ledger.positions.get(token, {}).values())

    def held_by(self, spec_id: str) -> dict[int, Holding]:
        """Return the holdings of a strategy by token."""
        positions = self.ledger.positions
        return {token: held[spec_id].holding for token, held in positions.items() if spec_id in held}

    def exposure_lamports(self, token: int | None = None) -> int:
        """Return the cost of holdings plus the budgets of open entries, for one token or for all."""
        positions = self.ledger.open_positions() if token is None else self.ledger.positions.get(token, {}).values()
        return sum(position.holding.cost_lamports for position in positions) + sum(
            order.budget_lamports for order in self.pending if order.side in ENTRIES and token in (None, order.token)
        )

    def held(self) -> list[tuple[str, int]]:
        """Return strategy and token of every holding."""
        return [(position.spec_id, position.token) for position in self.ledger.open_positions()]

    def not_permitted(self) -> list[Order]:
        """Return the open entries where positions may only be closed, and all open orders where trading halts."""
        if self.ledger.refuses_exits:
            return list(self.pending)
        if self.flattening or self.level is RiskLevel.CRITICAL:
            return [order for order in self.pending if order.side in ENTRIES]
        return []
