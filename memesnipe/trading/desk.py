"""The desk: takes the decisions of paper strategies to the market with the capital they were given.

A decision is the arena's own `Order`; the risk gate lets it through or not, and the desk only sizes it. Its order
keeps the number of the simulated one, so that both land or fail alike, and all of the desk's holdings of a token shift
the pool together: it is one wallet.
"""

from bisect import bisect_right
from dataclasses import replace
from typing import Final

from memesnipe.engine.fills import FillModel, network_fee_lamports
from memesnipe.engine.holdings import Holding, execute, settle
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.market.events import (
    BUY_SIDE,
    COVER_SIDE,
    LAMPORTS_PER_SOL,
    NS_PER_S,
    SELL_SIDE,
    SHORT_SIDE,
    STALE,
    Event,
)
from memesnipe.market.pools import Pool, moved, quote_buy, value_of
from memesnipe.trading.breaker import RiskLevel, size_multiplier
from memesnipe.trading.desk_state import DeskState
from memesnipe.trading.gate import Limits, RefusalReason, RiskRefused, refuse, refuse_size

_MINUTE_NS: Final = 60 * NS_PER_S
_BOUNDLESS_USD: Final = 1e8  # where nothing bounds the capital; in lamports it fits 64 bits


class Desk:
    """Sizes, sends and fills the orders of strategies that have an allocation."""

    def __init__(self, model: FillModel, limits: Limits, state: DeskState | None = None) -> None:
        self.state = state or DeskState()
        self._model = model
        self._limits = limits

    def on_event(self, event: Event) -> list[Fill]:
        """Let the orders that reached the chain before this event meet their pools, then see the event."""
        fills = self.pass_time(event.ts)
        before = self.state.market_state.tokens.get(event.token)
        if before is not None:
            for book in self.state.holdings.values():
                if event.token in book:
                    book[event.token].on_event(before, event)
        self.state.market_state.apply(event)
        self.state.is_late = event.flags & STALE != 0
        self._fund()
        return fills

    def _fund(self) -> None:
        """Buy the portfolio's capital at the first price of SOL, as the ledger does."""
        state = self.state
        if state.is_funded or not state.market_state.sol_usd:
            return
        capital_usd = min(self._limits.capital_usd, _BOUNDLESS_USD)
        state.cash_lamports += int(capital_usd / state.market_state.sol_usd * LAMPORTS_PER_SOL)
        state.is_funded = True

    def pass_time(self, ts: int) -> list[Fill]:
        """Let the orders that reached the chain before ``ts`` meet their pools."""
        if not self.state.pending:
            return []
        due = sorted(
            (order for order in self.state.pending if order.due_ts < ts),
            key=lambda order: (order.due_ts, order.spec_id, order.token, order.order_no),
        )
        return [self._fill(order) for order in due]

    def on_decision(self, decision: Order) -> Order | RiskRefused | None:
        """The desk's order for a decision of the arena, why there is none, or None where it has no part in it."""
        if decision.side in ENTRIES:
            return self._enter(decision)
        holding = self.state.holding(decision.spec_id, decision.token)
        if holding is None or (holding.short is not None) != (decision.side == COVER_SIDE):
            return None  # its entry was refused, or failed
        return self._leave(decision, holding)

    def settle(self, decision: Order) -> tuple[Order, Fill] | None:
        """Close what is held of a token that the arena has closed on the spot: it is dead, or its margin is gone."""
        holding = self.state.holding(decision.spec_id, decision.token)
        market = self.state.market_state.tokens.get(decision.token)
        if holding is None or market is None or self.state.is_pending(decision.spec_id, decision.token):
            return None
        self.state.refused_exits.discard((decision.spec_id, decision.token))
        order = replace(decision, token_raw=holding.token_raw)
        ts, seq = decision.decided_ts, self.state.market_state.last_seq
        if holding.short is not None:
            fill = execute(order, holding, market.pool, market, ts, seq, self._model)
        else:
            fill = settle(order, self._pool(order.token), ts, seq)
        self._book(fill)
        return order, fill

    def exit(self, spec_id: str, token: int, reason: str, opened_ts: int | None = None) -> Order | RiskRefused | None:
        """Leave what a strategy holds of a token whatever the strategy says (`exit_orders`).

        Args:
            spec_id: of the strategy.
            token: that it holds.
            reason: in a word.
            opened_ts: of the holding that is meant, if not just any: it may be sold, and another bought, meanwhile.

        Returns:
            The order; why it is not sent, once for each time that exits are barred; or None where there is nothing.
        """
        state, key = self.state, (spec_id, token)
        holding = state.holding(spec_id, token)
        if holding is None or state.is_pending(spec_id, token) or opened_ts not in (None, holding.opened_ts):
            return None
        outcome = self._exit(spec_id, token, reason, holding)
        if isinstance(outcome, RiskRefused):
            if key in state.refused_exits:
                return None
            state.refused_exits.add(key)
        return outcome

    def _exit(self, spec_id: str, token: int, reason: str, holding: Holding) -> Order | RiskRefused:
        state = self.state
        state.exit_orders += 1
        ts = state.market_state.last_ts
        side = COVER_SIDE if holding.short is not None else SELL_SIDE
        # Numbered below zero, so that they never meet the numbers of the strategy's own orders.
        order_no, due_ts = -state.exit_orders, ts + self._model.latency_ns
        order = Order(spec_id, order_no, token, side, reason, ts, state.market_state.last_seq, due_ts, 0.0, 0, 0, 0)
        return self._leave(order, holding)

    def set_risk(self, level: RiskLevel, *, halted: bool) -> list[Order]:
        """Take the breaker's level and a halt over.

        Returns:
            The orders on their way that this calls back: entries where positions are only closed, all where all halts.
        """
        if (level, halted) != (self.state.level, self.state.halted):
            self.state.refused_exits.clear()
        self.state.level, self.state.halted = level, halted
        if halted or level is RiskLevel.EMERGENCY:
            called_back = list(self.state.pending)
        elif level is RiskLevel.CRITICAL:
            called_back = [order for order in self.state.pending if order.side in ENTRIES]
        else:
            return []
        self.state.pending = [order for order in self.state.pending if order not in called_back]
        return called_back

    def held(self) -> list[tuple[str, int]]:
        """Strategy and token of everything held."""
        return [(spec_id, token) for spec_id, book in self.state.holdings.items() for token in book]

    def drop_dead(self) -> None:
        """Drop the markets of dead tokens that the desk has no part in."""
        kept = {token for _, token in self.held()} | {order.token for order in self.state.pending}
        self.state.market_state.drop_dead(self._model.dead_after_ns, kept)

    def _enter(self, decision: Order) -> Order | RiskRefused | None:
        state, market = self.state, self.state.market_state.tokens.get(decision.token)
        if market is None:
            return None
        no = refuse(decision, state, self._limits)
        if no is not None:
            return no
        order = replace(decision, budget_lamports=self._budget(decision), expected=int(market.mark_usd * 1e6))
        no = refuse_size(order, state, self._limits)
        if no is not None:
            return no
        if order.side == BUY_SIDE:
            order = replace(order, expected=quote_buy(self._pool(order.token), order.budget_lamports).token_raw)
        if order.expected <= 0:
            return RiskRefused(order, RefusalReason.NO_LIQUIDITY, "the pool gives nothing for it")
        return self._send(order)

    def _budget(self, decision: Order) -> int:
        """What the strategy may spend: as in the arena, every exposure keeps the fee of its way out."""
        state = self.state
        allocation_usd = state.allocations_usd.get(decision.spec_id, 0.0)
        if allocation_usd <= 0 or not state.market_state.sol_usd:
            return 0
        held = state.holdings.get(decision.spec_id, {})
        wanted_usd = min(allocation_usd * decision.size, self._limits.max_position_usd) * size_multiplier(state.level)
        lamports_per_usd = LAMPORTS_PER_SOL / state.market_state.sol_usd
        in_flight = [order for order in state.pending if order.spec_id == decision.spec_id]
        exposures = held.keys() | {order.token for order in in_flight}
        used = sum(h.cost_lamports for h in held.values()) + sum(order.budget_lamports for order in in_flight)
        fees = network_fee_lamports(self._model) * (len(in_flight) + len(exposures) + 2)
        return min(int(wanted_usd * lamports_per_usd), int(allocation_usd * lamports_per_usd) - used - fees)

    def _leave(self, decision: Order, holding: Holding) -> Order | RiskRefused:
        if holding.short is not None:
            outcome = holding.short.cover(self.state.market_state.tokens[decision.token])
            expected = outcome.sol_lamports - outcome.fee_lamports
        else:
            quote = value_of(self._pool(decision.token), holding.token_raw)
            expected = quote.sol_lamports - quote.fee_lamports
        order = replace(decision, token_raw=holding.token_raw, expected=expected)
        return refuse(order, self.state, self._limits) or self._send(order)

    def _send(self, order: Order) -> Order:
        sent, now = self.state.sent_ts, self.state.market_state.last_ts
        sent.append(now)
        del sent[: bisect_right(sent, now - _MINUTE_NS)]
        self.state.pending.append(order)
        return order

    def _pool(self, token: int) -> Pool:
        """The recorded pool moved by everything that the desk has taken from it and given to it."""
        pool = self.state.market_state.tokens[token].pool
        held = list(self.state.held_of(token))
        return moved(pool, sum(h.shift_sol_lamports for h in held), sum(h.shift_token_raw for h in held))

    def _fill(self, order: Order) -> Fill:
        state = self.state
        state.pending.remove(order)
        market = state.market_state.tokens[order.token]
        holding = state.holding(order.spec_id, order.token) or Holding()
        pool = self._pool(order.token) if order.side not in (SHORT_SIDE, COVER_SIDE) else market.pool
        fill = execute(order, holding, pool, market, order.due_ts, state.market_state.last_seq, self._model)
        self._book(fill)
        return fill

    def _book(self, fill: Fill) -> None:
        order, holdings = fill.order, self.state.holdings
        self.state.cash_lamports += fill.cash_change_lamports
        if fill.failure:
            return
        book = holdings.setdefault(order.spec_id, {})
        holding = book.setdefault(order.token, Holding())
        holding.apply_fill(fill, self.state.market_state.tokens[order.token])
        if not holding.is_open:
            del book[order.token]
            self.state.refused_exits.discard((order.spec_id, order.token))
        if not book:
            del holdings[order.spec_id]
