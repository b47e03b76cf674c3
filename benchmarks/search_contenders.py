"""The searches that `search.py` compares, each with an ask-and-tell interface over the same space."""

import warnings
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol

import numpy as np
import optuna

from memesnipe.config.settings import Settings
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings
from memesnipe.evolution.operators import random_genes
from memesnipe.evolution.ranges import EXITS, FILTERS, MAX_SIGNALS, SIZE, THRESHOLD, WEIGHT
from memesnipe.evolution.refine import Polish
from memesnipe.evolution.space import Space, rounded
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

RANDOM, TPE, NSGA2, OURS = "random", "TPE", "NSGA-II", "ours"
BATCH = 25  # genomes per call of `ask`, for every search
POLISH_SHARE = 0.25  # of the evaluations of ours
POLISHED = 3  # elites


class Contender(Protocol):
    """A search with an ask-and-tell interface."""

    def ask(self, batch: int) -> list[Genome]:
        """Return genomes to evaluate."""

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Receive the evaluations, in the order of the genomes."""


class RandomSearch:
    """Uniform random genomes, like the first generation of ours."""

    def __init__(self, families: Families, _: int, seed: int) -> None:
        self._space, self._rng = Space(families), np.random.default_rng(seed)

    def ask(self, batch: int) -> list[Genome]:
        """Draw a batch."""
        return self._space.decode(random_genes(self._rng, self._space, batch))

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Ignore the evaluations."""


class OptunaSearch:
    """An optuna study over genomes, in the define-by-run style.

    Three slots choose their families from categories; a family that two of them choose counts once.
    """

    def __init__(self, families: Families, sampler: optuna.samplers.BaseSampler, *, conditional: bool) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._families, self._conditional = families, conditional
        self._study = optuna.create_study(sampler=sampler, direction="maximize")
        self._trials: list[optuna.Trial] = []

    def ask(self, batch: int) -> list[Genome]:
        """Open a batch of trials."""
        self._trials = [self._study.ask() for _ in range(batch)]
        return [self._genome(trial) for trial in self._trials]

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Close the trials; evaluations are in the order of the trials."""
        for trial, _, evaluation in zip(self._trials, genomes, evaluations, strict=True):
            self._study.tell(trial, evaluation.fitness)

    def _genome(self, trial: optuna.Trial) -> Genome:
        number = trial.suggest_int("signals", 1, MAX_SIGNALS)
        slots = MAX_SIGNALS if not self._conditional else number
        chosen = [trial.suggest_categorical(f"family_{slot}", list(self._families)) for slot in range(slots)]
        used = dict.fromkeys(chosen[:number])
        genes = {
            family: SignalGene(
                family,
                {n: _suggest(trial, f"{family}.{n}", p) for n, p in self._families[family].params.items()},
                _suggest(trial, f"weights.{family}", WEIGHT),
            )
            for family in (sorted(used) if self._conditional else self._families)
        }
        return Genome(
            tuple(gene for family, gene in genes.items() if family in used),
            _suggest(trial, "threshold", THRESHOLD),
            _suggest(trial, "size", SIZE),
            ExitGenes(**{name: _suggest(trial, f"exits.{name}", p) for name, p in EXITS.items()}),
            FilterGenes(**{name: _suggest(trial, f"filters.{name}", p) for name, p in FILTERS.items()}),
        )


def _suggest(trial: optuna.Trial, name: str, declared: Param) -> float:
    return rounded(trial.suggest_float(name, declared.low, declared.high, log=declared.log))


class Ours:
    """The genetic algorithm for most of the budget, then tuning of its best genomes in turn."""

    def __init__(self, families: Families, evaluations: int, seed: int, settings: SearchSettings) -> None:
        self._families, self._seed = families, seed
        self._population = GeneticAlgorithm(families, settings, seed)
        self._breeding = int(evaluations * (1.0 - POLISH_SHARE)) // BATCH * BATCH
        self._asked = 0
        self._polishes: list[Polish] = []
        self._rounds = count()
        self._current: Polish | None = None

    def ask(self, batch: int) -> list[Genome]:
        """Return a generation, or trials that tune the next elite."""
        if self._asked < self._breeding:
            return self._population.ask()
        if not self._polishes:
            elites = self._population.archive.best(POLISHED)
            self._polishes = [
                Polish(e.genome, e.fitness, self._families, study_name=f"{rank}", storage=None, seed=self._seed + rank)
                for rank, e in enumerate(elites)
            ]
        self._current = self._polishes[next(self._rounds) % len(self._polishes)]
        return self._current.ask(batch)

    def tell(self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation]) -> None:
        """Pass the evaluations to the algorithm that returned the genomes."""
        self._asked += len(genomes)
        if self._current is None:
            self._population.tell(genomes, evaluations)
        else:
            self._current.tell([evaluation.fitness for evaluation in evaluations])


def tpe(families: Families, _: int, seed: int) -> OptunaSearch:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of `group`
        sampler = optuna.samplers.TPESampler(
            multivariate=True, group=True, constant_liar=True, n_startup_trials=2 * BATCH, seed=seed
        )
    return OptunaSearch(families, sampler, conditional=True)


def nsga2(families: Families, _: int, seed: int) -> OptunaSearch:
    sampler = optuna.samplers.NSGAIISampler(population_size=BATCH, seed=seed)
    return OptunaSearch(families, sampler, conditional=False)


def ours(families: Families, evaluations: int, seed: int) -> Ours:
    declared = Settings.fields()  # the defaults, not the environment's values
    rates = {name: declared[name].default for name in ("mutation_rate", "crossover_rate", "tournament_size")}
    return Ours(families, evaluations, seed, SearchSettings(population_size=BATCH, **rates))


CONTENDERS: dict[str, Callable[[Families, int, int], Contender]] = {
    RANDOM: RandomSearch, TPE: tpe, NSGA2: nsga2, OURS: ours,
}  # fmt: skip
