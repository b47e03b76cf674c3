"""The portfolio: which strategies run, in which mode, and with how much capital."""

from dataclasses import dataclass, field
from typing import Any

from memesnipe.engine.results import StrategyResult
from memesnipe.trading.allocation import allocate
from memesnipe.trading.lifecycle import Gates, Mode, next_mode


@dataclass(slots=True)
class Managed:
    """One strategy under management."""

    genome: dict[str, Any]
    generation: int
    mode: Mode
    since_seq: int
    result: StrategyResult | None = None
    allocation_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in a strategy's life."""

    spec_id: str
    from_mode: str
    to_mode: str
    reason: str


@dataclass(slots=True)
class PortfolioState:
    """The portfolio as plain data."""

    strategies: dict[str, Managed] = field(default_factory=dict)
    waiting: list[dict[str, Any]] = field(default_factory=list)  # specs that wait for the next decision
    retired: set[str] = field(default_factory=set)  # they do not come back when they are bred again


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided at one event: who joins and leaves the arena, and everyone's capital."""

    added: list[dict[str, Any]]
    removed: list[str]
    allocations_usd: dict[str, float]
    transitions: list[Transition]


class Portfolio:
    """Takes new strategies in, promotes and demotes them by their record, and divides the capital."""

    def __init__(self, gates: Gates, *, arena_size: int, state: PortfolioState | None = None) -> None:
        self.state = state or PortfolioState()
        self._gates = gates
        self._arena_size = arena_size

    def on_spec(self, message: dict[str, Any]) -> None:
        """A strategy that the factory bred (`strategy_specs`)."""
        self.state.waiting.append(message)

    def on_results(self, results: dict[str, StrategyResult]) -> None:
        """How the strategies in the arena have done (`simulation_results`)."""
        for spec_id, result in results.items():
            if spec_id in self.state.strategies:
                self.state.strategies[spec_id].result = result

    def decide(self, seq: int, equity_usd: float) -> Decision:
        """Decide everything that is due after the event ``seq``."""
        transitions = self._take_in(seq)
        added = [self.state.strategies[t.spec_id].genome for t in transitions]
        retired = self._retire(seq)
        transitions += retired
        for spec_id, managed in self.state.strategies.items():
            if managed.result is None:
                continue
            mode, reason = next_mode(managed.mode, managed.result, self._gates)
            if reason:
                transitions.append(Transition(spec_id, managed.mode, mode, reason))
                managed.mode, managed.since_seq = mode, seq
        sharpes = {s: m.result.sharpe for s, m in self.state.strategies.items() if m.mode is Mode.PAPER and m.result}
        allocations = allocate(sharpes, equity_usd)
        for spec_id, managed in self.state.strategies.items():
            managed.allocation_usd = allocations.get(spec_id, 0.0)
        return Decision(added, [t.spec_id for t in retired], allocations, transitions)

    def _take_in(self, seq: int) -> list[Transition]:
        joined = []
        for message in self.state.waiting:
            spec_id = message["spec_id"]
            if spec_id not in self.state.strategies and spec_id not in self.state.retired:
                self.state.strategies[spec_id] = Managed(message["genome"], message["generation"], Mode.SIMULATING, seq)
                reason = f"bred in generation {message['generation']}"
                joined.append(Transition(spec_id, "", Mode.SIMULATING, reason))
        self.state.waiting = []
        return joined

    def _retire(self, seq: int) -> list[Transition]:
        """Let the worst simulating strategies go while the arena is too full; who has just joined stays."""
        simulating = [
            (managed.result.total_return, spec_id)
            for spec_id, managed in self.state.strategies.items()
            if managed.mode is Mode.SIMULATING and managed.result is not None and managed.since_seq < seq
        ]
        worst = sorted(simulating)[: max(0, len(self.state.strategies) - self._arena_size)]
        for _, spec_id in worst:
            del self.state.strategies[spec_id]
            self.state.retired.add(spec_id)
        why = "the arena is full and its return of {:+.2%} is among the worst"
        return [Transition(s, Mode.SIMULATING, Mode.RETIRED, why.format(value)) for value, s in worst]
