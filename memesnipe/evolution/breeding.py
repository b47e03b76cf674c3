"""Breeding: one generation after the other on a window of the market, and the genomes that it proposes."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memesnipe.engine.genome import Genome
from memesnipe.evolution.admission import Admission, Proposal
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings, SearchState
from memesnipe.protocol.messages import StrategySpec
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class Generation:
    """One bred and evaluated generation."""

    index: int
    evaluations: list[Evaluation]
    proposals: list[Proposal]  # the fittest first
    reason: str  # why there are no proposals; "" where there are
    total_evaluations: int  # of all generations so far

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


class Breeder:
    """A genetic algorithm whose genomes are proposed where they are admitted."""

    def __init__(self, families: Families, settings: SearchSettings, seed: int, *, admission: Admission) -> None:
        self._algorithm = GeneticAlgorithm(families, settings, seed)
        self._admission = admission
        self._evaluations = 0

    @property
    def index(self) -> int:
        """The index of the next generation."""
        return self._algorithm.generation

    def ask(self) -> list[Genome]:
        """Return the genomes of the next generation."""
        return self._algorithm.ask()

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> Generation:
        """Set the evaluations of the genomes of `ask`, in their order; return the generation."""
        index = self.index
        self._algorithm.tell(genomes, evaluations)
        self._evaluations += len(genomes)
        elites = {elite.genome.spec_id for elite in self._algorithm.archive.elites.values()}
        admitted = self._admission.admit(genomes, evaluations, self._evaluations, elites)
        return Generation(index, list(evaluations), admitted.proposals, admitted.reason, self._evaluations)

    def breed(self, evaluate: Callable[[list[Genome]], list[Evaluation]]) -> Generation:
        """Breed and evaluate the next generation."""
        genomes = self.ask()
        return self.tell(genomes, evaluate(genomes))

    def dump(self) -> BreederState:
        """Return the state as plain data."""
        return BreederState(self._algorithm.dump(), self._evaluations, list(self._admission.proposed))

    def load(self, state: BreederState) -> None:
        """Continue from a state of `dump`."""
        self._algorithm.load(state.search)
        self._evaluations = state.evaluations
        self._admission.proposed = list(state.proposed)


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
