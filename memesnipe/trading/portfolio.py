"""The portfolio: the strategies that run, their modes and their capital."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import AllocationMessage, ParityRecord, SimulationResults, StrategySpec
from memesnipe.trading.allocation import KEPT_CHANGES, Caps, TrackRecord, allocate
from memesnipe.trading.lifecycle import DOWN, UP, Mode, PromotionPolicy, Switches, Track, deflated_sharpe_of, next_mode
from memesnipe.trading.live_capital import LiveCapital

_NOT_COMPARED: Final = ParityRecord(0, 0.0)


class ManualOverride(StrEnum):
    """A person's decision about a strategy, in force until the next such decision."""

    UP = "up"  # only fills that drift from the simulation demote it
    DOWN = "down"  # no gate promotes it


@dataclass(slots=True)
class Managed:
    """One strategy under management."""

    generation: int
    mode: Mode
    since_seq: int
    since_observed_s: float = 0.0  # its observation time on entering this mode
    result: StrategyResult | None = None
    allocation_usd: float = 0.0
    compared_fills: int = 0
    parity_error_bps: float = 0.0
    deflated_sharpe: float | None = None
    changes: list[float] = field(default_factory=list)  # of its total return, while on paper or live
    manual_override: ManualOverride | None = None
    live: LiveCapital | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy that may join at the next decision."""

    spec_id: str
    generation: int
    genome: Genome
    return_reason: str = ""  # of a retired strategy that a person has promoted


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the lifecycle of a strategy; steps are numbered from 1 across all strategies."""

    number: int
    seq: int
    spec_id: str
    from_mode: str
    to_mode: str
    reason: str


