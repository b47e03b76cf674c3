"""Execution: arenas and desk over the same events, so that a decision on paper is the simulated decision.

The state changes in two ways only: by events, and by controls between two of them. Events and controls therefore
derive it again, after a crash and when a run is verified.

The desk consumes the decisions of all arenas in one total order: by event, then by decision time, then by the number
under which a strategy was admitted. The records therefore do not depend on how many arenas there are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from memesnipe.engine.fills import SETTLED, FillModel
from memesnipe.engine.orders import Fill, Order
from memesnipe.execution.paper import PaperVenue
from memesnipe.execution.reporting import ReportingVenue
from memesnipe.market.events import DECISION, Events, last_of_decisions, rows
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import (
    AllocationMessage,
    CommandMessage,
    ControlPayload,
    ExecutionReport,
    ExitOrder,
    ParityRecord,
    RiskEvent,
)
from memesnipe.sdk.registry import Families
from memesnipe.trading.arena import Arena, ArenaBatch, ArenaState
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk import Desk
from memesnipe.trading.desk_state import DeskState
from memesnipe.trading.gate import Limits
from memesnipe.trading.parity import Parity, parity_bps
from memesnipe.trading.steps import DeskFill, Results, Step


@dataclass(slots=True)
class DeskSideState:
    """The state beside the arenas."""

    desk: DeskState = field(default_factory=DeskState)
    parity: dict[str, Parity] = field(default_factory=dict)
    admitted: int = 0  # strategies ever admitted
    admission_no: dict[str, int] = field(default_factory=dict)  # of the strategies in the arenas


@dataclass(slots=True)
class ExecutionState:
    """The state of all arenas, and the state beside them."""

    arenas: list[ArenaState]
    side: DeskSideState


class Execution:
    """Moves all arenas and the desk over events and controls."""

    def __init__(self, arenas: Sequence[Arena], desk: Desk) -> None:
        self.arenas = list(arenas)
        self.desk = desk
        self._side = DeskSideState(desk.state)

    @property
    def seq(self) -> int:
        """The last event that was applied."""
        return self.arenas[0].seq

    @property
    def parity(self) -> dict[str, Parity]:
        """How far the desk's fills are from the simulated ones, by strategy."""
        return self._side.parity

    def advance(self, events: Events) -> Iterator[Step]:
        """Yield one step up to each event after which a decision is due, and one for the remaining events."""
        start = 0
        for last in [*last_of_decisions(events), len(events) - 1]:
            if last >= start:
                batch = events[start : last + 1]
                yield self._advance_desk(batch, [arena.advance(batch) for arena in self.arenas])
                start = last + 1

    def _advance_desk(self, events: Events, batches: Sequence[ArenaBatch]) -> Step:
        final = events[-1]
        step = Step(int(final["seq"]), int(final["ts"]))
        simulated = {
            (fill.order.spec_id, fill.order.order_no): fill
            for fill in chain.from_iterable(batch.fills for batch in batches)
        }
        pending = self._in_order(batches)[::-1]
        market_state = self.desk.state.market_state
        for event in rows(events):
            # A decision between events (a maximum hold that ended) comes before the next event.
            self._consume(pending, event.seq - 1, step)
            sol_usd = market_state.sol_usd
            step.fills += [DeskFill(fill, sol_usd) for fill in self.desk.on_event(event)]
            self._consume(pending, event.seq, step)
        step.fills = [replace(done, parity_bps=self._compare(done.fill, simulated)) for done in step.fills]
        flags = int(final["flags"]) & DECISION
        if flags:
            self._leave_orphans(batches, step)
            self.desk.drop_dead()
            results = [result for batch in batches for result in batch.results]
            if len(batches) > 1:
                results.sort(key=lambda result: self._side.admission_no[result.spec_id])
            step.results = Results(step.ts, flags, results, self._parity_records())
        return step

    def _in_order(self, batches: Sequence[ArenaBatch]) -> list[Order]:
        """Merge the decisions of all arenas into the total order; a strategy's own decisions keep theirs."""
        if len(batches) == 1:
            return batches[0].decisions
        admission_no = self._side.admission_no
        return sorted(
            chain.from_iterable(batch.decisions for batch in batches),
            key=lambda order: (
                order.decided_seq,
                order.decided_between_events,
                order.decided_ts,
                admission_no[order.spec_id],
            ),
        )

    def _leave_orphans(self, batches: Sequence[ArenaBatch], step: Step) -> None:
        """Sell holdings without a simulated counterpart: the simulated sale landed and ours failed, or it is gone."""
        exposed = frozenset[tuple[str, int]]().union(*(batch.exposed for batch in batches))
        for spec_id, token in self.desk.held():
            if (spec_id, token) not in exposed:
                step.add(self.desk.exit(spec_id, token, "simulation_left"))

    def _consume(self, pending: list[Order], seq: int, step: Step) -> None:
        """Pass the decisions up to event ``seq`` to the desk, each after the orders that arrived before it."""
        sol_usd = self.desk.state.market_state.sol_usd
        while pending and pending[-1].decided_seq <= seq:
            decision = pending.pop()
            # At an event the event comes first; between two, an order that arrives at the same time does.
            arrived = self.desk.pass_time(decision.decided_ts + decision.decided_between_events)
            step.fills += [DeskFill(fill, sol_usd) for fill in arrived]
            if decision.reason in SETTLED:
                settled = self.desk.settle(decision)
                if settled is not None:
                    step.orders.append(settled[0])
                    step.fills.append(DeskFill(settled[1], sol_usd))
            else:
                step.add(self.desk.on_decision(decision))

    def _compare(self, fill: Fill, simulated: dict[tuple[str, int], Fill]) -> float | None:
        """Return the parity error of a fill; None where no simulated fill corresponds.

        The desk's own exits have no simulated fill. Sales of a strategy without an allocation are not counted.
        """
        spec_id = fill.order.spec_id
        counterpart = simulated.get((spec_id, fill.order.order_no))
        error_bps = parity_bps(fill, counterpart) if counterpart is not None else None
        if error_bps is not None and spec_id in self.desk.state.allocations_usd:
            self.parity.setdefault(spec_id, Parity()).add(error_bps)
        return error_bps

    def _parity_records(self) -> dict[str, ParityRecord]:
        return {spec_id: ParityRecord(p.fills, p.error_bps) for spec_id, p in self.parity.items()}

    def apply(self, control: ControlPayload) -> Step:
        """Apply a control: a message that changes the state between two events."""
        step = Step(self.seq, self.desk.state.market_state.last_ts)
        match control:
            case RiskEvent():
                step.cancelled = self.desk.set_risk(RiskLevel(control.level), halted=self.desk.state.halted)
            case CommandMessage():
                step.cancelled = self._apply_command(control.name, control.spec_id)
            case ExitOrder():
                step.add(self.desk.exit(control.spec_id, control.token, control.reason, control.opened_ts))
            case ExecutionReport():
                self._apply_report(control, step)
            case AllocationMessage():
                self._apply_allocations(control, step)
        return step

    def _apply_report(self, report: ExecutionReport, step: Step) -> None:
        fill = self.desk.on_report(report)
        step.reported[f"{report.spec_id}-{report.order_no}"] = report.status
        if fill is not None:
            step.fills.append(DeskFill(fill, self.desk.state.market_state.sol_usd))

    def _apply_command(self, name: CommandName, spec_id: str) -> list[Order]:
        desk = self.desk
        if name == CommandName.DEMOTE:  # it enters nothing more; its mode is the portfolio's
            desk.state.allocations_usd.pop(spec_id, None)
        if name == CommandName.HALT:
            return desk.set_risk(desk.state.level, halted=True)
        if name == CommandName.RISK_RESET:  # the level follows from the breaker
            return desk.set_risk(desk.state.level, halted=False)
        return []

    def _apply_allocations(self, message: AllocationMessage, step: Step) -> None:
        """Add and remove strategies in the arenas, and give the desk their allocations."""
        side, desk = self._side, self.desk.state
        for genome in message.added:
            side.admitted += 1
            side.admission_no[genome.spec_id] = side.admitted
        desk.allocations_usd = dict(message.allocations_usd)
        # The desk follows strategies with an allocation, and those that still hold something or have an order open.
        watched = {*desk.allocations_usd, *desk.holdings, *(order.spec_id for order in desk.pending)}
        batches = [arena.apply(message, watched) for arena in self.arenas]
        for spec_id in message.removed:
            side.admission_no.pop(spec_id, None)
        # The record of fills before a demotion does not count after it.
        side.parity = {s: parity for s, parity in side.parity.items() if s in desk.allocations_usd}
        self._leave_orphans(batches, step)

    def dump(self) -> ExecutionState:
        """Return the state; write it down before the next step, which changes it."""
        return ExecutionState([arena.dump() for arena in self.arenas], self._side)

    def load(self, state: ExecutionState) -> None:
        """Continue from a state of `dump`."""
        for arena, arena_state in zip(self.arenas, state.arenas, strict=True):
            arena.load(arena_state)
        self._side = state.side
        self.desk.state = state.side.desk


def local_execution(
    families: Families,
    model: FillModel,
    *,
    shadow_capital_usd: float,
    limits: Limits,
    threads: int = 1,
    arenas: int = 1,
    reports: bool = False,
) -> Execution:
    """Return a desk with so many arenas in this process, in their initial state.

    With ``reports`` the outcomes of the desk's orders are controls; without, the desk trades on paper.
    """
    made = [
        Arena(families, model, shadow_capital_usd=shadow_capital_usd, threads=threads, index=index, count=arenas)
        for index in range(arenas)
    ]
    venue = ReportingVenue(model) if reports else PaperVenue(model)
    return Execution(made, Desk(venue, limits, dead_after_ns=model.dead_after_ns))
