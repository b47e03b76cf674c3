from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings, SearchState
from memesnipe.sdk.registry import discover
from tests.support import result

FAMILIES = discover()
STATE = TypeAdapter(SearchState)


def _settings(size: int = 20, mutation: float = 0.2, crossover: float = 0.7, renewals: float = 0.0) -> SearchSettings:
    return SearchSettings(size, mutation, crossover, tournament_size=3, renewals=renewals)


def _score(genome: Genome) -> float:
    return -abs(genome.exits.stop_loss - 0.1)


def _evaluations(genomes: list[Genome]) -> list[Evaluation]:
    """Return evaluations in which each genome holds for its longest hold."""
    found = []
    for g in genomes:
        did = result(g.spec_id, trades=4, observed_s=3600.0, mean_hold_s=g.exits.max_hold_s)
        found.append(Evaluation(g.spec_id, did, did, _score(g), np.zeros((2 * BLOCKS, 3))))
    return found


def _generations(population: GeneticAlgorithm, count: int) -> list[list[str]]:
    generations = []
    for _ in range(count):
        genomes = population.ask()
        population.tell(genomes, _evaluations(genomes))
        generations.append([g.spec_id for g in genomes])
    return generations


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 30), st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from([0.0, 0.7, 1.0]))
def test_each_generation_is_full_and_without_duplicates(
    seed: int, size: int, mutation: float, crossover: float
) -> None:
    """Includes rates of 0, at which children equal their parents."""
    for generation in _generations(GeneticAlgorithm(FAMILIES, _settings(size, mutation, crossover), seed), 4):
        assert len(generation) == len(set(generation)) == size


def test_the_seed_determines_the_generations() -> None:
    one, same, other = (_generations(GeneticAlgorithm(FAMILIES, _settings(), seed), 4) for seed in (7, 7, 8))
    assert one == same
    assert one[0] != other[0]


@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_search_resumed_from_json_continues_identically(before: int) -> None:
    whole = GeneticAlgorithm(FAMILIES, _settings(), 7)
    first = _generations(whole, before)
    saved = STATE.dump_json(whole.dump())
    resumed = GeneticAlgorithm(FAMILIES, _settings(), seed=99)
    resumed.load(STATE.validate_json(saved))
    assert resumed.generation == before
    assert first + _generations(resumed, 3) == first + _generations(whole, 3)
    assert STATE.dump_json(resumed.dump()) == STATE.dump_json(whole.dump()) != saved


def test_a_generation_has_the_elites_first_and_some_random_genomes() -> None:
    population = GeneticAlgorithm(FAMILIES, _settings(40, mutation=0.0, crossover=0.0), 7)
    genomes = population.ask()
    population.tell(genomes, _evaluations(genomes))
    following = [g.spec_id for g in population.ask()]
    best = sorted(genomes, key=_score, reverse=True)[:4]
    assert following[:4] == [g.spec_id for g in best]
    # By the settings a tenth of the generation has no parents; here all the others are copies.
    known = {g.spec_id for g in genomes}
    assert not known & set(following[4:8])
    assert known & set(following[8:])


def test_selection_improves_the_generations() -> None:
    population = GeneticAlgorithm(FAMILIES, _settings(40), 7)
    scores = []
    for _ in range(8):
        genomes = population.ask()
        scores.append([_score(g) for g in genomes])
        population.tell(genomes, _evaluations(genomes))
    assert np.median(scores[-1]) > np.median(scores[0]) / 2
    assert max(scores[-1]) >= max(scores[0])


def test_a_search_can_resume_with_a_population_smaller_than_its_elites() -> None:
    large, small = GeneticAlgorithm(FAMILIES, _settings(20), 7), GeneticAlgorithm(FAMILIES, _settings(2), 7)
    _generations(large, 1)
    small.load(large.dump())
    assert len(small.ask()) == 2


def _profitable(genomes: list[Genome], profit: float) -> list[Evaluation]:
    return [replace(evaluation, fitness=evaluation.fitness + profit) for evaluation in _evaluations(genomes)]


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.integers(4, 30), st.sampled_from([0.1, 0.25, 1.0]))
def test_a_share_of_a_generation_is_elites_of_the_archive_with_the_oldest_evaluations(
    seed: int, size: int, renewals: float
) -> None:
    population = GeneticAlgorithm(FAMILIES, _settings(size, renewals=renewals), seed)
    genomes = population.ask()
    for _ in range(3):
        population.tell(genomes, _profitable(genomes, 1.0))
        best = [genome.spec_id for genome in sorted(genomes, key=_score, reverse=True)[:4]]
        due = [genome.spec_id for genome in population.archive.due(min(int(size * renewals), size - 4), best)]
        genomes = population.ask()
        ids = [genome.spec_id for genome in genomes]
        assert len(set(ids)) == size
        assert ids[: 4 + len(due)] == [*best, *due]


def test_a_lucky_elite_loses_its_place_when_it_is_evaluated_again() -> None:
    """The first window makes every genome profitable, the later ones none: in the end no elite is."""
    population = GeneticAlgorithm(FAMILIES, _settings(40, renewals=0.25), 7)
    first = population.ask()
    population.tell(first, _profitable(first, 10.0))
    lucky = len(population.archive.elites)
    assert lucky > 10
    for _ in range(lucky // 10 + 1):
        genomes = population.ask()
        population.tell(genomes, _profitable(genomes, -1.0))
    assert max(elite.fitness for elite in population.archive.elites.values()) < 0.0
