"""Polishing: optuna optimises the numbers of one elite while its families stay fixed."""

import math
import weakref
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import Trial, create_trial

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.evolution.fitness import WORST
from memesnipe.evolution.ranges import EXITS, FILTERS, SIZE, THRESHOLD, WEIGHT
from memesnipe.evolution.space import rounded
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

# Trials before the sampler uses its model: only the elite, so that the first batch already explores around it.
STARTUP_TRIALS: Final = 1


class Polish:
    """Polishes one elite with the tree-structured Parzen estimator (Bergstra et al. 2011), in batches of ask and tell.

    The study is kept in memory, because a storage takes a transaction for each number of each trial. The trials of a
    batch are copied to ``storage``, under the study's name, once their fitness is known, so that `optuna-dashboard`
    shows them; the elite is the first. A study of an interrupted search is replaced: the proposals depend only on the
    elite, the seed and the reported fitness.
    """

    def __init__(
        self,
        genome: Genome,
        fitness: float,
        families: Families,
        *,
        study_name: str,
        storage: str | BaseStorage | None,
        seed: int,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it logs every study by default
        self._genome, self._best = genome, (genome, fitness)
        self._declared = _declared(genome, families)
        self._params = {gene.family: list(families[gene.family].params) for gene in genome.signals}
        self._space: dict[str, BaseDistribution] = {
            name: FloatDistribution(p.low, p.high, log=p.log) for name, p in self._declared.items()
        }
        sampler = optuna.samplers.TPESampler(
            multivariate=True, constant_liar=True, n_startup_trials=STARTUP_TRIALS, seed=seed
        )
        self._study = optuna.create_study(sampler=sampler, direction="maximize")
        self._stored = self._stored_study(study_name, storage) if storage is not None else None
        numbers = _numbers(genome)  # parameters that the genome leaves to their defaults are missing
        known = {name: p.clip(numbers.get(name, p.default)) for name, p in self._declared.items()}
        self._study.add_trial(
            create_trial(
                params=known, distributions=self._space, value=_finite(fitness), user_attrs={"spec_id": genome.spec_id}
            )
        )
        self._asked: list[tuple[Trial, Genome]] = []
        self._copy(1)

    def _stored_study(self, name: str, storage: str | BaseStorage) -> optuna.Study:
        """Make an empty study in a storage, in place of one of the same name."""
        if isinstance(storage, str):
            storage = RDBStorage(storage)
            weakref.finalize(self, storage.engine.dispose)  # closes its connections
        backend = optuna.storages.get_storage(storage)
        if any(study.study_name == name for study in backend.get_all_studies()):
            optuna.delete_study(study_name=name, storage=backend)
        return optuna.create_study(study_name=name, storage=backend, direction="maximize")

    def _copy(self, count: int) -> None:
        """Copy the last trials to the storage."""
        if self._stored is not None:
            self._stored.add_trials(self._study.get_trials(deepcopy=False)[-count:])

    def ask(self, count: int) -> list[Genome]:
        """Return a batch of genomes to evaluate; the proposals of a batch avoid each other."""
        self._asked = []
        for _ in range(count):
            trial = self._study.ask(self._space)
            genome = self._with_numbers(trial.params)
            trial.set_user_attr("spec_id", genome.spec_id)
            self._asked.append((trial, genome))
        return [genome for _, genome in self._asked]

    def tell(self, fitness: Sequence[float]) -> None:
        """Set the fitness of the batch, in its order; non-finite values count as `WORST`."""
        for (trial, genome), value in zip(self._asked, map(_finite, fitness), strict=True):
            self._study.tell(trial, value)
            if value > self._best[1]:
                self._best = (genome, value)
        self._copy(len(self._asked))
        self._asked = []

    @property
    def best(self) -> tuple[Genome, float]:
        """The fittest genome so far, including the elite, and its fitness."""
        return self._best

    def _with_numbers(self, numbers: dict[str, float]) -> Genome:
        """Return the elite with its numbers replaced."""
        values = {name: p.clip(rounded(numbers[name])) for name, p in self._declared.items()}
        params = {f: {name: values[f"{f}.{name}"] for name in names} for f, names in self._params.items()}
        return replace(
            self._genome,
            signals=tuple(SignalGene(f, params[f], values[f"weights.{f}"]) for f in self._params),
            threshold=values["threshold"],
            size=values["size"],
            exits=ExitGenes(**{name: values[f"exits.{name}"] for name in EXITS}),
            filters=FilterGenes(**{name: values[f"filters.{name}"] for name in FILTERS}),
        )


def _declared(genome: Genome, families: Families) -> dict[str, Param]:
    """Return the ranges of a genome's numbers by readable name, such as ``momentum_5m.lookback_s``."""
    declared: dict[str, Param] = {}
    for gene in genome.signals:
        declared[f"weights.{gene.family}"] = WEIGHT
        declared |= {f"{gene.family}.{name}": p for name, p in families[gene.family].params.items()}
    declared |= {"threshold": THRESHOLD, "size": SIZE}
    declared |= {f"exits.{name}": p for name, p in EXITS.items()}
    return declared | {f"filters.{name}": p for name, p in FILTERS.items()}


def _numbers(genome: Genome) -> dict[str, float]:
    """Return a genome's numbers by the names of `_declared`."""
    numbers = {"threshold": genome.threshold, "size": genome.size}
    for gene in genome.signals:
        numbers[f"weights.{gene.family}"] = gene.weight
        numbers |= {f"{gene.family}.{name}": value for name, value in gene.params.items()}
    numbers |= {f"exits.{name}": value for name, value in asdict(genome.exits).items()}
    return numbers | {f"filters.{name}": value for name, value in asdict(genome.filters).items()}


def _finite(fitness: float) -> float:
    return fitness if math.isfinite(fitness) else WORST
