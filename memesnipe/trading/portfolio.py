"""The portfolio: the strategies that run, their modes and their capital."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.engine.skill import deflated_sharpe_of
from memesnipe.engine.strategy_evidence import NO_EVIDENCE
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import ParityRecord, PositionUpdate, SimulationResults, StrategySpec
from memesnipe.stats.evidence_budget import MIN_MASS, prior_mass
from memesnipe.stats.shrinkage import Shrunk
from memesnipe.trading.allocation import Caps, Share, allocate
from memesnipe.trading.demotion import Detectors
from memesnipe.trading.lifecycle import DOWN, UP, Mode, PromotionPolicy, Switches, Track, next_mode
from memesnipe.trading.live_capital import LiveCapital
from memesnipe.trading.loss_limit import EquityDay
from memesnipe.trading.portfolio_state import Candidate, Decision, Managed, ManualOverride, PortfolioState, Transition
from memesnipe.trading.probation import by_merit, contest, holders
from memesnipe.trading.standing import standings

_NOT_COMPARED: Final = ParityRecord(0, 0.0)


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
        self._state = state or PortfolioState()
        self._detectors = Detectors()
        self._rules = rules
        self._caps = caps
        self._switches = switches
        self._arena_size = arena_size
        self.state = self._state

    @property
    def state(self) -> PortfolioState:
        """The state as plain data."""
        self._state.detectors = self._detectors.dump()
        return self._state

    @state.setter
    def state(self, state: PortfolioState) -> None:
        self._state = state
        self._detectors.load(state.detectors)

    def is_proven(self, spec_id: str) -> bool:
        """Return whether a strategy is beyond probation."""
        managed = self._state.strategies.get(spec_id)
        return managed is not None and managed.is_proven

    def on_spec(self, spec: StrategySpec) -> None:
        """Queue a strategy that the search proposes."""
        (mass,) = prior_mass(spec.deflated_sharpe).tolist()
        self._state.candidates.append(Candidate(spec.spec_id, spec.generation, spec.genome, mass))
        self._state.evaluations = max(self._state.evaluations, spec.evaluations)

    def on_results(self, message: SimulationResults) -> None:
        """Update each strategy's result, and the parity of its fills with the simulated ones."""
        strategies = self._state.strategies
        for result in message.results:
            managed = strategies.get(result.spec_id)
            if managed is None:
                continue
            managed.result = result
            parity = message.parity.get(result.spec_id, _NOT_COMPARED)
            managed.compared_fills, managed.parity_error_bps = parity.fills, parity.error_bps
            evidence = message.evidence.get(result.spec_id)
            # Results from before a demotion was applied carry the evidence that does not count any more.
            if evidence is not None and evidence.restarts >= managed.restarts:
                managed.evidence = evidence
        self._detectors.apply([seen for seen in message.round_trips if seen.spec_id in strategies])

    def on_command(self, seq: int, name: str, spec_id: str, reason: str) -> tuple[str, Transition | None]:
        """Promote or demote past the gates, on a person's command; return the outcome in words, and the step if any."""
        managed = self._state.strategies.get(spec_id)
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
        self._state.candidates.append(Candidate(spec_id, generation, genome, return_reason=_manual(reason)))
        return f"{spec_id} is simulating again from the next decision on"

    def on_live_trade(self, spec_id: str, profit_lamports: int) -> None:
        """Count a finished round trip of a live strategy."""
        managed = self._state.strategies.get(spec_id)
        if managed is not None and managed.live is not None:
            managed.live.on_trade(profit_lamports)

    def decide(self, seq: int, marks: Mapping[Account, PositionUpdate]) -> Decision:
        """Admit, retire, promote, demote and allocate after event ``seq``; return the decision.

        Args:
            seq: the event.
            marks: of each account at this event.
        """
        transitions, added = self._admit(seq)
        retired = self._retire(seq)
        transitions += retired
        strategies = self._state.strategies
        estimates = self._update_standings()
        for spec_id, managed in strategies.items():
            transitions += self._demotion(spec_id, managed, seq)
        free = self._caps.probation_strategies - sum(managed.is_on_probation for managed in strategies.values())
        for spec_id in by_merit(strategies):
            managed = strategies[spec_id]
            before = managed.is_on_probation
            transitions += self._promotion(spec_id, managed, seq, has_free_place=free > 0)
            free += before - managed.is_on_probation
        if free <= 0:
            transitions += self._contest(seq)
        allocations = self._allocate(marks, estimates)
        released = []
        for spec_id, managed in strategies.items():
            if managed.allocation_usd and spec_id not in allocations:
                released.append(spec_id)
            managed.allocation_usd = allocations.get(spec_id, 0.0)
        restarted, self._state.restarted = self._state.restarted, []
        return Decision(added, [t.spec_id for t in retired], allocations, transitions, released, restarted)

    def _update_standings(self) -> Shrunk:
        """Compare the evidence of all strategies; return the estimates of their returns, in their order."""
        all_managed = list(self._state.strategies.values())
        found = standings(
            [managed.evidence for managed in all_managed],
            [managed.weight for managed in all_managed],
            self._rules.paper_alpha,
            self._rules.live_alpha,
        )
        for managed, standing in zip(all_managed, found.each, strict=True):
            managed.standing = standing
            managed.is_proven = standing.is_proven and managed.mode in DOWN
        return found.shrunk

    def _demotion(self, spec_id: str, managed: Managed, seq: int) -> list[Transition]:
        if managed.mode not in DOWN:
            return []
        mode, reason = self._next_mode(spec_id, managed)
        return [self._move(spec_id, mode, seq, reason)] if mode is DOWN[managed.mode] else []

    def _promotion(self, spec_id: str, managed: Managed, seq: int, *, has_free_place: bool) -> list[Transition]:
        """Promote a strategy that passes all gates; one without proof waits until a place on probation is free."""
        if managed.manual_override is ManualOverride.DOWN or managed.since_seq == seq:
            return []
        if managed.mode is Mode.SIMULATING and not managed.standing.is_proven:
            is_expected = managed.standing.expected > self._rules.min_expected_return
            if not is_expected or not has_free_place:
                return []  # without computing its gates: there are thousands of strategies
        mode, reason = self._next_mode(spec_id, managed)
        if mode is not UP.get(managed.mode):
            return []
        step = self._move(spec_id, mode, seq, reason)
        managed.is_proven = managed.standing.is_proven
        self._detectors.start(spec_id, managed.standing.expected / 2)
        return [step]

    def _contest(self, seq: int) -> list[Transition]:
        """Give a place on probation to a better strategy, where there is one; at most one place a decision."""
        strategies = self._state.strategies
        weakest, better = contest(strategies, self._rules.paper.min_observed_s)
        for spec_id in better:
            step = self._promotion(spec_id, strategies[spec_id], seq, has_free_place=True)
            if step:
                reason = f"{spec_id}, of which more is expected, takes its place on probation"
                return [self._move(weakest, Mode.SIMULATING, seq, reason), *step]
        return []

    def _next_mode(self, spec_id: str, managed: Managed) -> tuple[Mode, str]:
        if managed.result is None:
            return managed.mode, ""
        chosen_from = max(self._state.evaluations + self._state.admitted, 1)
        managed.deflated_sharpe = deflated_sharpe_of(managed.result, chosen_from)
        track = Track(
            managed.result,
            managed.result.observed_s - managed.since_observed_s,
            managed.deflated_sharpe,
            managed.standing,
            managed.evidence,
            managed.compared_fills,
            managed.parity_error_bps,
            self._detectors.value_of(spec_id),
            managed.is_proven,
        )
        is_pinned = managed.manual_override is ManualOverride.UP
        return next_mode(managed.mode, track, self._rules, self._switches, is_pinned=is_pinned)

    def _move(self, spec_id: str, mode: Mode, seq: int, reason: str) -> Transition:
        managed = self._state.strategies[spec_id]
        step = self._step(seq, spec_id, managed.mode, mode, reason)
        managed.mode, managed.since_seq = mode, seq
        managed.since_observed_s = managed.result.observed_s if managed.result else 0.0
        managed.compared_fills, managed.parity_error_bps = 0, 0.0  # each mode has its own record
        managed.live = LiveCapital() if mode is Mode.LIVE else None
        if mode is Mode.SIMULATING:
            self._restart(spec_id, managed)
        return step

    def _restart(self, spec_id: str, managed: Managed) -> None:
        """Start again without evidence: what a strategy has earned before its demotion does not count any more."""
        self._detectors.stop(spec_id)
        self._state.budget.refund([managed.weight], [managed.evidence.e_value])
        (managed.weight,) = self._state.budget.weigh([MIN_MASS]).tolist()
        managed.restarts += 1
        self._state.restarted.append(spec_id)
        managed.evidence = replace(NO_EVIDENCE, restarts=managed.restarts)
        managed.is_proven = False

    def _step(self, seq: int, spec_id: str, from_mode: str, mode: Mode, reason: str) -> Transition:
        self._state.steps += 1
        return Transition(self._state.steps, seq, spec_id, from_mode, mode, reason)

    def _allocate(self, marks: Mapping[Account, PositionUpdate], estimates: Shrunk) -> dict[str, float]:
        """Divide the equity of each account among the strategies that trade in it."""
        strategies, allocations = self._state.strategies, dict[str, float]()
        places = set(holders(strategies, self._caps.probation_strategies))
        for account, mark in marks.items():
            day = self._state.days.setdefault(account, EquityDay())
            day.observe(mark.ts, mark.equity_lamports)
            investable = day.investable_ratio(mark.equity_lamports, self._caps.loss_limit)
            shares = {
                spec_id: Share(row, managed.size, spec_id in places)
                for row, (spec_id, managed) in enumerate(strategies.items())
                if managed.mode is Mode(account) and managed.result is not None
            }
            found = allocate(list(shares.values()), estimates, mark.equity_usd, self._caps, investable)
            allocations |= zip(shares, found, strict=True)
        for spec_id in allocations:
            live = self._state.strategies[spec_id].live
            if live is not None:
                allocations[spec_id] = min(allocations[spec_id], live.usd)
        return allocations

    def _admit(self, seq: int) -> tuple[list[Transition], list[Genome]]:
        """Admit the candidates that are neither in the arena nor retired; return their steps and genomes."""
        state = self._state
        joined, genomes = [], []
        for candidate in state.candidates:
            spec_id = candidate.spec_id
            if spec_id in state.strategies or (spec_id in state.retired and not candidate.return_reason):
                continue
            before, reason = "", f"bred in generation {candidate.generation}"
            if spec_id in state.retired:
                state.retired.remove(spec_id)
                before, reason = Mode.RETIRED, candidate.return_reason
            managed = Managed(candidate.generation, Mode.SIMULATING, seq, size=candidate.genome.size)
            (managed.weight,) = state.budget.weigh([candidate.mass]).tolist()
            state.strategies[spec_id] = managed
            state.admitted += 1
            joined.append(self._step(seq, spec_id, before, Mode.SIMULATING, reason))
            genomes.append(candidate.genome)
        state.candidates = []
        return joined, genomes

    def _retire(self, seq: int) -> list[Transition]:
        """Retire simulating strategies while the arena is too full: those with the lowest upper bound of their return.

        Those that have just joined, and those without a result, stay.
        """
        state = self._state
        if len(state.strategies) <= self._arena_size:
            return []
        self._update_standings()
        simulating = [
            (managed.standing.expected + managed.standing.deviation, spec_id)
            for spec_id, managed in state.strategies.items()
            if managed.mode is Mode.SIMULATING and managed.result is not None and managed.since_seq < seq
        ]
        worst = sorted(simulating)[: len(state.strategies) - self._arena_size]
        for _, spec_id in worst:
            managed = state.strategies.pop(spec_id)
            state.budget.refund([managed.weight], [managed.evidence.e_value])
            state.retired.add(spec_id)
        why = "the arena is full, and a round trip of it returns {:+.2%} at best"
        return [self._step(seq, s, Mode.SIMULATING, Mode.RETIRED, why.format(value)) for value, s in worst]


def _manual(reason: str) -> str:
    """Return the recorded reason of a step that a person asked for."""
    return f"manual: {reason}" if reason else "manual"
