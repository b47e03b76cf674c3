"""The desk: executes the decisions of strategies that have an allocation, through a venue.

A decision is the arena's own `Order`. The risk gate admits or refuses it, and the desk sizes it. The desk's order keeps
the number of the simulated one, so that both land or fail alike on paper. All holdings of a token shift the pool
together, because they belong to one wallet. Each account has a desk of its own (`memesnipe.trading.accounts`).

The desk books its fills in a ledger of its own, which finds the stops and the risk levels that an event reaches.
"""

from bisect import bisect_right
from dataclasses import replace
from typing import Final

from memesnipe.engine.holdings import Holding, closed_at_value
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.execution.venue import ExecutionVenue
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
from memesnipe.market.pools import Pool, moved, quote_buy
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import AccountFigures, CommandMessage, ExecutionReport
from memesnipe.protocol.order_status import (
    OPEN,
    TRANSITIONS,
    OrderStatus,
    TransitionError,
    assert_transition,
    is_outdated,
)
from memesnipe.trading.breaker import size_multiplier
from memesnipe.trading.desk_state import DeskState, Observation, Reported, RoundTrip, order_key
from memesnipe.trading.gate import Limits, RefusalReason, RiskRefused, refuse, refuse_size
from memesnipe.trading.ledger import Ledger, LedgerPolicy, LedgerState, RiskCheck

_MINUTE_NS: Final = 60 * NS_PER_S


