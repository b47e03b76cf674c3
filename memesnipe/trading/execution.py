"""Execution: the arena and the desk over the same events, so a paper decision is the simulated decision.

It moves in two ways, and nothing else changes it: over events, and by obeying what it is told between two of them.
So the events, and what it was told after which of them, derive it again: after a crash, and when a run is verified.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import SETTLED, FillModel
from memesnipe.engine.orders import Fill, Order
from memesnipe.engine.snapshot import EngineState
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.market.events import DECISION, Events, last_of_decisions, rows
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import (
    AllocationMessage,
    CommandMessage,
    ControlPayload,
    ExitOrder,
    ParityRecord,
    RiskEvent,
)
from memesnipe.sdk.registry import Families
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk import Desk
from memesnipe.trading.desk_state import DeskState
from memesnipe.trading.gate import Limits, RiskRefused
from memesnipe.trading.parity import Parity, parity_bps


@dataclass(slots=True)
class ExecutionState:
    """Arena, desk, the record of how far the two agree, and what those that left have sent."""

    arena: EngineState
    desk: DeskState
    parity: dict[str, Parity]
    sent: dict[str, int]


@dataclass(frozen=True, slots=True)
class Results:
    """How the simulating strategies have done, where a decision is due."""

    ts: int
    flags: int
    results: list[StrategyResult]
    parity: dict[str, ParityRecord]


@dataclass(frozen=True, slots=True)
class DeskFill:
    """A fill, the price of SOL at that time, and its parity error where the simulation has its like."""

    fill: Fill
    sol_usd: float
    parity_bps: float | None = None


@dataclass(slots=True)
class Step:
    """What happened up to one event, in this order; ``seq`` and ``ts`` are that event's."""

    seq: int
    ts: int
    orders: list[Order] = field(default_factory=list)
    refused: list[RiskRefused] = field(default_factory=list)
    cancelled: list[Order] = field(default_factory=list)
    fills: list[DeskFill] = field(default_factory=list)
    results: Results | None = None

    def take(self, outcome: Order | RiskRefused | None) -> None:
        """Note what the desk made of a decision."""
        if isinstance(outcome, RiskRefused):
            self.refused.append(outcome)
        elif outcome is not None:
            self.orders.append(outcome)


