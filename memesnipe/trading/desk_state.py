"""The desk as plain data, and what can be asked of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from memesnipe.engine.holdings import Holding
from memesnipe.engine.orders import ENTRIES, Order
from memesnipe.market.state import MarketState
from memesnipe.trading.breaker import RiskLevel


@dataclass(slots=True)
class DeskState:
    """Everything that the desk knows."""

    market_state: MarketState = field(default_factory=MarketState)
    level: RiskLevel = RiskLevel.NORMAL
    halted: bool = False
    is_late: bool = False  # the last event came too late to act on
    allocations_usd: dict[str, float] = field(default_factory=dict)
    holdings: dict[str, dict[int, Holding]] = field(default_factory=dict)  # strategy -> token -> holding
    pending: list[Order] = field(default_factory=list)
    exit_orders: int = 0
    sent_ts: list[int] = field(default_factory=list)  # when the orders of the last minute were sent
    cash_lamports: int = 0  # of the whole portfolio; none before SOL has a price
    is_funded: bool = False
    refused_exits: set[tuple[str, int]] = field(default_factory=set)  # that were written down and wait for better days

    def is_pending(self, spec_id: str, token: int) -> bool:
        """Whether a strategy has an order for a token on the way."""
        return any(order.spec_id == spec_id and order.token == token for order in self.pending)

    def holding(self, spec_id: str, token: int) -> Holding | None:
        """What a strategy holds of a token."""
        return self.holdings.get(spec_id, {}).get(token)

    def held_of(self, token: int) -> Iterator[Holding]:
        """What all strategies hold of a token."""
        return (book[token] for book in self.holdings.values() if token in book)

    def exposure_lamports(self, token: int | None = None) -> int:
        """What was paid for what is held, and what entries on their way may still pay: of a token, or of all."""
        held = sum(
            holding.cost_lamports
            for book in self.holdings.values()
            for held_token, holding in book.items()
            if token in (None, held_token)
        )
        return held + sum(
            order.budget_lamports for order in self.pending if order.side in ENTRIES and token in (None, order.token)
        )