class Desk:
    """Sizes and sends the orders of strategies that have an allocation, and books their outcomes."""

    def __init__(
        self, venue: ExecutionVenue, limits: Limits, policy: LedgerPolicy, state: DeskState | None = None
    ) -> None:
        self.state = state or DeskState(LedgerState())
        self._venue = venue
        self._limits = limits
        self._ledger = Ledger(policy, self.state.ledger)
        self._observed: list[Observation] = []

    def take_observed(self) -> list[Observation]:
        """Return the round trips that began or ended since the last call, in order."""
        observed, self._observed = self._observed, []
        return observed

    def load(self, state: DeskState) -> None:
        """Continue from a state."""
        self.state, self._ledger.state = state, state.ledger

    def on_event(self, event: Event) -> RiskCheck | None:
        """Apply an event, after `pass_time` up to it; return the check of the account where its token is held."""
        self.state.is_late = event.flags & STALE != 0
        return self._ledger.on_event(event)

    def mark(self) -> RiskCheck:
        """Check the account where a decision is due, and drop the markets of dead tokens."""
        risk = self._ledger.mark().risk
        self._ledger.drop_dead([order.token for order in self.state.pending])
        return risk

    def figures(self) -> AccountFigures:
        """Return the account's money and risk."""
        return self._ledger.figures()

    def pass_time(self, ts: int) -> list[Fill]:
        """Execute the orders that arrived before ``ts``; return the outcomes."""
        if not self.state.pending:
            return []
        return [self._execute(order) for order in self._venue.arrivals(self.state.pending, ts)]

    def on_report(self, report: ExecutionReport) -> Reported | None:
        """Apply a venue's report on an order; return its effect, None for an outdated report.

        Raises:
            TransitionError: the order cannot go from its state to the reported one, or the fill contradicts the state.
        """
        state, key = self.state, f"{report.spec_id}-{report.order_no}"
        order = next((order for order in state.pending if order_key(order) == key), None)
        before = state.statuses.get(key, OrderStatus.INTENDED if order is not None else None)
        if before is None or is_outdated(before, report.status):
            return None  # without a status, the order is cancelled or reconciled
        assert_transition(before, report.status)
        has_traded = report.fill is not None and not report.fill.failure
        if has_traded != (report.status is OrderStatus.LANDED) or (report.fill is not None and order is None):
            raise TransitionError(f"the fill of order {key} contradicts the status {report.status}")
        if TRANSITIONS[report.status]:
            state.statuses[key] = report.status
        else:
            state.statuses.pop(key, None)
        if order is None or report.status in OPEN:
            return Reported(key, None, None)
        state.pending.remove(order)
        fill = report.fill
        if fill is not None:
            # The event before a fill is the one after which the report took effect: the records follow this order.
            fill = replace(fill, order=order, seq=state.market_state.last_seq)
            self._book(fill)
        self._end_round_trip(order.spec_id, order.token, state.market_state.last_ts)
        return Reported(key, order, fill)

    def on_decision(self, decision: Order) -> Order | RiskRefused | None:
        """Return the desk's order for a decision, the refusal, or None where the decision does not concern the desk."""
        if decision.side in ENTRIES:
            return self._enter(decision)
        holding = self.state.holding(decision.spec_id, decision.token)
        if holding is None or holding.is_short != (decision.side == COVER_SIDE):
            return None  # the entry was refused, or failed
        return self._leave(decision, holding)

    def settle(self, decision: Order) -> tuple[Order, Fill] | None:
        """Close a holding that the arena has closed without a transaction: its token is dead, or its margin is gone.

        Returns:
            The order and its fill; None where nothing is held, an order is open, or the venue needs a transaction.
        """
        holding = self.state.holding(decision.spec_id, decision.token)
        market = self.state.market_state.tokens.get(decision.token)
        if holding is None or market is None or self.state.is_pending(decision.spec_id, decision.token):
            return None
        order = replace(decision, token_raw=holding.token_raw)
        pool = self._pool(order.token)
        fill = self._venue.settle(order, holding, pool, market, decision.decided_ts, self.state.market_state.last_seq)
        if fill is None:
            return None
        self.state.refused_exits.discard((decision.spec_id, decision.token))
        self._book(fill)
        return order, fill

    def exit(self, spec_id: str, token: int, reason: str) -> Order | RiskRefused | None:
        """Close a strategy's holding of a token, whatever the strategy decides.

        Args:
            spec_id: the strategy.
            token: the token.
            reason: one word.

        Returns:
            The order; the refusal, once in each period in which exits are refused; None where nothing is held.
        """
        state, key = self.state, (spec_id, token)
        holding = state.holding(spec_id, token)
        if holding is None or state.is_pending(spec_id, token) or key in state.refused_exits:
            return None
        outcome = self._exit(spec_id, token, reason, holding)
        if isinstance(outcome, RiskRefused):
            state.refused_exits.add(key)
        return outcome

    def _exit(self, spec_id: str, token: int, reason: str, holding: Holding) -> Order | RiskRefused:
        state = self.state
        state.exit_orders += 1
        ts = state.market_state.last_ts
        side = COVER_SIDE if holding.is_short else SELL_SIDE
        # Numbers below zero never collide with the numbers of the strategy's own orders.
        order_no, due_ts = -state.exit_orders, ts + self._venue.latency_ns
        order = Order(spec_id, order_no, token, side, reason, ts, state.market_state.last_seq, due_ts, 0.0, 0, 0, 0)
        return self._leave(order, holding)

    def apply(self, command: CommandMessage) -> bool:
        """Apply a halt, a flatten or a reset; return whether the command is one of these and not overtaken."""
        return self._ledger.apply(command)

    def close(self, spec_id: str, token: int) -> Order | RiskRefused | None:
        """Close a holding on a person's command, and try again until it is sold; None while not held, or halted."""
        if self._ledger.close(spec_id, token):
            return None
        return self.exit(spec_id, token, CommandName.CLOSE.value)

    def cancel_not_permitted(self) -> list[Order]:
        """Cancel the open orders that a new risk level or halt does not permit, and return them.

        Where the desk cannot cancel orders itself, they stay open and `DeskState.not_permitted` returns them.
        """
        state = self.state
        state.refused_exits.clear()
        if not self._venue.can_cancel():
            return []
        cancelled = state.not_permitted()
        state.pending = [order for order in state.pending if order not in cancelled]
        for order in cancelled:
            self._end_round_trip(order.spec_id, order.token, state.market_state.last_ts, is_between_events=False)
        return cancelled

    def _enter(self, decision: Order) -> Order | RiskRefused | None:
        state, market = self.state, self.state.market_state.tokens.get(decision.token)
        if market is None:
            return None
        if decision.side == SHORT_SIDE and not self._venue.can_short():
            return RiskRefused(decision, RefusalReason.NO_VENUE, "there is no live venue for perps")
        refused = refuse(decision, state, self._limits)
        if refused is not None:
            return refused
        order = replace(decision, budget_lamports=self._budget(decision), expected=int(market.mark_usd * 1e6))
        refused = refuse_size(order, state, self._limits)
        if refused is not None:
            return refused
        if order.side == BUY_SIDE:
            order = replace(order, expected=quote_buy(self._pool(order.token), order.budget_lamports).token_raw)
        if order.expected <= 0:
            return RiskRefused(order, RefusalReason.NO_LIQUIDITY, "the pool gives nothing for it")
        return self._send(order)

    def _budget(self, decision: Order) -> int:
        """Return the budget in lamports; as in the arena, the fee of every exposure's exit is reserved."""
        state = self.state
        allocation_usd = state.allocations_usd.get(decision.spec_id, 0.0)
        if allocation_usd <= 0 or not state.market_state.sol_usd:
            return 0
        held = state.held_by(decision.spec_id)
        wanted_usd = max(allocation_usd * decision.size, min(allocation_usd, self._limits.min_position_usd))
        target_usd = min(wanted_usd, self._limits.max_position_usd) * size_multiplier(state.level)
        lamports_per_usd = LAMPORTS_PER_SOL / state.market_state.sol_usd
        in_flight = [order for order in state.pending if order.spec_id == decision.spec_id]
        exposures = held.keys() | {order.token for order in in_flight}
        used = sum(h.cost_lamports for h in held.values()) + sum(order.budget_lamports for order in in_flight)
        fees = self._venue.network_fee_lamports * (len(in_flight) + len(exposures) + 2)
        free_lamports = int(allocation_usd * lamports_per_usd) - used - fees
        return min(int(target_usd * lamports_per_usd), free_lamports, self._bearable_lamports(decision))

    def _bearable_lamports(self, decision: Order) -> int:
        """Return the largest budget that the pool can bear; no limit for a short, or where the pool is unknown."""
        pool_lamports = self._pool(decision.token).sol_lamports if decision.side == BUY_SIDE else 0
        return int(min(pool_lamports * self._limits.max_pool_share, 2**62)) if pool_lamports > 0 else 2**62

    def _leave(self, decision: Order, holding: Holding) -> Order | RiskRefused:
        market = self.state.market_state.tokens[decision.token]
        outcome = closed_at_value(holding, self._pool(decision.token), market)
        expected = outcome.sol_lamports - outcome.fee_lamports
        order = replace(decision, token_raw=holding.token_raw, expected=expected)
        return refuse(order, self.state, self._limits) or self._send(order)

    def _send(self, order: Order) -> Order:
        sent, now = self.state.sent_ts, self.state.market_state.last_ts
        sent.append(now)
        del sent[: bisect_right(sent, now - _MINUTE_NS)]
        self.state.pending.append(order)
        if order.side in ENTRIES:
            self.state.round_trips.setdefault(order.spec_id, {})[order.token] = RoundTrip(order.budget_lamports)
            seq, is_between = self.state.market_state.last_seq, order.decided_between_events
            begun = Observation(order.spec_id, order.token, None, order.decided_ts, is_between, seq)
            self._observed.append(begun)
        return order

    def _pool(self, token: int) -> Pool:
        """Return the recorded pool shifted by the desk's own trades."""
        pool = self.state.market_state.tokens[token].pool
        held = list(self.state.held_of(token))
        return moved(pool, sum(h.shift_sol_lamports for h in held), sum(h.shift_token_raw for h in held))

    def _execute(self, order: Order) -> Fill:
        state = self.state
        state.pending.remove(order)
        market = state.market_state.tokens[order.token]
        holding = state.holding(order.spec_id, order.token) or Holding()
        pool = self._pool(order.token) if order.side not in (SHORT_SIDE, COVER_SIDE) else market.pool
        fill = self._venue.execute(order, holding, pool, market, order.due_ts, state.market_state.last_seq)
        self._book(fill)
        return fill

    def _book(self, fill: Fill) -> None:
        order = fill.order
        self._ledger.book(fill)
        round_trip = self.state.round_trips.get(order.spec_id, {}).get(order.token)
        if round_trip is not None:
            round_trip.profit_lamports += fill.cash_change_lamports
        if self.state.holding(order.spec_id, order.token) is None:
            self.state.refused_exits.discard((order.spec_id, order.token))
        self._end_round_trip(order.spec_id, order.token, fill.ts)

    def _end_round_trip(self, spec_id: str, token: int, ts: int, *, is_between_events: bool = True) -> None:
        """End a round trip where nothing is held and no order is open."""
        state = self.state
        if state.holding(spec_id, token) is not None or state.is_pending(spec_id, token):
            return
        round_trip = state.round_trips.get(spec_id, {}).pop(token, None)
        if round_trip is not None:
            if not state.round_trips[spec_id]:
                del state.round_trips[spec_id]
            value = round_trip.profit_lamports / round_trip.stake_lamports
            seq, profit = state.market_state.last_seq, round_trip.profit_lamports
            self._observed.append(Observation(spec_id, token, value, ts, is_between_events, seq, profit))
