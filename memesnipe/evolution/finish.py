"""The end of a search: the best elites of the archive are polished, then assessed on the holdout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from memesnipe.engine.genome import Genome
from memesnipe.evolution.archive import Elite, behaviour_of
from memesnipe.evolution.assessment import Champion, assess_champion, random_baseline
from memesnipe.evolution.evaluation import Evaluation, Record
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.refine import Polish
from memesnipe.sdk.registry import Families

CHAMPIONS: Final = 5
POLISH_BATCH: Final = 16  # trials per batch and elite
BASELINE_GENOMES: Final = 256  # random genomes, the best of which is the baseline
_BASELINE_SEED: Final = 0x10CC  # separates the random stream from the search's

Evaluate = Callable[[list[Genome]], list[Evaluation]]
RecordAll = Callable[[list[Genome]], list[Record]]


@dataclass(frozen=True, slots=True)
class PolishPlan:
    """The number of polishing trials, and the storage of the studies (None: in memory)."""

    trials: int  # for each elite
    seed: int
    storage: str | None = None
    name: str = "search"


@dataclass(slots=True)
class PolishResult:
    """The polished elites with their evaluations, and all evaluations made, by batch."""

    contenders: list[tuple[Genome, Evaluation]] = field(default_factory=list)
    batches: list[list[Evaluation]] = field(default_factory=list)


def polish(elites: Sequence[Elite], families: Families, evaluate: Evaluate, plan: PolishPlan) -> PolishResult:
    """Polish elites in parallel, one batch of trials of each at a time; of equal results keep the best ranked."""
    if not elites:
        return PolishResult()
    genomes = {elite.genome.spec_id: elite.genome for elite in elites}
    batches = [evaluate(list(genomes.values()))]
    found = {evaluation.spec_id: evaluation for evaluation in batches[0]}
    polishers = []
    for rank, elite in enumerate(elites):
        name = f"{plan.name}, elite {rank + 1}"
        fitness = found[elite.genome.spec_id].fitness
        seed = (plan.seed * CHAMPIONS + rank) % 2**32  # optuna's seeds have 32 bits
        polishers.append(Polish(elite.genome, fitness, families, study_name=name, storage=plan.storage, seed=seed))
    for _ in range(-(-plan.trials // POLISH_BATCH)):
        proposed = [polisher.ask(POLISH_BATCH) for polisher in polishers]
        new = {genome.spec_id: genome for batch in proposed for genome in batch}
        batches.append(evaluate(list(new.values())))
        genomes |= new
        found |= {evaluation.spec_id: evaluation for evaluation in batches[-1]}
        for polisher, batch in zip(polishers, proposed, strict=True):
            polisher.tell([found[genome.spec_id].fitness for genome in batch])
    best = [polisher.best[0] for polisher in polishers]
    # Polishing different elites may end with the same fills, which count once.
    distinct: dict[str, tuple[Genome, Evaluation]] = {}
    for genome in best:
        evaluation = found[genome.spec_id]
        distinct.setdefault(behaviour_of(evaluation), (genome, evaluation))
    return PolishResult(list(distinct.values()), batches)


@dataclass(frozen=True, slots=True)
class HoldoutRun:
    """The holdout records of the contenders and of the random baseline."""

    contenders: list[tuple[Genome, Evaluation]]
    records: list[Record]
    baseline: Record

    def assess(self, tests_ever: int, assumptions: str = "") -> list[Champion]:
        """Assess the contenders.

        Args:
            tests_ever: number of genomes ever tested on the holdout of this market, these included.
            assumptions: the reason why no champion of this market may be promoted, or "".
        """
        baseline_sharpe = random_baseline(self.baseline)
        pairs = zip(self.contenders, self.records, strict=True)
        return [
            assess_champion(genome, evaluation, record, tests_ever, baseline_sharpe, assumptions)
            for (genome, evaluation), record in pairs
        ]


def run_holdout(
    contenders: list[tuple[Genome, Evaluation]], families: Families, evaluate: Evaluate, record: RecordAll, seed: int
) -> HoldoutRun:
    """Run contenders and the random baseline on the holdout.

    The baseline is the fittest of `BASELINE_GENOMES` random genomes, evaluated like those of the search.
    """
    rng = np.random.default_rng([seed, _BASELINE_SEED])
    drawn = random_genomes(rng, families, BASELINE_GENOMES)
    best = int(np.argmax([evaluation.fitness for evaluation in evaluate(drawn)]))
    *records, baseline = record([*(genome for genome, _ in contenders), drawn[best]])
    return HoldoutRun(contenders, records, baseline)
