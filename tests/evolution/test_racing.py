"""A race compares genomes on the same sample, leaves the worse behind, and keeps within its budget."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.racing import Budget, Race, sizes_of
from memesnipe.evolution.remembered import Remembered
from memesnipe.evolution.samples import Sample, Sampler
from memesnipe.sdk.registry import discover
from tests.evolution.windows import events_of, window_of

GENOMES = random_genomes(np.random.default_rng(5), discover(), 60)
SAMPLES = Sampler().samples(window_of(events_of([200] * 81)), 0)


def _evaluation(genome: Genome, fitness: float) -> Evaluation:
    return Evaluation(genome.spec_id, None, None, fitness, np.zeros((2 * BLOCKS, 3)))


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=6), st.integers(0, 10**10))
def test_sizes_keep_within_the_budget_and_never_grow(events: list[int], budget: int) -> None:
    events = sorted(events)
    sizes = sizes_of(events, budget)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] >= 1
    cost = sum(count * size for count, size in zip(events, sizes, strict=True))
    assert cost <= max(budget, sum(events))
    assert cost > budget - events[-1] * len(events)


def test_a_budget_is_that_of_windows_or_of_events() -> None:
    budget = Budget(50, 1_000, 10**6)
    assert [budget.of(0, 100), budget.of(1, 100), budget.of(1, 10**5)] == [100_000, 5_000, 10**6]


@given(st.permutations(range(60)), st.integers(0, 5))
def test_the_better_genomes_of_each_sample_run_on_the_next_one(ranks: list[int], kept: int) -> None:
    """The fitness on a sample is any function of genome and sample; here each sample shifts the ranks."""
    assert len(SAMPLES) == 3
    asked: list[tuple[int, list[str]]] = []

    def score(sample: Sample, genome: Genome) -> float:
        return float((ranks[GENOMES.index(genome)] + 7 * sample.depth) % 60)

    def evaluate(sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        asked.append((sample.depth, [genome.spec_id for genome in genomes]))
        return [_evaluation(genome, score(sample, genome)) for genome in genomes]

    race = Race(GENOMES[:kept], GENOMES[kept:], SAMPLES, [60 - kept, 20, 7])
    finalists, evaluations = race.run(evaluate)
    expected = GENOMES[kept:]
    for sample, size in zip(SAMPLES, (20, 7), strict=False):
        best = sorted(expected, key=lambda genome: -score(sample, genome))[:size]
        expected = [genome for genome in expected if genome in best]
    assert finalists == [*GENOMES[:kept], *expected]
    assert [evaluation.fitness for evaluation in evaluations] == [score(SAMPLES[-1], genome) for genome in finalists]
    assert [(depth, len(ids)) for depth, ids in asked] == [(2, 60 - kept), (1, 20), (0, kept + 7)]
    assert race.count == 60


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), max_size=8)), max_size=12), st.integers(1, 40))
def test_no_backtest_is_run_twice_while_it_is_remembered(asked: list[tuple[int, list[int]]], capacity: int) -> None:
    run: list[tuple[str, str]] = []

    def evaluate(sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        run.extend((sample.key, genome.spec_id) for genome in genomes)
        return [_evaluation(genome, float(sample.depth)) for genome in genomes]

    remembered = Remembered(capacity)
    for depth, chosen in asked:
        genomes = [GENOMES[i] for i in chosen]
        found = remembered.evaluate(SAMPLES[depth], genomes, evaluate)
        assert [e.spec_id for e in found] == [genome.spec_id for genome in genomes]
        assert all(e.fitness == SAMPLES[depth].depth for e in found)
    if capacity >= 30:
        assert len(run) == len(set(run)) == len({(depth, i) for depth, chosen in asked for i in chosen})
