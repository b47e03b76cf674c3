from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memesnipe.bounds import MAX_SEED
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import BLOCKS, Evaluation, Record
from memesnipe.evolution.finish import BASELINE_GENOMES, CHAMPIONS, POLISH_BATCH, PolishPlan, polish, run_holdout
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.search import Search, probability_of_overfitting
from memesnipe.sdk.registry import discover
from tests.support import result

FAMILIES = discover()
SETTINGS = SearchSettings(24, 0.2, 0.7, 3)


def _evaluate(genomes: list[Genome]) -> list[Evaluation]:
    """Return evaluations whose fitness is the negated stop loss."""
    found = []
    for genome in genomes:
        did = result(
            genome.spec_id, trades=20, observed_s=3600.0, mean_hold_s=genome.exits.max_hold_s, digest=genome.spec_id
        )
        moments = np.ones((2 * BLOCKS, 3)) * genome.size
        found.append(Evaluation(genome.spec_id, did, did, -genome.exits.stop_loss, moments))
    return found


def _record(genomes: list[Genome]) -> list[Record]:
    rng = np.random.default_rng(1)
    return [Record(result(g.spec_id, trades=20), rng.normal(0, 0.01, 100).astype(np.float32)) for g in genomes]


def _run(search: Search, generations: int) -> list[Any]:
    return [search.tell(genomes := search.ask(), _evaluate(genomes)) for _ in range(generations)]


def test_generations_improve_and_are_summarised() -> None:
    search = Search(FAMILIES, SETTINGS, 1)
    summaries = _run(search, 6)
    assert [summary.index for summary in summaries] == list(range(6))
    assert summaries[-1].best_fitness > summaries[0].best_fitness
    assert all(summary.median_fitness <= summary.best_fitness for summary in summaries)
    assert [s.cells for s in summaries] == sorted(s.cells for s in summaries)
    assert summaries[0].to_dict()["evaluations"] == 24


def test_the_digest_identifies_the_history_across_restarts() -> None:
    whole, other = Search(FAMILIES, SETTINGS, 1), Search(FAMILIES, SETTINGS, 2)
    _run(whole, 4)
    _run(other, 4)
    first = Search(FAMILIES, SETTINGS, 1)
    _run(first, 2)
    resumed = Search(FAMILIES, SETTINGS, 99)
    resumed.load(first.dump())
    _run(resumed, 2)
    assert resumed.digest == whole.digest != other.digest
    resumed.record_holdout(_record(resumed.ask()[:1]))
    assert resumed.digest != whole.digest


def test_probability_of_overfitting_ignores_genomes_without_trades() -> None:
    rng = np.random.default_rng(1)
    idle = Evaluation("idle", None, None, 0.0, np.zeros((2 * BLOCKS, 3)))
    assert probability_of_overfitting([idle] * 5) == 0.5

    def evaluation(edge: float) -> Evaluation:
        returns = rng.normal(edge, 0.01, (2 * BLOCKS, 30))
        moments = np.stack([np.full(2 * BLOCKS, 30.0), returns.sum(1), (returns**2).sum(1)], axis=1)
        return Evaluation("x", None, None, 0.0, moments)

    skilled = [evaluation(0.0) for _ in range(9)] + [evaluation(0.02), idle]
    assert probability_of_overfitting(skilled) < 0.01


def test_polishing_never_lowers_the_fitness_of_an_elite() -> None:
    search = Search(FAMILIES, SETTINGS, 1)
    _run(search, 3)
    elites = search.algorithm.archive.best(CHAMPIONS)
    polished = polish(elites, FAMILIES, _evaluate, PolishPlan(2 * POLISH_BATCH, seed=1))
    assert [len(batch) for batch in polished.batches] == [len(elites), *[POLISH_BATCH * len(elites)] * 2]
    for elite, (genome, evaluation) in zip(elites, polished.contenders, strict=True):
        assert evaluation.spec_id == genome.spec_id
        assert evaluation.fitness >= elite.fitness
        assert [g.family for g in genome.signals] == [g.family for g in elite.genome.signals]
    assert any(e.fitness > elite.fitness for elite, (_, e) in zip(elites, polished.contenders, strict=True))
    again = polish(elites, FAMILIES, _evaluate, PolishPlan(2 * POLISH_BATCH, seed=1))
    assert [g for g, _ in again.contenders] == [g for g, _ in polished.contenders]


def test_elites_polished_to_the_same_fills_leave_one_contender() -> None:
    search = Search(FAMILIES, SETTINGS, 1)
    _run(search, 3)
    elites = search.algorithm.archive.best(3)

    def alike(genomes: list[Genome]) -> list[Evaluation]:
        return [replace(e, train=result(e.spec_id), validation=result(e.spec_id)) for e in _evaluate(genomes)]

    ((genome, evaluation),) = polish(elites, FAMILIES, alike, PolishPlan(0, seed=1)).contenders
    assert (genome, evaluation.spec_id) == (elites[0].genome, elites[0].genome.spec_id)


def test_contenders_run_on_the_holdout_with_a_random_baseline() -> None:
    search = Search(FAMILIES, SETTINGS, 1)
    _run(search, 1)
    polished = polish(search.algorithm.archive.best(2), FAMILIES, _evaluate, PolishPlan(0, seed=1))
    holdout_run = run_holdout(polished.contenders, FAMILIES, _evaluate, _record, seed=1)
    assert len(holdout_run.records) == 2
    drawn = random_genomes(np.random.default_rng([1, 0x10CC]), FAMILIES, BASELINE_GENOMES)
    assert holdout_run.baseline.result.spec_id == min(drawn, key=lambda genome: genome.exits.stop_loss).spec_id
    champions = holdout_run.assess(1000)
    assert [c.genome for c in champions] == [genome for genome, _ in polished.contenders]
    assert not any(c.promotable for c in champions), "their returns are noise"


def test_every_part_of_a_search_accepts_the_largest_seed() -> None:
    search = Search(FAMILIES, SETTINGS, MAX_SEED)
    _run(search, 1)
    polished = polish(search.algorithm.archive.best(1), FAMILIES, _evaluate, PolishPlan(1, seed=MAX_SEED))
    assert len(run_holdout(polished.contenders, FAMILIES, _evaluate, _record, seed=MAX_SEED).records) == 1


@pytest.mark.parametrize("trials", [0, 16])
def test_a_search_without_elites_has_no_champions(trials: int) -> None:
    polished = polish([], FAMILIES, _evaluate, PolishPlan(trials, seed=1))
    assert polished.contenders == []
    assert run_holdout([], FAMILIES, _evaluate, _record, 1).assess(10) == []