@dataclass(slots=True)
class PortfolioState:
    """The portfolio as plain data."""

    strategies: dict[str, Managed] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)  # admitted at the next decision
    retired: set[str] = field(default_factory=set)  # they join again by a manual promotion, not by being bred again
    steps: int = 0  # of all strategies together
    evaluations: int = 0  # made in this run so far
    admitted: int = 0  # strategies ever admitted to the arena


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision at one event: the strategies that join and leave the arena, and all allocations."""

    added: list[Genome]
    removed: list[str]
    allocations_usd: dict[str, float]
    transitions: list[Transition]
    released: list[str]  # strategies that had an allocation before, and have none now


class Portfolio:
    """Admits new strategies, promotes and demotes them by their record, and divides the capital."""

    def __init__(
        self,
        rules: PromotionPolicy,
        caps: Caps,
        switches: Switches,
        *,
        arena_size: int,
        state: PortfolioState | None = None,
    ) -> None:
        self.state = state or PortfolioState()
        self._rules = rules
        self._caps = caps
        self._switches = switches
        self._arena_size = arena_size

    def on_spec(self, spec: StrategySpec) -> None:
        """Queue a strategy that the search proposes."""
        self.state.candidates.append(Candidate(spec.spec_id, spec.generation, spec.genome))
        self.state.evaluations = max(self.state.evaluations, spec.evaluations)

    def on_results(self, message: SimulationResults) -> None:
        """Update each strategy's result, and the parity of its fills with the simulated ones."""
        for result in message.results:
            managed = self.state.strategies.get(result.spec_id)
            if managed is None:
                continue
            if managed.result is not None and managed.mode in DOWN:
                change = result.total_return - managed.result.total_return
                managed.changes = [*managed.changes, change][-KEPT_CHANGES:]
            managed.result = result
            parity = message.parity.get(result.spec_id, _NOT_COMPARED)
            managed.compared_fills, managed.parity_error_bps = parity.fills, parity.error_bps

    def on_command(self, seq: int, name: str, spec_id: str, reason: str) -> tuple[str, Transition | None]:
        """Promote or demote past the gates, on a person's command; return the outcome in words, and the step if any."""
        managed = self.state.strategies.get(spec_id)
        if managed is None:
            return f"refused: there is no strategy {spec_id} in the arena", None
        mode = (UP if name == CommandName.PROMOTE else DOWN).get(managed.mode)
        if mode is None:
            where = "above" if name == CommandName.PROMOTE else "below"
            return f"refused: {spec_id} is {managed.mode}, and there is nothing {where} that", None
        if mode is Mode.LIVE and self._switches.missing():
            return f"refused: {self._switches.missing()}", None
        managed.manual_override = ManualOverride.UP if name == CommandName.PROMOTE else ManualOverride.DOWN
        return f"{spec_id} is {mode} from event {seq} on", self._move(spec_id, mode, seq, _manual(reason))

    def on_return(self, spec_id: str, generation: int, genome: Genome, reason: str) -> str:
        """Queue a retired strategy, on a person's command, to join with fresh capital; return the outcome in words."""
        self.state.candidates.append(Candidate(spec_id, generation, genome, _manual(reason)))
        return f"{spec_id} is simulating again from the next decision on"

    def on_live_trade(self, spec_id: str, profit_lamports: int) -> None:
        """Count a finished round trip of a live strategy."""
        managed = self.state.strategies.get(spec_id)
        if managed is not None and managed.live is not None:
            managed.live.on_trade(profit_lamports)

    def decide(self, seq: int, equity_usd: Mapping[Account, float]) -> Decision:
        """Admit, retire, promote, demote and allocate after event ``seq``; return the decision.

        Args:
            seq: the event.
            equity_usd: of each account at this event.
        """
        transitions, added = self._admit(seq)
        retired = self._retire(seq)
        transitions += retired
        for spec_id, managed in self.state.strategies.items():
            transitions += self._next_transition(spec_id, managed, seq)
        allocations = self._allocate(equity_usd)
        released = []
        for spec_id, managed in self.state.strategies.items():
            if managed.allocation_usd and spec_id not in allocations:
                released.append(spec_id)
            managed.allocation_usd = allocations.get(spec_id, 0.0)
        return Decision(added, [t.spec_id for t in retired], allocations, transitions, released)

    def _next_transition(self, spec_id: str, managed: Managed, seq: int) -> list[Transition]:
        if managed.result is None:
            return []
        chosen_from = max(self.state.evaluations + self.state.admitted, 1)
        managed.deflated_sharpe = deflated_sharpe_of(managed.result, chosen_from)
        track = Track(
            managed.result,
            managed.result.observed_s - managed.since_observed_s,
            managed.deflated_sharpe,
            managed.compared_fills,
            managed.parity_error_bps,
        )
        is_pinned = managed.manual_override is ManualOverride.UP
        mode, reason = next_mode(managed.mode, track, self._rules, self._switches, is_pinned=is_pinned)
        if not reason or (managed.manual_override is ManualOverride.DOWN and UP.get(managed.mode) is mode):
            return []
        return [self._move(spec_id, mode, seq, reason)]

    def _move(self, spec_id: str, mode: Mode, seq: int, reason: str) -> Transition:
        managed = self.state.strategies[spec_id]
        step = self._step(seq, spec_id, managed.mode, mode, reason)
        managed.mode, managed.since_seq = mode, seq
        managed.since_observed_s = managed.result.observed_s if managed.result else 0.0
        managed.compared_fills, managed.parity_error_bps = 0, 0.0  # each mode has its own record
        managed.changes = []  # series are aligned at their latest change, so none may have a gap
        managed.live = LiveCapital() if mode is Mode.LIVE else None
        return step

    def _step(self, seq: int, spec_id: str, from_mode: str, mode: Mode, reason: str) -> Transition:
        self.state.steps += 1
        return Transition(self.state.steps, seq, spec_id, from_mode, mode, reason)

    def _allocate(self, equity_usd: Mapping[Account, float]) -> dict[str, float]:
        """Divide the equity of each account among the strategies that trade in it."""
        allocations: dict[str, float] = {}
        for account, usd in equity_usd.items():
            records = {
                spec_id: TrackRecord(managed.result.sharpe, managed.result.periods, managed.changes)
                for spec_id, managed in self.state.strategies.items()
                if managed.mode is Mode(account) and managed.result is not None
            }
            allocations |= allocate(records, usd, self._caps)
        for spec_id in allocations:
            live = self.state.strategies[spec_id].live
            if live is not None:
                allocations[spec_id] = min(allocations[spec_id], live.usd)
        return allocations

    def _admit(self, seq: int) -> tuple[list[Transition], list[Genome]]:
        """Admit the candidates that are neither in the arena nor retired; return their steps and genomes."""
        state = self.state
        joined, genomes = [], []
        for candidate in state.candidates:
            spec_id = candidate.spec_id
            if spec_id in state.strategies or (spec_id in state.retired and not candidate.return_reason):
                continue
            before, reason = "", f"bred in generation {candidate.generation}"
            if spec_id in state.retired:
                state.retired.remove(spec_id)
                before, reason = Mode.RETIRED, candidate.return_reason
            state.strategies[spec_id] = Managed(candidate.generation, Mode.SIMULATING, seq)
            state.admitted += 1
            joined.append(self._step(seq, spec_id, before, Mode.SIMULATING, reason))
            genomes.append(candidate.genome)
        state.candidates = []
        return joined, genomes

    def _retire(self, seq: int) -> list[Transition]:
        """Retire the worst simulating strategies while the arena is too full, except those that have just joined."""
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
        return [self._step(seq, s, Mode.SIMULATING, Mode.RETIRED, why.format(value)) for value, s in worst]


def allocation_of(decision: Decision, state: PortfolioState, seq: int, after: Mapping[str, int]) -> AllocationMessage:
    """Return a decision at event ``seq`` as a message, which follows from the messages ``after``, by stream."""
    return AllocationMessage(
        seq=seq,
        added=decision.added,
        removed=decision.removed,
        allocations_usd=decision.allocations_usd,
        modes={spec_id: str(state.strategies[spec_id].mode) for spec_id in decision.allocations_usd},
        after=dict(after),
    )


def _manual(reason: str) -> str:
    """Return the recorded reason of a step that a person asked for."""
    return f"manual: {reason}" if reason else "manual"
