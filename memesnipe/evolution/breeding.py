"""Breeding: one generation after the other on the latest window of the market, and the genomes that it proposes."""

import statistics
from dataclasses import dataclass
from functools import partial

from memesnipe.engine.genome import Genome
from memesnipe.evolution.admission import Admission, Proposal
from memesnipe.evolution.archive import Elite
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings, SearchState
from memesnipe.evolution.guidance import LiveResults
from memesnipe.evolution.luck_bar import MAX_FOR_PBO, LuckBar
from memesnipe.evolution.origins import Origin
from memesnipe.evolution.racing import Budget, Evaluate, Race, sizes_of
from memesnipe.evolution.remembered import Remembered
from memesnipe.evolution.samples import Sampler
from memesnipe.evolution.search import probability_of_overfitting
from memesnipe.evolution.window import Window
from memesnipe.protocol.messages import ArenaStandings, StrategySpec
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class Generation:
    """One bred and evaluated generation."""

    index: int
    genomes: list[Genome]  # that reached the whole window
    evaluations: list[Evaluation]  # of each of them
    origins: list[Origin]  # of each of them
    proposals: list[Proposal]  # the fittest first
    reason: str  # why there are no proposals; "" where there are
    total_evaluations: int  # of all generations so far, those that were left behind included
    luck: LuckBar
    pbo: float  # probability of backtest overfitting

    @property
    def best_fitness(self) -> float:
        """The highest fitness."""
        return max(evaluation.fitness for evaluation in self.evaluations)

    @property
    def median_fitness(self) -> float:
        """The median fitness."""
        return statistics.median(evaluation.fitness for evaluation in self.evaluations)


@dataclass(slots=True)
class BreederState:
    """The state to continue breeding as plain data."""

    search: SearchState
    evaluations: int
    proposed: list[str]
    live_results: LiveResults


class Breeder:
    """A genetic algorithm whose generations race, and whose genomes are proposed where they are admitted."""

    def __init__(
        self, families: Families, settings: SearchSettings, seed: int, *, admission: Admission, budget: Budget
    ) -> None:
        self._algorithm = GeneticAlgorithm(families, settings, seed)
        self._admission, self._budget = admission, budget
        self._sampler, self._remembered = Sampler(), Remembered()
        self._learns = settings.from_arena > 0.0
        self._evaluations = 0
        self._live_results = LiveResults()

    @property
    def index(self) -> int:
        """The index of the next generation."""
        return self._algorithm.generation

    @property
    def elites(self) -> dict[str, Elite]:
        """The elites of the archive by cell."""
        return self._algorithm.archive.elites

    def learn(self, standings: ArenaStandings) -> None:
        """Take the live results of the arena into account from the next generation on."""
        self._live_results.update(standings)
        self._guide()

    def _guide(self) -> None:
        if self._learns:
            self._algorithm.guidance = self._live_results.guidance()

    def ask(self, window: Window) -> Race:
        """Return the next generation, which is to run on a window."""
        samples = self._sampler.samples(window, self.index)
        events = [sample.events for sample in samples]
        budget = self._budget.of(self.index, window.count)
        kept = self._algorithm.kept(budget // window.count // 2)  # at least half of a budget is for new genomes
        sizes = sizes_of(events, budget - len(kept) * window.count)
        asked = self._algorithm.ask_with(kept, sizes[0])
        return Race(kept, asked[len(kept) :], samples, sizes)

    def run(self, race: Race, evaluate: Evaluate) -> Generation:
        """Run the race of the last `ask`; return the generation."""
        index = self.index
        genomes, evaluations = race.run(partial(self._remembered.evaluate, run=evaluate))
        self._algorithm.tell(genomes, evaluations)
        self._evaluations += race.count
        elites = {elite.genome.spec_id for elite in self.elites.values()}
        admitted = self._admission.admit(genomes, evaluations, self._evaluations, elites)
        self._live_results.propose(proposal.genome for proposal in admitted.proposals)
        return Generation(
            index,
            genomes,
            evaluations,
            self._algorithm.origins.of(genomes),
            admitted.proposals,
            admitted.reason,
            self._evaluations,
            admitted.luck,
            probability_of_overfitting(evaluations, MAX_FOR_PBO),
        )

    def breed(self, window: Window, evaluate: Evaluate) -> Generation:
        """Breed the next generation and run it on a window."""
        return self.run(self.ask(window), evaluate)

    def dump(self) -> BreederState:
        """Return the state as plain data."""
        return BreederState(
            self._algorithm.dump(), self._evaluations, list(self._admission.proposed), self._live_results
        )

    def load(self, state: BreederState) -> None:
        """Continue from a state of `dump`."""
        self._algorithm.load(state.search)
        self._evaluations = state.evaluations
        self._admission.proposed = list(state.proposed)
        self._live_results = state.live_results
        self._guide()


def specs_of(generation: Generation, seq: int) -> list[StrategySpec]:
    """Return the proposals of a generation that was bred at event ``seq``, as messages."""
    return [
        StrategySpec(
            seq=seq,
            spec_id=proposal.genome.spec_id,
            generation=generation.index,
            index=rank,
            of=len(generation.proposals),
            evaluations=generation.total_evaluations,  # all of them count when a strategy is assessed
            fitness=proposal.evaluation.fitness,
            genome=proposal.genome,
            train_sharpe=proposal.evaluation.train_sharpe,
            validation_sharpe=proposal.evaluation.validation_sharpe,
            deflated_sharpe=proposal.deflated_sharpe,
        )
        for rank, proposal in enumerate(generation.proposals)
    ]
