"""The portfolio: the strategies that run, their modes and their capital."""

from collections.abc import Mapping, Sequence, Set
from heapq import nsmallest
from typing import Final

import numpy as np

from memesnipe.engine.genome import Genome
from memesnipe.engine.skill import deflated_sharpe_of
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import MANUAL, REFUSED, CommandName
from memesnipe.protocol.messages import ArenaStandings, ParityRecord, PositionUpdate, SimulationResults, StrategySpec
from memesnipe.stats.evidence_budget import MIN_MASS, prior_mass
from memesnipe.trading.allocation import Caps
from memesnipe.trading.capital import divide
from memesnipe.trading.demotion import Detectors
from memesnipe.trading.lifecycle import DOWN, UP, Mode, PromotionPolicy, Switches, Track, next_mode, retirement_reason
from memesnipe.trading.live_capital import LiveCapital
from memesnipe.trading.portfolio_state import (
    Candidate,
    Decision,
    Managed,
    ManualOverride,
    PortfolioDump,
    PortfolioState,
    Transition,
    accept_parity,
)
from memesnipe.trading.probation import candidates, contest
from memesnipe.trading.standing import NO_STANDING, Standing, Standings, message_of, standings
from memesnipe.trading.strategy_records import StrategyRecords

_NOT_COMPARED: Final = ParityRecord(0, 0.0)


