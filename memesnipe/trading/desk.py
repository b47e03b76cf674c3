"""The desk: takes the decisions of paper strategies to the market with the capital they were given.

A decision is the arena's own `Order`; the desk only sizes it. Its order keeps the number of the simulated one, so
that both land or fail alike, and all of the desk's holdings of a token shift the pool together: it is one wallet.
"""

from dataclasses import dataclass, field, replace

from memesnipe.engine.fills import FillModel, network_fee_lamports
from memesnipe.engine.orders import ENTRIES, Fill, Holding, Order, execute, settle
from memesnipe.market.board import Board
from memesnipe.market.events import BUY_SIDE, COVER_SIDE, LAMPORTS_PER_SOL, SELL_SIDE, SHORT_SIDE, Event
from memesnipe.market.pools import Pool, moved, quote_buy, value_of
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
        before = self.state.board.tokens.get(event.token)
        if before is not None:
            for book in self.state.holdings.values():
                if event.token in book:
                    book[event.token].on_event(before, event)
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
        return self._enter(decision) if decision.side in ENTRIES else self._leave(decision)

    def settle(self, decision: Order) -> tuple[Order, Fill] | None:
        """Close what is held of a token that the arena has closed on the spot: it is dead, or its margin is gone."""
        holding = self.state.holdings.get(decision.spec_id, {}).get(decision.token)
        market = self.state.board.tokens.get(decision.token)
        if holding is None or market is None or self._is_pending(decision.spec_id, decision.token):
            return None
        order = replace(decision, token_raw=holding.token_raw)
        ts, seq = decision.decided_ts, self.state.board.last_seq
        if holding.short is not None:
            fill = execute(order, holding, market.pool, market, ts, seq, self._model)
        else:
            fill = settle(order, self._pool(order.token), ts, seq)
        self._book(fill)
        return order, fill

    def exit(self, spec_id: str, token: int, reason: str) -> Order | None:
        """Leave what a strategy holds of a token whatever the strategy says (`exit_orders`)."""
        holding = self.state.holdings.get(spec_id, {}).get(token)
        if holding is None or self._is_pending(spec_id, token):
            return None
        state = self.state
        state.exit_orders += 1
        ts = state.board.last_ts
        side = COVER_SIDE if holding.short is not None else SELL_SIDE
        # Numbered below zero, so that they never meet the numbers of the strategy's own orders.
        order_no, due_ts = -state.exit_orders, ts + self._model.latency_ns
        return self._leave(
            Order(spec_id, order_no, token, side, reason, ts, state.board.last_seq, due_ts, 0.0, 0, 0, 0)
        )

    def held(self) -> list[tuple[str, int]]:
        """Strategy and token of everything held."""
        return [(spec_id, token) for spec_id, book in self.state.holdings.items() for token in book]

    def forget_dead(self) -> None:
        """Drop the markets of dead tokens that the desk has no part in."""
        kept = {token for _, token in self.held()} | {order.token for order in self.state.pending}
        self.state.board.forget(self._model.dead_after_ns, kept)

    def _is_pending(self, spec_id: str, token: int) -> bool:
        return any(order.spec_id == spec_id and order.token == token for order in self.state.pending)

    def _enter(self, decision: Order) -> Order | None:
        state, market = self.state, self.state.board.tokens.get(decision.token)
        if market is None or decision.token in state.holdings.get(decision.spec_id, {}):
            return None
        budget = self._budget(decision)
        expected = int(market.mark_usd * 1e6)
        if decision.side == BUY_SIDE:
            expected = quote_buy(self._pool(decision.token), budget).token_raw
        if budget <= 0 or expected <= 0:
            return None
        return self._send(replace(decision, budget_lamports=budget, expected=expected))

    def _budget(self, decision: Order) -> int:
        """What the strategy may spend: as in the arena, every exposure keeps the fee of its way out."""
        state = self.state
        allocation_usd = state.allocations_usd.get(decision.spec_id, 0.0)
        if allocation_usd <= 0 or not state.board.sol_usd:
            return 0
        held = state.holdings.get(decision.spec_id, {})
        wanted_usd = min(allocation_usd * decision.size * size_multiplier(state.level), self._max_position_usd)
        lamports_per_usd = LAMPORTS_PER_SOL / state.board.sol_usd
        on_the_way = [order for order in state.pending if order.spec_id == decision.spec_id]
        exposures = held.keys() | {order.token for order in on_the_way}
        used = sum(h.cost_lamports for h in held.values()) + sum(order.budget_lamports for order in on_the_way)
        fees = network_fee_lamports(self._model) * (len(on_the_way) + len(exposures) + 2)
        return min(int(wanted_usd * lamports_per_usd), int(allocation_usd * lamports_per_usd) - used - fees)

    def _leave(self, decision: Order) -> Order | None:
        holding = self.state.holdings.get(decision.spec_id, {}).get(decision.token)
        if holding is None or self.state.level is RiskLevel.EMERGENCY:
            return None
        if (holding.short is not None) != (decision.side == COVER_SIDE):
            return None
        if holding.short is not None:
            outcome = holding.short.cover(self.state.board.tokens[decision.token])
            expected = outcome.sol_lamports - outcome.fee_lamports
        else:
            quote = value_of(self._pool(decision.token), holding.token_raw)
            expected = quote.sol_lamports - quote.fee_lamports
        return self._send(replace(decision, token_raw=holding.token_raw, expected=expected))

    def _send(self, order: Order) -> Order:
        self.state.pending.append(order)
        return order

    def _pool(self, token: int) -> Pool:
        """The recorded pool moved by everything that the desk has taken from it and given to it."""
        pool = self.state.board.tokens[token].pool
        held = [book[token] for book in self.state.holdings.values() if token in book]
        return moved(pool, sum(h.shift_sol_lamports for h in held), sum(h.shift_token_raw for h in held))

    def _fill(self, order: Order) -> Fill:
        state = self.state
        state.pending.remove(order)
        market = state.board.tokens[order.token]
        holding = state.holdings.get(order.spec_id, {}).get(order.token, Holding())
        pool = self._pool(order.token) if order.side not in (SHORT_SIDE, COVER_SIDE) else market.pool
        fill = execute(order, holding, pool, market, order.due_ts, state.board.last_seq, self._model)
        self._book(fill)
        return fill

    def _book(self, fill: Fill) -> None:
        if fill.failure:
            return
        order = fill.order
        book = self.state.holdings.setdefault(order.spec_id, {})
        holding = book.setdefault(order.token, Holding())
        holding.take(fill, self.state.board.tokens[order.token])
        if not holding.is_open:
            del book[order.token]