class Execution:
    """Moves every strategy over the events, and trades for those that have an allocation."""

    def __init__(
        self, families: Families, model: FillModel, *, shadow_capital_usd: float, limits: Limits, threads: int = 1
    ) -> None:
        self.arena = Engine(families, model, shadow_capital_usd, threads)
        self.desk = Desk(model, limits)
        self.parity: dict[str, Parity] = {}
        # How many orders those that left have sent: one that comes back numbers its orders on.
        self.sent: dict[str, int] = {}

    @property
    def seq(self) -> int:
        """The last event it has moved over."""
        return self.arena.last_seq

    def advance(self, events: Events) -> Iterator[Step]:
        """One step up to each event after which a decision is due, and one for what is left."""
        start = 0
        for last in [*last_of_decisions(events), len(events) - 1]:
            if last >= start:
                yield self._advance(events[start : last + 1])
                start = last + 1

    def _advance(self, events: Events) -> Step:
        final = events[-1]
        step = Step(int(final["seq"]), int(final["ts"]))
        done = self.arena.advance(events)
        simulated = {(fill.order.spec_id, fill.order.order_no): fill for fill in done.fills}
        waiting = done.orders[::-1]
        market_state = self.desk.state.market_state
        for event in rows(events):
            # What was decided between events (a longest hold that ended) comes before the next event.
            self._decide(waiting, event.seq - 1, step)
            sol_usd = market_state.sol_usd
            step.fills += [DeskFill(fill, sol_usd) for fill in self.desk.on_event(event)]
            self._decide(waiting, event.seq, step)
        step.fills = [replace(done, parity_bps=self._compare(done.fill, simulated)) for done in step.fills]
        flags = int(final["flags"]) & DECISION
        if flags:
            self._leave_orphans(step)
            self.desk.drop_dead()
            step.results = Results(step.ts, flags, self.arena.results(), self._parity())
        return step

    def _leave_orphans(self, step: Step) -> None:
        """Sell what the desk holds and the simulation does not: its own sale landed, ours failed; or it is gone."""
        for spec_id, token in self.desk.held():
            if not self.arena.is_in(spec_id, token):
                step.take(self.desk.exit(spec_id, token, "simulation_left"))

    def _decide(self, waiting: list[Order], seq: int, step: Step) -> None:
        """Hand the desk what was decided, each order after what had reached the chain by then."""
        sol_usd = self.desk.state.market_state.sol_usd
        while waiting and waiting[-1].decided_seq <= seq:
            decision = waiting.pop()
            # At an event the event comes first; between two, what reaches the chain at that very moment does.
            arrived = self.desk.pass_time(decision.decided_ts + decision.decided_between_events)
            step.fills += [DeskFill(fill, sol_usd) for fill in arrived]
            if decision.reason in SETTLED:
                settled = self.desk.settle(decision)
                if settled is not None:
                    step.orders.append(settled[0])
                    step.fills.append(DeskFill(settled[1], sol_usd))
            else:
                step.take(self.desk.on_decision(decision))

    def _compare(self, fill: Fill, simulated: dict[tuple[str, int], Fill]) -> float | None:
        """The parity error of a fill; None where there is nothing to compare.

        The desk's own exits have no twin in the simulation. What a strategy without capital still sells counts no more.
        """
        spec_id = fill.order.spec_id
        twin = simulated.get((spec_id, fill.order.order_no))
        error_bps = parity_bps(fill, twin) if twin is not None else None
        if error_bps is not None and spec_id in self.desk.state.allocations_usd:
            self.parity.setdefault(spec_id, Parity()).see(error_bps)
        return error_bps

    def _parity(self) -> dict[str, ParityRecord]:
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
                step.take(self.desk.exit(control.spec_id, control.token, control.reason, control.opened_ts))
            case AllocationMessage():
                self._apply_allocations(control)
                self._leave_orphans(step)
        return step

    def _apply_command(self, name: str, spec_id: str) -> list[Order]:
        if name == CommandName.DEMOTE:  # it buys nothing more from now on; the rest is the portfolio's
            self.desk.state.allocations_usd.pop(spec_id, None)
        if name == CommandName.HALT:
            return self.desk.set_risk(self.desk.state.level, halted=True)
        if name == CommandName.RISK_RESET:  # the level itself comes from the breaker
            return self.desk.set_risk(self.desk.state.level, halted=False)
        return []

    def _apply_allocations(self, message: AllocationMessage) -> None:
        """Let strategies join and leave the arena, and give the desk their capital."""
        joining = {genome.spec_id: genome for genome in message.added}
        self.arena.add(*joining.values(), orders_before={s: self.sent.pop(s) for s in joining if s in self.sent})
        self.sent |= {spec_id: self.arena.orders_of(spec_id) for spec_id in message.removed}
        self.arena.remove(*message.removed)
        self.desk.state.allocations_usd = dict(message.allocations_usd)
        # The desk follows those that have capital, and those that still hold something with what they had, or will.
        state = self.desk.state
        self.arena.watch({*state.allocations_usd, *state.holdings, *(order.spec_id for order in state.pending)})
        # What a strategy did before it was demoted is forgiven.
        self.parity = {s: parity for s, parity in self.parity.items() if s in state.allocations_usd}

    def dump(self) -> ExecutionState:
        """The state, to be written down before going on."""
        return ExecutionState(self.arena.dump(), self.desk.state, self.parity, self.sent)

    def load(self, state: ExecutionState) -> None:
        """Go on from the state of `dump`."""
        self.arena.load(state.arena)
        self.desk.state = state.desk
        self.parity, self.sent = state.parity, state.sent
