"""The searches that `search.py` compares, over the same space, each until its budget is spent."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import optuna
from cmaes import CatCMAwM

from memesnipe.config.settings import Settings
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.evolution.admission import Admission
from memesnipe.evolution.breeding import Breeder
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.operators import random_genes
from memesnipe.evolution.racing import Budget
from memesnipe.evolution.ranges import EXITS, FILTERS, MAX_SIGNALS, SIZE, THRESHOLD, WEIGHT
from memesnipe.evolution.samples import Sample
from memesnipe.evolution.space import Genes, Space, rounded
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

RANDOM, TPE, CATCMA, OURS = "random", "TPE", "CatCMAwM", "ours"
GENERATION = 25  # backtests on the whole window that a generation of ours costs
BATCH = 25  # random genomes that share a pass over the events; the other rivals choose for themselves


class Spent(Exception):  # noqa: N818 - no error: the budget is spent
    """The budget does not suffice for the next backtests."""


class Meter(Protocol):
    """Runs backtests within a budget of events."""

    sample: Sample  # the whole window

    def run(self, sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        """Return the evaluations of genomes.

        Raises:
            Spent: the budget does not suffice.
        """

    def affords(self, windows: int) -> bool:
        """Return whether the budget suffices for so many backtests on the whole window."""


def random_search(families: Families, seed: int, meter: Meter) -> None:
    """Draw uniform random genomes, like the first generation of ours."""
    space, rng = Space(families), np.random.default_rng(seed)
    while True:
        size = BATCH if meter.affords(BATCH) else 1
        meter.run(meter.sample, space.decode(random_genes(rng, space, size)))


def tpe(families: Families, seed: int, meter: Meter) -> None:
    """Run optuna's default sampler, one trial after the other, in the define-by-run style."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), direction="maximize")
    while True:
        trial = study.ask()
        (evaluation,) = meter.run(meter.sample, [_suggested(trial, families)])
        study.tell(trial, evaluation.fitness)


def _suggested(trial: optuna.Trial, families: Families) -> Genome:
    """Return the genome of a trial: up to three slots choose families; one that two of them choose counts once."""
    number = trial.suggest_int("signals", 1, MAX_SIGNALS)
    names = list(families)
    used = sorted({str(trial.suggest_categorical(f"family_{slot}", names)) for slot in range(number)})
    genes = (
        SignalGene(
            family,
            {name: _suggest(trial, f"{family}.{name}", p) for name, p in families[family].params.items()},
            _suggest(trial, f"weights.{family}", WEIGHT),
        )
        for family in used
    )
    return Genome(
        tuple(genes),
        _suggest(trial, "threshold", THRESHOLD),
        _suggest(trial, "size", SIZE),
        ExitGenes(**{name: _suggest(trial, f"exits.{name}", p) for name, p in EXITS.items()}),
        FilterGenes(**{name: _suggest(trial, f"filters.{name}", p) for name, p in FILTERS.items()}),
    )


def _suggest(trial: optuna.Trial, name: str, declared: Param) -> float:
    return rounded(trial.suggest_float(name, declared.low, declared.high, log=declared.log))


def catcma(families: Families, seed: int, meter: Meter) -> None:
    """Run CatCMA with margin: each number is continuous on its own scale; three slots choose a family or none."""
    space = Space(families)
    none = len(space.names)
    optimiser = CatCMAwM(
        x_space=[[0.0, 1.0]] * len(space.columns), c_space=[none + 1] * MAX_SIGNALS, seed=seed + 1
    )  # 0 is not a seed
    while True:
        asked = [optimiser.ask() for _ in range(optimiser.population_size)]
        active = np.zeros((len(asked), none), np.bool_)
        for row, solution in zip(active, asked, strict=True):
            chosen = np.argmax(solution.c, axis=1)
            row[chosen[chosen < none]] = True
            if not row.any():
                row[np.argmax(solution.c[0, :none])] = True
        shares = np.clip(np.array([solution.x for solution in asked]), 0.0, 1.0)
        found = meter.run(meter.sample, space.decode(Genes(active, shares)))
        optimiser.tell([(solution, -evaluation.fitness) for solution, evaluation in zip(asked, found, strict=True)])


def ours(families: Families, seed: int, meter: Meter) -> None:
    """Run the factory's search on one window; nothing is evaluated again there, since the market does not change."""
    declared = Settings.fields()  # the defaults, not the environment's values
    rates = {name: declared[name].default for name in ("mutation_rate", "crossover_rate", "tournament_size")}
    breeder = Breeder(
        families,
        SearchSettings(GENERATION, **rates),
        seed,
        admission=Admission(1.0, proposals=1),
        budget=Budget(GENERATION, GENERATION, GENERATION * meter.sample.events),
    )
    while meter.affords(GENERATION):
        breeder.breed(meter.sample.window, meter.run)


Search = Callable[[Families, int, Meter], None]
CONTENDERS: dict[str, Search] = {RANDOM: random_search, TPE: tpe, CATCMA: catcma, OURS: ours}
