"""The accounts: a desk each, so that the money of one never pays for the other, and the parity of its fills."""

from dataclasses import dataclass, field, replace

from memesnipe.engine.fills import SETTLED
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import Events, rows
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import AccountFigures, CommandMessage, ExecutionReport, ParityRecord
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.trading.desk import Desk
from memesnipe.trading.desk_state import DeskState, order_key
from memesnipe.trading.ledger import RiskCheck
from memesnipe.trading.parity import Parity, parity_bps
from memesnipe.trading.steps import DeskFill, Step


@dataclass(slots=True)
class AccountState:
    """The state of an account. Where a venue reports, a simulated fill and the actual one come at different events."""

    desk: DeskState
    parity: dict[str, Parity] = field(default_factory=dict)  # by strategy
    simulated: dict[str, Fill] = field(default_factory=dict)  # of open orders, by order key
    reported: dict[str, Fill | None] = field(default_factory=dict)  # without a simulated fill yet, by order key


class TradingAccount:
    """One account: its desk executes the decisions of its strategies."""

    def __init__(self, name: Account, desk: Desk) -> None:
        self.name = name
        self.desk = desk
        self.state = AccountState(desk.state)

    def load(self, state: AccountState) -> None:
        """Continue from a state."""
        self.state = state
        self.desk.load(state.desk)

    def advance(self, events: Events, decisions: list[Order], simulated: dict[str, Fill]) -> Step:
        """Advance the desk over events.

        Args:
            events: shape (n,).
            decisions: of the account's strategies, in their total order.
            simulated: the simulated fills among these events, by order key.
        """
        final = events[-1]
        step = Step(int(final["seq"]), int(final["ts"]), self.name)
        pending = decisions[::-1]
        market_state = self.desk.state.market_state
        for event in rows(events):
            # A decision between events (a maximum hold that ended) comes before the next event.
            if pending:
                self._consume(pending, event.seq, step, are_between_events=True)
            sol_usd = market_state.sol_usd
            step.fills += [DeskFill(fill, sol_usd) for fill in self.desk.pass_time(event.ts)]
            risk = self.desk.on_event(event)
            # The level restricts the decisions at this event; a stop closes what they have not closed.
            if risk is not None:
                self._restrict(risk, step)
            if pending:
                self._consume(pending, event.seq, step, are_between_events=False)
            if risk is not None:
                self._close_stopped(risk, step)
        step.fills = [replace(done, parity_bps=self._compare(done.fill, simulated)) for done in step.fills]
        self._match(simulated, step)
        return step

    def mark(self, step: Step) -> AccountFigures:
        """Mark the account where a decision is due: restrict it, and close what is at a stop; return its figures."""
        risk = self.desk.mark()
        self._restrict(risk, step)
        self._close_stopped(risk, step)
        return self.desk.figures()

    def _restrict(self, risk: RiskCheck, step: Step) -> None:
        """Cancel the orders that a new level of the breaker does not permit."""
        if risk.level_changed:
            step.level_changed = True
            self._cancel(step)

    def _cancel(self, step: Step) -> None:
        step.cancelled += self.desk.cancel_not_permitted()
        step.recalled += self.desk.state.not_permitted()

    def _close_stopped(self, risk: RiskCheck, step: Step) -> None:
        """Close the positions at a stop; the next event of the token or the next mark tries again what fails."""
        for position in risk.stopped:
            step.add(self.desk.exit(position.spec_id, position.token, position.stop))

    def _consume(self, pending: list[Order], seq: int, step: Step, *, are_between_events: bool) -> None:
        """Pass the decisions before event ``seq``, or those at it, to the desk, each after the orders that arrived."""
        sol_usd = self.desk.state.market_state.sol_usd
        last = (seq - 1, True) if are_between_events else (seq, False)
        while pending and (pending[-1].decided_seq, pending[-1].decided_between_events) <= last:
            decision = pending.pop()
            # At equal times, a decision at an event precedes an arrival, and one between events follows it.
            arrived = self.desk.pass_time(decision.decided_ts + decision.decided_between_events)
            step.fills += [DeskFill(fill, sol_usd) for fill in arrived]
            if decision.reason in SETTLED:
                settled = self.desk.settle(decision)
                if settled is not None:
                    step.orders.append(settled[0])
                    step.fills.append(DeskFill(settled[1], sol_usd))
            else:
                step.add(self.desk.on_decision(decision))

    def _compare(self, fill: Fill, simulated: dict[str, Fill]) -> float | None:
        """Return the parity error of a fill; None where no simulated fill corresponds.

        The desk's own exits have no simulated fill.
        """
        counterpart = simulated.get(order_key(fill.order))
        return self._add_parity(fill.order.spec_id, fill, counterpart) if counterpart is not None else None

    def _add_parity(self, spec_id: str, actual: Fill | None, simulated: Fill) -> float | None:
        """Add a comparison to the strategy's record, unless it has no allocation; return the error."""
        error_bps = parity_bps(actual, simulated)
        if error_bps is not None and spec_id in self.desk.state.allocations_usd:
            self.state.parity.setdefault(spec_id, Parity()).add(error_bps)
        return error_bps

    def _match(self, simulated: dict[str, Fill], step: Step) -> None:
        """Compare simulated fills with earlier reports, and keep those of orders that are still open."""
        if not simulated:
            return
        state = self.state
        pending = {order_key(order) for order in self.desk.state.pending}
        for key, fill in simulated.items():
            if key in state.reported:
                actual = state.reported.pop(key)
                error_bps = self._add_parity(fill.order.spec_id, actual, fill)
                if actual is not None and error_bps is not None:
                    step.compared[key] = error_bps
            elif key in pending:
                state.simulated[key] = fill

    def leave_orphans(self, exposed: frozenset[tuple[str, int]], step: Step) -> None:
        """Sell holdings without a simulated counterpart: only the simulated sale landed, or the strategy is gone."""
        for spec_id, token in self.desk.state.held():
            if (spec_id, token) not in exposed:
                step.add(self.desk.exit(spec_id, token, "simulation_left"))

    def begin_step(self, seq: int) -> Step:
        """Return the empty step of a control that is applied after event ``seq``."""
        return Step(seq, self.desk.state.market_state.last_ts, self.name)

    def apply_command(self, command: CommandMessage, seq: int) -> Step:
        """Apply a manual command."""
        step, state, name = self.begin_step(seq), self.desk.state, command.name
        if name == CommandName.DEMOTE:  # no further entries; the portfolio changes the mode
            state.allocations_usd.pop(command.spec_id, None)
        if name == CommandName.CLOSE:
            step.add(self.desk.close(command.spec_id, command.token))
        before = state.level, state.halted, state.flattening
        if self.desk.apply(command) and before != (state.level, state.halted, state.flattening):
            self._cancel(step)
        if name == CommandName.FLATTEN:
            # What fails is tried again like a stop: at the next event of the token, or the next mark.
            for spec_id, token in state.held():
                step.add(self.desk.exit(spec_id, token, name.value))
        return step

    def apply_report(self, report: ExecutionReport, seq: int) -> Step:
        """Apply a venue's report; an outdated one has no effect."""
        step, reported = self.begin_step(seq), self.desk.on_report(report)
        if reported is None:
            return step
        step.reported[reported.key] = report.status
        order, fill = reported.ended, reported.fill
        if order is None:
            return step
        simulated, error_bps = self.state.simulated.pop(reported.key, None), None
        if simulated is not None and report.status is not OrderStatus.CANCELLED:
            error_bps = self._add_parity(order.spec_id, fill, simulated)
        elif report.status is not OrderStatus.CANCELLED and order.order_no > 0:  # the desk's own exits are below 0
            self.state.reported[reported.key] = fill
        if fill is not None:
            step.fills.append(DeskFill(fill, self.desk.state.market_state.sol_usd, error_bps))
        return step

    def set_allocations(self, allocations_usd: dict[str, float]) -> set[str]:
        """Set the capital of the account's strategies; return those whose decisions concern the desk."""
        desk, state = self.desk.state, self.state
        desk.allocations_usd = allocations_usd
        # The record of fills before a demotion does not count after it.
        state.parity = {s: parity for s, parity in state.parity.items() if s in allocations_usd}
        state.reported = {
            key: fill for key, fill in state.reported.items() if key.rpartition("-")[0] in allocations_usd
        }
        holders = {spec_id for spec_id, _ in desk.held()}
        return {*allocations_usd, *holders, *(order.spec_id for order in desk.pending)}

    def parity_records(self) -> dict[str, ParityRecord]:
        """Return the parity of each strategy."""
        return {
            spec_id: ParityRecord(one.fills, one.error_bps, self.name, one.worse_bps, one.missed_z)
            for spec_id, one in self.state.parity.items()
        }
