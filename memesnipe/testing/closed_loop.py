"""The closed loop: the cores of all roles in one process, in lockstep.

The events of a run pass through arena, desk, ledger, portfolio and search in the order in which the roles exchange
them, so the records equal those of the whole system in lockstep, without its servers.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from memesnipe.config.policies import (
    admission_of,
    budget_of,
    capital_of,
    caps_of,
    fill_model_of,
    ledger_policy_of,
    limits_of,
    promotion_policy_of,
    search_of,
    switches_of,
)
from memesnipe.config.settings import Settings
from memesnipe.engine.genome import Genome
from memesnipe.evolution.breeding import Breeder, specs_of
from memesnipe.evolution.racing import Evaluate
from memesnipe.evolution.window import Window
from memesnipe.market.events import GENERATION, Event, Events, last_of_decisions, rows
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import FillMessage, PositionUpdate, SimulationResults
from memesnipe.sdk.registry import Families
from memesnipe.trading.execution import local_execution
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.portfolio import Portfolio
from memesnipe.trading.portfolio_state import Transition, allocation_of
from memesnipe.trading.records import of_mark, of_step
from memesnipe.trading.steps import Step


@dataclass(slots=True)
class Outcome:
    """What a run recorded: the marks, the trades and the steps of the lifecycle, in order."""

    marks: list[PositionUpdate] = field(default_factory=list)
    fills: list[FillMessage] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    generations: int = 0
    proposed: int = 0  # strategies that the search proposed
    proven: dict[str, Genome] = field(default_factory=dict)  # strategies that were ever beyond probation


class ClosedLoop:
    """A run of all roles' cores over the events that are passed to `advance`."""

    def __init__(
        self, settings: Settings, families: Families, window_at: Callable[[int], Window], evaluate: Evaluate
    ) -> None:
        """Create the cores in their initial state.

        Args:
            settings: of the run.
            families: all strategy families.
            window_at: returns the training window that ends with an event.
            evaluate: evaluates genomes of a generation on a sample of its window.
        """
        capital = capital_of(settings, None)
        self.execution = local_execution(
            families,
            fill_model_of(settings),
            shadow_capital_usd=settings.simulation.shadow_capital_usd,
            limits={account: limits_of(settings) for account in capital},
            policies={account: ledger_policy_of(settings, one) for account, one in capital.items()},
        )
        self.portfolio = Portfolio(
            promotion_policy_of(settings),
            caps_of(settings),
            switches_of(settings, is_live=False),
            arena_size=settings.simulation.arena_size,
        )
        self.ledger = Ledger(ledger_policy_of(settings, capital[Account.PAPER]), account=Account.PAPER)
        self.breeder = Breeder(
            families,
            search_of(settings),
            settings.simulation.seed,
            admission=admission_of(settings),
            budget=budget_of(settings),
        )
        self.outcome = Outcome()
        self._window_at, self._evaluate = window_at, evaluate
        self._genomes: dict[str, Genome] = {}  # of all strategies that were ever proposed
        self._unapplied: deque[Event] = deque()  # by the ledger

    def advance(self, events: Events, mints: dict[int, str]) -> Iterator[PositionUpdate]:
        """Advance over the stamped events of a run; yield each mark once the decision that follows it is applied.

        Args:
            events: of the whole run, shape (n,), from the first one on.
            mints: the address of each token.
        """
        first = self.execution.seq
        for stop in dict.fromkeys([*(first + last + 1 for last in last_of_decisions(events[first:])), len(events)]):
            batch = events[self.execution.seq : stop]
            self._unapplied.extend(rows(batch))
            for step in self.execution.advance(batch):
                self._book(step, mints)
                if step.results is not None:
                    yield self._decide(step, mints)

    def _book(self, step: Step, mints: dict[int, str]) -> None:
        """Book the fills of a step in the ledger, each after the event that precedes it."""
        for message in of_step(step, mints).messages:
            if isinstance(message, FillMessage):
                self._advance_ledger(message.seq)
                self.ledger.on_fill(message)
                self.outcome.fills.append(message)
            elif isinstance(message, SimulationResults):
                self.portfolio.on_results(message)

    def _advance_ledger(self, seq: int) -> None:
        while self._unapplied and self._unapplied[0].seq <= seq:
            self.ledger.on_event(self._unapplied.popleft())

    def _decide(self, step: Step, mints: dict[int, str]) -> PositionUpdate:
        """Mark the portfolio, breed where a generation is due, decide, and apply the controls that follow."""
        assert step.results is not None  # noqa: S101 - the caller has checked it
        self._advance_ledger(step.seq)
        entries = of_mark(self.ledger, self.ledger.mark(), step.seq, step.results.ts, step.results.flags)
        self.ledger.drop_dead()
        (mark,) = [message for message in entries.messages if isinstance(message, PositionUpdate)]
        if mark.flags & GENERATION:
            self._breed(step.seq)
        decision = self.portfolio.decide(step.seq, {Account.PAPER: mark})
        self.outcome.transitions += decision.transitions
        for spec_id in decision.allocations_usd:
            if self.portfolio.is_proven(spec_id):
                self.outcome.proven[spec_id] = self._genomes[spec_id]
        if mark.flags & GENERATION:
            self.breeder.learn(self.portfolio.arena_standings(step.seq))
        self.outcome.marks.append(mark)
        for applied in self.execution.apply(allocation_of(decision, self.portfolio.state, step.seq, {})):
            self._book(applied, mints)
        return mark

    def _breed(self, seq: int) -> None:
        generation = self.breeder.breed(self._window_at(seq), self._evaluate)
        for spec in specs_of(generation, seq):
            self._genomes[spec.spec_id] = spec.genome
            self.portfolio.on_spec(spec)
        self.outcome.generations += 1
        self.outcome.proposed += len(generation.proposals)
