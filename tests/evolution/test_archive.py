from dataclasses import replace

import numpy as np
import pytest

from memesnipe.engine.genome import Genome
from memesnipe.evolution.archive import Archive, cell_of
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from tests.support import genome, result

FLIP, TREND = genome("flip", size=0.1), genome("trend", size=0.1)


def _evaluation(which: Genome, fitness: float = 0.0, *, trades: int = 10, hold_s: float = 30.0) -> Evaluation:
    did = result(which.spec_id, trades=trades, observed_s=3600.0, mean_hold_s=hold_s, digest=which.spec_id)
    return Evaluation(which.spec_id, did, did, fitness, np.zeros((2 * BLOCKS, 3)))


@pytest.mark.parametrize(
    ("which", "trades", "hold_s", "cell"),
    [
        (FLIP, 10, 30.0, "flip/1/2"),
        (FLIP, 10, 3000.0, "flip/4/2"),
        (FLIP, 100, 5.0, "flip/0/4"),
        (genome("flip", "trend", size=0.01), 10, 30.0, "flip+trend/1/1"),
    ],
)
def test_the_cell_reflects_families_holding_time_turnover(which: Genome, trades: int, hold_s: float, cell: str) -> None:
    assert cell_of(which, _evaluation(which, trades=trades, hold_s=hold_s)) == cell


def test_genomes_without_trades_or_with_failed_evaluations_have_no_cell() -> None:
    idle = _evaluation(FLIP, 5.0, trades=0)
    failed = replace(idle, train=None, validation=None)
    archive = Archive()
    assert archive.add([FLIP, FLIP], [idle, failed], 0) == 0
    assert archive.elites == {}


def test_a_cell_keeps_the_best_genome_and_the_first_of_equals() -> None:
    archive = Archive()
    better, equal = replace(FLIP, threshold=0.6), replace(FLIP, threshold=0.7)
    assert archive.add([FLIP, better], [_evaluation(FLIP, 1.0), _evaluation(better, 2.0)], 0) == 2
    assert archive.add([equal, FLIP], [_evaluation(equal, 2.0), _evaluation(FLIP, 1.0)], 1) == 0
    (elite,) = archive.elites.values()
    assert (elite.genome, elite.fitness, elite.generation) == (better, 2.0, 0)


def test_best_returns_elites_of_different_families() -> None:
    archive = Archive()
    slow = replace(FLIP, threshold=0.6)
    found = [_evaluation(FLIP, 3.0), _evaluation(slow, 2.0, hold_s=500.0), _evaluation(TREND, 1.0)]
    archive.add([FLIP, slow, TREND], found, 0)
    assert len(archive.elites) == 3
    assert [elite.genome for elite in archive.best(5)] == [FLIP, TREND]
    assert [elite.genome for elite in archive.best(1)] == [FLIP]


def test_best_skips_elites_with_the_same_fills() -> None:
    archive = Archive()
    copy = genome("flip", "trend", size=0.1)
    alike = replace(_evaluation(copy, 2.0), train=_evaluation(FLIP).train, validation=_evaluation(FLIP).validation)
    archive.add([FLIP, copy, TREND], [_evaluation(FLIP, 3.0), alike, _evaluation(TREND, 1.0)], 0)
    assert len(archive.elites) == 3
    assert [elite.genome for elite in archive.best(5)] == [FLIP, TREND]


def test_an_elite_that_is_evaluated_again_has_its_new_fitness_and_cell() -> None:
    archive = Archive()
    other = replace(FLIP, threshold=0.6)
    archive.add([FLIP], [_evaluation(FLIP, 9.0)], 0)
    assert archive.add([other, FLIP], [_evaluation(other, 2.0), _evaluation(FLIP, 1.0)], 1) == 1
    assert {cell: (e.genome, e.fitness, e.generation) for cell, e in archive.elites.items()} == {
        "flip/1/2": (other, 2.0, 1)
    }
    archive.add([other], [_evaluation(other, 3.0, hold_s=500.0)], 2)
    assert {cell: (e.fitness, e.generation) for cell, e in archive.elites.items()} == {"flip/3/2": (3.0, 2)}
    archive.add([other], [_evaluation(other, trades=0)], 3)
    assert archive.elites == {}


def test_an_elite_that_is_evaluated_again_keeps_its_place_against_an_equal() -> None:
    archive = Archive()
    equal = replace(FLIP, threshold=0.6)
    archive.add([FLIP], [_evaluation(FLIP, 1.0)], 0)
    assert archive.add([equal, FLIP], [_evaluation(equal, 2.0), _evaluation(FLIP, 2.0)], 1) == 0
    assert [elite.genome for elite in archive.elites.values()] == [FLIP]


def test_the_profitable_elites_are_due_again_the_oldest_evaluation_first() -> None:
    archive = Archive()
    genomes = [genome("flip"), genome("trend"), genome("talk"), genome("buy_once")]
    for i, (which, fitness) in enumerate(zip(genomes, (1.0, -1.0, 5.0, 2.0), strict=True)):
        archive.add([which], [_evaluation(which, fitness)], i)
    archive.add([genomes[0]], [_evaluation(genomes[0], 1.0)], 4)
    assert archive.due(9) == [genomes[2], genomes[3], genomes[0]]
    assert archive.due(1) == [genomes[2]]
    assert archive.due(9, {genomes[3].spec_id}) == [genomes[2], genomes[0]]
