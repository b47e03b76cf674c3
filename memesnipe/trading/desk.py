"""The desk: takes the decisions of paper strategies to the market with the capital they were given.

A decision is the arena's own `Order`; the desk only sizes it. Its order keeps the number of the simulated one, so
that both land or fail alike, and all of the desk's holdings of a token shift the pool together: it is one wallet.
"""

from dataclasses import dataclass, field, replace

from memesnipe.engine.orders import Fill, FillModel, Holding, Order, execute
from memesnipe.market.board import Board
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE, Event
from memesnipe.market.pools import Pool, quote_buy, quote_sell
from memesnipe.trading.breaker import RiskLevel, size_multiplier


@dataclass(slots=True)
class DeskState:
    """The desk as plain data."""

    board: Board = field(default_factory=Board)
    level: RiskLevel = RiskLevel.NORMAL
    allocations_usd: dict[str, float] = field(default_factory=dict)
    holdings: dict[str, dict[int, Holding]] = field(default_factory=dict)  # strategy -> token -> holding
    pending: list[Order] = field(default_factory=list)
    exit_orders: int = 0


class Desk:
    """Sizes, sends and fills the orders of strategies that have an allocation."""

    def __init__(self, model: FillModel, max_position_usd: float, state: DeskState | None = None) -> None:
        self.state = state or DeskState()
        self._model = model
        self._max_position_usd = max_position_usd

    def on_event(self, event: Event) -> list[Fill]:
        """Let the orders that reached the chain before this event meet their pools, then see the event."""
        fills = self.pass_time(event.ts)
        self.state.board.see(event)
        return fills

    def pass_time(self, ts: int) -> list[Fill]:
        """Let the orders that reached the chain before ``ts`` meet their pools."""
        due = sorted(
            (order for order in self.state.pending if order.due_ts < ts),
            key=lambda order: (order.due_ts, order.spec_id, order.token, order.order_no),
        )
        return [self._fill(order) for order in due]

    def on_decision(self, decision: Order) -> Order | None:
        """The desk's order for a decision of the arena, or None where it has no part in it."""
        if self._is_pending(decision.spec_id, decision.token):
            return None
        if decision.side == BUY_SIDE:
            return self._buy(decision)
        return self._sell(decision)

    def exit(self, spec_id: str, token: int, reason: str) -> Order | None:
        """Sell what a strategy holds of a token whatever the strategy says (`exit_orders`)."""
        if self._is_pending(spec_id, token):
            return None
        state = self.state
        state.exit_orders += 1
        ts = state.board.last_ts
        # Numbered below zero, so that they never meet the numbers of the strategy's own orders.
        order_no, due_ts = -state.exit_orders, ts + self._model.latency_ns
        order = Order(spec_id, order_no, token, SELL_SIDE, reason, ts, state.board.last_seq, due_ts, 0.0, 0, 0, 0)
        return self._sell(order)

    def held(self) -> list[tuple[str, int]]:
        """Strategy and token of everything held."""
        return [(spec_id, token) for spec_id, book in self.state.holdings.items() for token in book]

    def _is_pending(self, spec_id: str, token: int) -> bool:
        return any(order.spec_id == spec_id and order.token == token for order in self.state.pending)

    def _buy(self, decision: Order) -> Order | None:
        state = self.state
        allocation_usd = state.allocations_usd.get(decision.spec_id, 0.0)
        held = state.holdings.get(decision.spec_id, {})
        if allocation_usd <= 0 or decision.token in held or not state.board.sol_usd:
            return None
        multiplier = size_multiplier(state.level)
        wanted_usd = min(allocation_usd * decision.size * multiplier, self._max_position_usd)
        lamports_per_usd = LAMPORTS_PER_SOL / state.board.sol_usd
        on_the_way = [order for order in state.pending if order.spec_id == decision.spec_id]
        used = sum(h.cost_lamports for h in held.values()) + sum(order.budget_lamports for order in on_the_way)
        fees = self._model.network_fee_lamports * (len(on_the_way) + 2)  # as the arena: the way in and the way out
        budget = min(int(wanted_usd * lamports_per_usd), int(allocation_usd * lamports_per_usd) - used - fees)
        expected = quote_buy(self._pool(decision.token), budget).token_raw if budget > 0 else 0
        if expected == 0:
            return None
        return self._send(replace(decision, budget_lamports=budget, expected=expected))

    def _sell(self, decision: Order) -> Order | None:
        state = self.state
        holding = state.holdings.get(decision.spec_id, {}).get(decision.token)
        if holding is None or state.level is RiskLevel.EMERGENCY:
            return None
        quote = quote_sell(self._pool(decision.token), holding.token_raw)
        expected = quote.sol_lamports - quote.fee_lamports
        return self._send(replace(decision, token_raw=holding.token_raw, expected=expected))

    def _send(self, order: Order) -> Order:
        self.state.pending.append(order)
        return order

    def _pool(self, token: int) -> Pool:
        """The recorded pool moved by everything that the desk has taken from it and given to it."""
        held = [book[token] for book in self.state.holdings.values() if token in book]
        return self.state.board.tokens[token].pool.moved(
            sum(h.shift_sol_lamports for h in held), sum(h.shift_token_raw for h in held)
        )

    def _fill(self, order: Order) -> Fill:
        state = self.state
        state.pending.remove(order)
        fill = execute(order, self._pool(order.token), order.due_ts, state.board.last_seq, self._model)
        if not fill.failure:
            book = state.holdings.setdefault(order.spec_id, {})
            holding = book.setdefault(order.token, Holding())
            holding.take(fill)
            if holding.token_raw == 0:
                del book[order.token]
        return fill
