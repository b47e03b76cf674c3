"""Polishing: optuna moves the numbers of one elite, while its families stay as evolution put them together."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import Trial, create_trial

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.evolution.ranges import EXITS, FILTERS, SIZE, THRESHOLD, WEIGHT
from memesnipe.evolution.space import rounded
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

_STARTUP = 8  # trials at random before the sampler has a model


class Polish:
    """One elite under the tree-structured Parzen estimator (Bergstra et al. 2011), in batches of ask and tell.

    The study is in ``storage`` under its name, so that `optuna-dashboard` shows it. One that an interrupted search left
    there is begun anew: what the sampler proposes depends on its seed and on what it was told alone.
    """

    def __init__(
        self, genome: Genome, fitness: float, families: Families, *, study_name: str, storage: str | None, seed: int
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._genome, self._best = genome, (genome, fitness)
        self._space = _space(genome, families)
        if storage is not None:
            _forget(study_name, storage)
        sampler = optuna.samplers.TPESampler(
            multivariate=len(self._space) > 1, constant_liar=True, n_startup_trials=_STARTUP, seed=seed
        )
        self._study = optuna.create_study(study_name=study_name, storage=storage, sampler=sampler, direction="maximize")
        start = create_trial(params=_numbers(genome), distributions=self._space, value=fitness)
        self._study.add_trial(start)
        self._asked: list[tuple[Trial, Genome]] = []

    def ask(self, count: int) -> list[Genome]:
        """A batch of genomes to evaluate."""
        trials = [self._study.ask(self._space) for _ in range(count)]
        self._asked = [(trial, _with_numbers(self._genome, trial.params)) for trial in trials]
        return [genome for _, genome in self._asked]

    def tell(self, fitness: Sequence[float]) -> None:
        """The fitness of the batch, in its order."""
        for (trial, genome), value in zip(self._asked, fitness, strict=True):
            self._study.tell(trial, value)
            if value > self._best[1]:
                self._best = (genome, value)
        self._asked = []

    @property
    def best(self) -> tuple[Genome, float]:
        """The fittest so far, the elite itself among them."""
        return self._best


def _forget(study_name: str, storage: str) -> None:
    if study_name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=study_name, storage=storage)


def _space(genome: Genome, families: Families) -> dict[str, BaseDistribution]:
    """The ranges of a genome's numbers, by readable name, in their own units."""
    declared: dict[str, Param] = {"threshold": THRESHOLD, "size": SIZE}
    declared |= {f"exits.{name}": p for name, p in EXITS.items()}
    declared |= {f"filters.{name}": p for name, p in FILTERS.items()}
    for gene in genome.signals:
        declared[f"{gene.family}.weight"] = WEIGHT
        declared |= {f"{gene.family}.{name}": p for name, p in families[gene.family].params.items()}
    return {name: FloatDistribution(p.low, p.high, log=p.log) for name, p in declared.items()}


def _numbers(genome: Genome) -> dict[str, float]:
    numbers = {"threshold": genome.threshold, "size": genome.size}
    numbers |= {f"exits.{name}": value for name, value in asdict(genome.exits).items()}
    numbers |= {f"filters.{name}": value for name, value in asdict(genome.filters).items()}
    for gene in genome.signals:
        numbers[f"{gene.family}.weight"] = gene.weight
        numbers |= {f"{gene.family}.{name}": value for name, value in gene.params.items()}
    return numbers


def _with_numbers(genome: Genome, numbers: dict[str, float]) -> Genome:
    """The genome with these numbers in place of its own."""
    values = {name: rounded(value) for name, value in numbers.items()}
    signals = [
        SignalGene(
            gene.family,
            {name: values[f"{gene.family}.{name}"] for name in gene.params},
            values[f"{gene.family}.weight"],
        )
        for gene in genome.signals
    ]
    return replace(
        genome,
        signals=tuple(signals),
        threshold=values["threshold"],
        size=values["size"],
        exits=ExitGenes(**{name: values[f"exits.{name}"] for name in EXITS}),
        filters=FilterGenes(**{name: values[f"filters.{name}"] for name in FILTERS}),
    )
