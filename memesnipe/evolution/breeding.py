"""Breeding: one generation after the other on a window of the market, and the genomes that it proposes."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings
from memesnipe.protocol.messages import StrategySpec
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome that may join the arena, with its evaluation."""

    genome: Genome
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Generation:
    """One bred and evaluated generation."""

    index: int
    evaluations: list[Evaluation]
    proposals: list[Proposal]  # the best first
    total_evaluations: int  # of all generations so far

    @property
    def best_fitness(self) -> float:
        """The highest fitness."""
        return max(evaluation.fitness for evaluation in self.evaluations)

    @property
    def median_fitness(self) -> float:
        """The median fitness."""
        return statistics.median(evaluation.fitness for evaluation in self.evaluations)


class Breeder:
    """A genetic algorithm that proposes the best genomes of each generation."""

    def __init__(self, families: Families, settings: SearchSettings, seed: int, *, proposals: int) -> None:
        self.algorithm = GeneticAlgorithm(families, settings, seed)
        self._proposals = proposals

    @property
    def index(self) -> int:
        """The index of the next generation."""
        return self.algorithm.generation

    def ask(self) -> list[Genome]:
        """Return the genomes of the next generation."""
        return self.algorithm.ask()

    def tell(self, genomes: list[Genome], evaluations: list[Evaluation]) -> Generation:
        """Set the evaluations of the genomes of `ask`, in their order; return the generation."""
        index = self.algorithm.generation
        self.algorithm.tell(genomes, evaluations)
        ranked = sorted(range(len(genomes)), key=lambda i: (-evaluations[i].fitness, i))
        proposals = [Proposal(genomes[i], evaluations[i]) for i in ranked[: self._proposals]]
        return Generation(index, evaluations, proposals, (index + 1) * len(genomes))

    def breed(self, evaluate: Callable[[list[Genome]], list[Evaluation]]) -> Generation:
        """Breed and evaluate the next generation."""
        genomes = self.ask()
        return self.tell(genomes, evaluate(genomes))


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
        )
        for rank, proposal in enumerate(generation.proposals)
    ]
