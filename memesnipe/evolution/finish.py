"""The end of a search: the best of its archive are polished, and then judged where nobody has looked."""

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
POLISH_BATCH: Final = 16  # trials that the sampler proposes at once
LUCK_GENOMES: Final = 256  # random ones, the best of which champions must beat
_BASELINE_SEED: Final = 0x10CC  # another stream of randomness than the search's

Evaluate = Callable[[list[Genome]], list[Evaluation]]
RecordAll = Callable[[list[Genome]], list[Record]]


@dataclass(frozen=True, slots=True)
class Polishing:
    """How elites are polished, and where the studies are kept (None: in memory)."""

    trials: int  # for each elite
    seed: int
    storage: str | None = None
    name: str = "search"


@dataclass(slots=True)
class Polished:
    """The polished elites with their evaluations, and every evaluation that it took, batch by batch."""

    contenders: list[tuple[Genome, Evaluation]] = field(default_factory=list)
    batches: list[list[Evaluation]] = field(default_factory=list)


def polish(elites: Sequence[Elite], families: Families, evaluate: Evaluate, plan: Polishing) -> Polished:
    """Polish elites side by side, one batch of trials of each at a time; of equal behaviour, the best ranked stays."""
    if not elites:
        return Polished()
    genomes = {elite.genome.spec_id: elite.genome for elite in elites}
    batches = [evaluate(list(genomes.values()))]
    found = {evaluation.spec_id: evaluation for evaluation in batches[0]}
    begun = []
    for rank, elite in enumerate(elites):
        name = f"{plan.name}, elite {rank + 1}"
        fitness = found[elite.genome.spec_id].fitness
        seed = (plan.seed * CHAMPIONS + rank) % 2**32  # optuna takes no more
        begun.append(Polish(elite.genome, fitness, families, study_name=name, storage=plan.storage, seed=seed))
    for _ in range(-(-plan.trials // POLISH_BATCH)):
        asked = [polishing.ask(POLISH_BATCH) for polishing in begun]
        new = {genome.spec_id: genome for batch in asked for genome in batch}
        batches.append(evaluate(list(new.values())))
        genomes |= new
        found |= {evaluation.spec_id: evaluation for evaluation in batches[-1]}
        for polishing, batch in zip(begun, asked, strict=True):
            polishing.tell([found[genome.spec_id].fitness for genome in batch])
    best = [polishing.best[0] for polishing in begun]
    # Polishing may end with the same fills from different sides: they count once.
    distinct: dict[str, tuple[Genome, Evaluation]] = {}
    for genome in best:
        evaluation = found[genome.spec_id]
        distinct.setdefault(behaviour_of(evaluation), (genome, evaluation))
    return Polished(list(distinct.values()), batches)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the contenders and the best of random genomes did in the segment that the search never saw."""

    contenders: list[tuple[Genome, Evaluation]]
    records: list[Record]
    lucky: Record

    def verdicts(self, evaluations_ever: int, assumptions: str = "") -> list[Champion]:
        """The contenders judged.

        Args:
            evaluations_ever: made on this market.
            assumptions: why nothing found on it may be promoted; "" if it may.
        """
        bar = random_baseline(self.lucky)
        pairs = zip(self.contenders, self.records, strict=True)
        return [
            assess_champion(genome, seen, record, evaluations_ever, bar, assumptions)
            for (genome, seen), record in pairs
        ]


def try_out(
    contenders: list[tuple[Genome, Evaluation]], families: Families, evaluate: Evaluate, record: RecordAll, seed: int
) -> Trial:
    """Run contenders where the search has never looked, beside what random search would have put forward instead.

    That is the best of `LUCK_GENOMES` random genomes, chosen by the same fitness.
    """
    rng = np.random.default_rng([seed, _BASELINE_SEED])
    drawn = random_genomes(rng, families, LUCK_GENOMES)
    best = int(np.argmax([evaluation.fitness for evaluation in evaluate(drawn)]))
    *records, lucky = record([*(genome for genome, _ in contenders), drawn[best]])
    return Trial(contenders, records, lucky)
