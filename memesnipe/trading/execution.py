"""Execution: the arena and the desk over the same events, so a paper decision is the simulated decision."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import SETTLED, FillModel
from memesnipe.engine.genome import genome_from
from memesnipe.engine.orders import Fill, Order
from memesnipe.engine.results import StrategyResult
from memesnipe.engine.snapshot import EngineState
from memesnipe.market.events import Events, last_of_decisions, rows
from memesnipe.sdk.registry import Families
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk import Desk, DeskState


@dataclass(slots=True)
class ExecutionState:
    """Arena and desk as plain data."""

    arena: EngineState
    desk: DeskState


@dataclass(slots=True)
class Step:
    """What happened up to one event: desk orders taken on, orders ended, and results where a decision is due."""

    seq: int
    ts: int
    flags: int
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    results: list[StrategyResult] | None = None


class Execution:
    """Moves every strategy over the events, and trades for those that have an allocation."""

    def __init__(
        self, families: Families, model: FillModel, *, shadow_capital_usd: float, max_position_usd: float
    ) -> None:
        self.arena = Engine(families, model, shadow_capital_usd)
        self.desk = Desk(model, max_position_usd)

    def advance(self, events: Events) -> Iterator[Step]:
        """One step up to each event after which a decision is due, and one for what is left."""
        start = 0
        for last in [*last_of_decisions(events), len(events) - 1]:
            if last >= start:
                yield self._advance(events[start : last + 1])
                start = last + 1

    def _advance(self, events: Events) -> Step:
        final = events[-1]
        step = Step(int(final["seq"]), int(final["ts"]), int(final["flags"]))
        waiting = self.arena.advance(events).orders[::-1]
        for event in rows(events):
            # What was decided between events (a longest hold that ended) comes before the next event.
            self._decide(waiting, event.seq - 1, step)
            step.fills += self.desk.on_event(event)
            self._decide(waiting, event.seq, step)
        if step.flags:
            step.orders += self._leave_orphans()
            self.desk.forget_dead()
            step.results = self.arena.results()
        return step

    def _leave_orphans(self) -> list[Order]:
        """Sell what the desk holds and the simulation does not: its own sale landed, ours failed; or it is gone."""
        orders = [
            self.desk.exit(spec_id, token, "simulation_left")
            for spec_id, token in self.desk.held()
            if not self.arena.is_in(spec_id, token)
        ]
        return [order for order in orders if order is not None]

    def _decide(self, waiting: list[Order], seq: int, step: Step) -> None:
        """Hand the desk what was decided, each order after what had reached the chain by then."""
        while waiting and waiting[-1].decided_seq <= seq:
            decision = waiting.pop()
            # At an event the event comes first; between two, what reaches the chain at that very moment does.
            step.fills += self.desk.pass_time(decision.decided_ts + decision.between)
            if decision.reason in SETTLED:
                settled = self.desk.settle(decision)
                if settled is not None:
                    step.orders.append(settled[0])
                    step.fills.append(settled[1])
                continue
            order = self.desk.on_decision(decision)
            if order is not None:
                step.orders.append(order)

    def apply_allocations(self, message: dict[str, Any]) -> None:
        """Let strategies join and leave the arena, and give the desk their capital (`allocations_channel`)."""
        self.arena.add(*(genome_from(genome) for genome in message["added"]))
        self.arena.remove(*message["removed"])
        self.desk.state.allocations_usd = dict(message["allocations_usd"])
        # The desk follows those that have capital, and those that still hold something with what they had.
        self.arena.watch([*message["allocations_usd"], *(spec_id for spec_id, _ in self.desk.held())])

    def apply_risk(self, message: dict[str, Any]) -> None:
        """Take a new risk level over (`risk_events`)."""
        self.desk.state.level = RiskLevel(message["level"])

    def apply_exit(self, message: dict[str, Any]) -> Order | None:
        """Sell a position on the position actor's word (`exit_orders`)."""
        return self.desk.exit(message["spec_id"], message["token"], message["reason"])

    def dump(self) -> ExecutionState:
        """The state, to be serialised before going on."""
        return ExecutionState(self.arena.dump(), self.desk.state)

    def load(self, state: ExecutionState) -> None:
        """Go on from the state of `dump`."""
        self.arena.load(state.arena)
        self.desk.state = state.desk
