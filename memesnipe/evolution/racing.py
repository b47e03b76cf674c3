"""Racing by successive halving: many genomes see a small sample, the better ones a larger one, the best all tokens.

Jamieson & Talwalkar 2016. Fitness is compared on one sample only, which all rivals share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.samples import Sample

# (sample, genomes) -> one evaluation a genome
Evaluate = Callable[[Sample, list[Genome]], list[Evaluation]]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a generation may cost: genomes times events of their backtests."""

    windows: int  # so many backtests on the whole window,
    first_windows: int  # so many in the first generation,
    events: int  # and at most so many events

    def of(self, index: int, window_events: int) -> int:
        """Return the events that a generation may process."""
        return min((self.windows if index else self.first_windows) * window_events, self.events)


@dataclass(frozen=True, slots=True)
class Race:
    """A generation before its backtests.

    Attributes:
        kept: genomes that run on the last sample alone.
        genomes: new genomes, all of which run on the first sample.
        samples: nested, the smallest first.
        sizes: number of new genomes that run on each sample.
    """

    kept: list[Genome]
    genomes: list[Genome]
    samples: Sequence[Sample]
    sizes: Sequence[int]

    @property
    def count(self) -> int:
        """The number of genomes, each of which counts as an evaluation."""
        return len(self.kept) + len(self.genomes)

    def run(self, evaluate: Evaluate) -> tuple[list[Genome], list[Evaluation]]:
        """Return the genomes that reached the last sample, and their evaluations on it."""
        genomes = self.genomes
        for sample, size in zip(self.samples[:-1], self.sizes[1:], strict=True):
            fitness = np.array([evaluation.fitness for evaluation in evaluate(sample, genomes)])
            best = np.argsort(-fitness, kind="stable")[:size]
            genomes = [genomes[i] for i in np.sort(best)]
        finalists = [*self.kept, *genomes]
        return finalists, evaluate(self.samples[-1], finalists)


def sizes_of(events: Sequence[int], budget: int) -> list[int]:
    """Return how many genomes run on each sample, so that each sample costs about the same, and all of them the budget.

    Args:
        events: of each sample, the smallest first.
        budget: events to process; at least one genome runs on each sample whatever it is.
    """
    sizes: list[int] = []
    left = budget
    for samples, count in enumerate(reversed(events)):
        sizes.append(max(left // (len(events) - samples) // count, 1))
        left = max(left - sizes[-1] * count, 0)
    return sizes[::-1]