class Portfolio:
    """Admits new strategies, promotes and demotes them by their record, and divides the capital."""

    def __init__(
        self, rules: PromotionPolicy, caps: Caps, switches: Switches, *, arena_size: int, shorts: Set[str] = frozenset()
    ) -> None:
        self.state = PortfolioState()
        self.records = StrategyRecords()
        self._standings: Standings | None = None  # of the records, since the last change of their rows
        self._detectors = Detectors()
        self._rules = rules
        self._caps = caps
        self._switches = switches
        self._arena_size = arena_size
        self._shorts = shorts  # families that enter by shorts alone

    def dump(self) -> PortfolioDump:
        """Return everything as plain data; no copy of the state, so encode it before the next step."""
        return PortfolioDump(self.state, self.records.dump(), self._detectors.dump())

    def load(self, dump: PortfolioDump) -> None:
        """Continue from a state of `dump`."""
        self.state, self.records, self._standings = dump.state, StrategyRecords(dump.records), None
        self._detectors.load(dump.detectors)

    def standing(self, spec_id: str) -> Standing:
        """Return the standing of a strategy at the last decision; none before the first, or after a recovery."""
        return NO_STANDING if self._standings is None else self._standings[self.records.row(spec_id)]

    def arena_standings(self, seq: int) -> ArenaStandings:
        """Return the standings of all strategies at the decision at event ``seq``, the last one, as a message."""
        assert self._standings is not None  # noqa: S101 - a decision has set them
        return message_of(seq, self.records.spec_ids, self.records.figures["round_trips"], self._standings)

    def is_proven(self, spec_id: str) -> bool:
        """Return whether a strategy is beyond probation."""
        managed = self.state.strategies.get(spec_id)
        return managed is not None and managed.is_proven

    def on_spec(self, spec: StrategySpec) -> None:
        """Queue a strategy that the search proposes."""
        (mass,) = prior_mass(spec.deflated_sharpe).tolist()
        self.state.candidates.append(Candidate(spec.spec_id, spec.generation, spec.genome, mass))
        self.state.evaluations = max(self.state.evaluations, spec.evaluations)

    def on_results(self, message: SimulationResults) -> None:
        """Update each strategy's result, the parity of its fills with the simulated ones, and its live capital."""
        self.records.apply(message.strategies, accept_parity(self.state.strategies, message.parity))
        for seen in message.round_trips:
            if seen.live_profit_lamports:  # else nothing was traded: the entry failed without a fee
                self.on_live_trade(seen.spec_id, seen.live_profit_lamports)
        self._detectors.apply([seen for seen in message.round_trips if seen.spec_id in self.state.strategies])

    def on_command(self, seq: int, name: str, spec_id: str, reason: str) -> tuple[str, Transition | None]:
        """Promote or demote past the gates, on a person's command; return the outcome in words, and the step if any."""
        managed = self.state.strategies.get(spec_id)
        if managed is None:
            return f"{REFUSED}there is no strategy {spec_id} in the arena", None
        mode = (UP if name == CommandName.PROMOTE else DOWN).get(managed.mode)
        if mode is None:
            where = "above" if name == CommandName.PROMOTE else "below"
            return f"{REFUSED}{spec_id} is {managed.mode}, and there is nothing {where} that", None
        if mode is Mode.LIVE and self._switches.missing():
            return f"{REFUSED}{self._switches.missing()}", None
        if mode is Mode.LIVE and managed.only_shorts:
            return f"{REFUSED}{spec_id} enters by shorts alone, and perps are traded on paper only", None
        managed.manual_override = ManualOverride.UP if name == CommandName.PROMOTE else ManualOverride.DOWN
        return f"{spec_id} is {mode} from event {seq} on", self._move(spec_id, mode, seq, _manual(reason))

    def on_return(self, spec_id: str, generation: int, genome: Genome, reason: str) -> str:
        """Queue a retired strategy, on a person's command, to join with fresh capital; return the outcome in words."""
        self.state.candidates.append(Candidate(spec_id, generation, genome, return_reason=_manual(reason)))
        return f"{spec_id} is simulating again from the next decision on"

    def on_live_trade(self, spec_id: str, profit_lamports: int) -> None:
        """Count a finished round trip of a live strategy."""
        managed = self.state.strategies.get(spec_id)
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
        strategies = self.state.strategies
        found = self._update_standings()
        for spec_id, managed in self._trading():
            transitions += self._demotion(spec_id, managed, seq)
        free = self._caps.probation_strategies - sum(managed.is_on_probation for _, managed in self._trading())
        for spec_id in candidates(strategies, self.records, found, self._rules.min_expected_return):
            managed = strategies[spec_id]
            before = managed.is_on_probation
            transitions += self._promotion(spec_id, managed, seq, has_free_place=free > 0)
            free += before - managed.is_on_probation
        if free <= 0:
            transitions += self._contest(seq, found)
        allocations = divide(self.state, self.records, found, marks, self._caps)
        released = []
        for spec_id, managed in strategies.items():
            if managed.allocation_usd and spec_id not in allocations:
                released.append(spec_id)
            managed.allocation_usd = allocations.get(spec_id, 0.0)
        restarted, self.state.restarted = self.state.restarted, []
        return Decision(added, [t.spec_id for t in retired], allocations, transitions, released, restarted)

    def _trading(self) -> list[tuple[str, Managed]]:
        """Return the strategies that trade on a desk."""
        return [(spec_id, managed) for spec_id, managed in self.state.strategies.items() if managed.mode in DOWN]

    def _update_standings(self) -> Standings:
        """Compare the evidence of all strategies; return their standings, in their order."""
        weights = np.ascontiguousarray(self.records.columns["weight"])
        found = standings(self.records.figures, weights, self._rules.paper_alpha, self._rules.live_alpha)
        self._standings = found
        for spec_id, managed in self._trading():
            managed.is_proven = self.standing(spec_id).is_proven
        return found

    def _demotion(self, spec_id: str, managed: Managed, seq: int) -> list[Transition]:
        if managed.mode not in DOWN:
            return []
        mode, reason = self._next_mode(spec_id, managed)
        return [self._move(spec_id, mode, seq, reason)] if mode is DOWN[managed.mode] else []

    def _promotion(self, spec_id: str, managed: Managed, seq: int, *, has_free_place: bool) -> list[Transition]:
        """Promote a strategy that passes all gates; one without proof waits until a place on probation is free."""
        if managed.manual_override is ManualOverride.DOWN or managed.since_seq == seq:
            return []
        standing = self.standing(spec_id)
        if managed.mode is Mode.SIMULATING and not standing.is_proven:
            is_expected = standing.expected > self._rules.min_expected_return
            if not is_expected or not has_free_place:
                return []  # without computing its gates: there are thousands of strategies
        mode, reason = self._next_mode(spec_id, managed)
        if mode is not UP.get(managed.mode) or (mode is Mode.LIVE and managed.only_shorts):
            return []
        step = self._move(spec_id, mode, seq, reason)
        managed.is_proven = standing.is_proven
        self._detectors.start(spec_id, standing.expected / 2)
        return [step]

    def _contest(self, seq: int, found: Standings) -> list[Transition]:
        """Give a place on probation to a better strategy, where there is one; at most one place a decision."""
        strategies = self.state.strategies
        weakest, better = contest(strategies, self.records, found, self._rules.paper.min_observed_s)
        for spec_id in better:
            step = self._promotion(spec_id, strategies[spec_id], seq, has_free_place=True)
            if step:
                reason = f"{spec_id}, of which more is expected, takes its place on probation"
                return [self._move(weakest, Mode.SIMULATING, seq, reason), *step]
        return []

    def _next_mode(self, spec_id: str, managed: Managed) -> tuple[Mode, str]:
        result, parity = self.records.result(spec_id), managed.live_parity or self.records.parity(spec_id)
        if result is None:
            return managed.mode, ""
        chosen_from = max(self.state.evaluations + self.state.admitted, 1)
        managed.deflated_sharpe = deflated_sharpe_of(result, chosen_from)
        track = Track(
            result,
            result.observed_s - managed.since_observed_s,
            managed.deflated_sharpe,
            self.standing(spec_id),
            self.records.evidence(spec_id),
            parity.fills,
            parity.error_bps,
            self._detectors.value_of(spec_id),
            managed.is_proven,
            parity.worse_bps,
            parity.missed_z,
        )
        is_pinned = managed.manual_override is ManualOverride.UP
        return next_mode(managed.mode, track, self._rules, self._switches, is_pinned=is_pinned)

    def _move(self, spec_id: str, mode: Mode, seq: int, reason: str) -> Transition:
        managed = self.state.strategies[spec_id]
        step = self._step(seq, spec_id, managed.mode, mode, reason)
        managed.mode, managed.since_seq, managed.live_parity = mode, seq, None
        result = self.records.result(spec_id)
        managed.since_observed_s = result.observed_s if result else 0.0
        self.records.set_parity(spec_id, _NOT_COMPARED)  # each mode has its own record
        managed.live = LiveCapital() if mode is Mode.LIVE else None
        if mode is Mode.SIMULATING:
            self._restart(spec_id, managed)
        return step

    def _restart(self, spec_id: str, managed: Managed) -> None:
        """Start again without evidence: what a strategy has earned before its demotion does not count any more."""
        self._detectors.stop(spec_id)
        self._refund([spec_id])
        (weight,) = self.state.budget.weigh([MIN_MASS]).tolist()
        self.records.restart(spec_id, weight)
        self.state.restarted.append(spec_id)
        managed.is_proven = False

    def _refund(self, spec_ids: Sequence[str]) -> None:
        """Return what is left of the weights of strategies to the budget, one after the other."""
        for row in self.records.rows(spec_ids):
            self.state.budget.refund([self.records.columns["weight"][row]], [self.records.figures["e_value"][row]])

    def _step(self, seq: int, spec_id: str, from_mode: str, mode: Mode, reason: str) -> Transition:
        self.state.steps += 1
        return Transition(self.state.steps, seq, spec_id, from_mode, mode, reason)

    def _admit(self, seq: int) -> tuple[list[Transition], list[Genome]]:
        """Admit the candidates that are neither in the arena nor retired; return their steps and genomes."""
        state = self.state
        joined, genomes, weights = [], [], []
        for candidate in state.candidates:
            spec_id = candidate.spec_id
            if spec_id in state.strategies or (spec_id in state.retired and not candidate.return_reason):
                continue
            before, reason = "", f"bred in generation {candidate.generation}"
            if spec_id in state.retired:
                state.retired.remove(spec_id)
                before, reason = Mode.RETIRED, candidate.return_reason
            weights += state.budget.weigh([candidate.mass]).tolist()
            managed = Managed(candidate.generation, Mode.SIMULATING, seq, size=candidate.genome.size)
            managed.only_shorts = all(signal.family in self._shorts for signal in candidate.genome.signals)
            state.strategies[spec_id] = managed
            state.admitted += 1
            joined.append(self._step(seq, spec_id, before, Mode.SIMULATING, reason))
            genomes.append(candidate.genome)
        state.candidates = []
        self.records.add([step.spec_id for step in joined], weights)
        return joined, genomes

    def _retire(self, seq: int) -> list[Transition]:
        """Retire simulating strategies while the arena is too full: those with the lowest upper bound of their return.

        Those that have just joined, and those without a result, stay.
        """
        state = self.state
        if len(state.strategies) <= self._arena_size:
            return []
        columns = self._update_standings().columns
        highest, has_result = columns["expected"] + columns["deviation"], self.records.columns["has_result"]
        simulating = [
            (bound, spec_id)
            for bound, has_one, (spec_id, managed) in zip(
                highest.tolist(), has_result.tolist(), state.strategies.items(), strict=True
            )
            if has_one and managed.mode is Mode.SIMULATING and managed.since_seq < seq
        ]
        worst = nsmallest(len(state.strategies) - self._arena_size, simulating)
        leaving = [spec_id for _, spec_id in worst]
        self._refund(leaving)
        self.records.remove(leaving)
        for spec_id in leaving:
            del state.strategies[spec_id]
            state.retired.add(spec_id)
        return [self._step(seq, s, Mode.SIMULATING, Mode.RETIRED, retirement_reason(bound)) for bound, s in worst]


def _manual(reason: str) -> str:
    """Return the recorded reason of a step that a person asked for."""
    return f"{MANUAL}: {reason}" if reason else MANUAL
