"""Live results of the arena name parents and losers, and families that lose are drawn less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings
from memesnipe.evolution.guidance import MIN_ROUND_TRIPS, MIN_WEIGHT, LiveResults
from memesnipe.evolution.operators import mutate, random_genes, random_genomes
from memesnipe.evolution.space import Space
from memesnipe.sdk.registry import discover
from tests.evolution.arena import standings_of
from tests.support import result

FAMILIES = discover()
GENOMES = random_genomes(np.random.default_rng(3), FAMILIES, 12)
IDS = [genome.spec_id for genome in GENOMES]


def _results() -> LiveResults:
    found = LiveResults()
    found.propose(GENOMES)
    return found


def test_a_strategy_is_a_parent_or_a_loser_where_its_expectation_exceeds_its_deviation() -> None:
    found = _results()
    found.update(standings_of({IDS[0]: 0.011, IDS[1]: 0.3, IDS[2]: 0.009, IDS[3]: -0.009, IDS[4]: -0.011}))
    guidance = found.guidance()
    assert [genome.spec_id for genome in guidance.parents] == [IDS[1], IDS[0]], "the best first"
    assert guidance.losers == {IDS[4]}


def test_a_few_round_trips_say_nothing() -> None:
    found = _results()
    found.update(standings_of({IDS[0]: 0.5, IDS[1]: -0.5}, round_trips=MIN_ROUND_TRIPS - 1))
    assert found.guidance() == LiveResults().guidance()


def test_a_loser_that_has_left_the_arena_stays_a_loser_until_it_is_back() -> None:
    found = _results()
    found.update(standings_of({IDS[0]: -0.5, IDS[1]: 0.5}))
    found.update(standings_of({IDS[1]: 0.5}))
    assert found.guidance().losers == {IDS[0]}
    assert set(found.genomes) == {IDS[1]}, "genomes that have left are not kept"
    found.propose([GENOMES[0]])
    found.update(standings_of({IDS[0]: 0.5, IDS[1]: 0.5}))
    assert found.guidance().losers == set()


def test_a_strategy_that_this_search_did_not_propose_is_no_parent() -> None:
    found = LiveResults()
    found.update(standings_of({"unknown": 0.5}))
    assert found.guidance().parents == ()


@given(st.lists(st.floats(-1.0, 1.0), min_size=len(IDS), max_size=len(IDS)))
def test_weights_are_bounded_and_a_family_loses_weight_by_losers_alone(expected: list[float]) -> None:
    found = _results()
    found.update(standings_of(dict(zip(IDS, expected, strict=True))))
    guidance = found.guidance()
    losing = {gene.family for genome in GENOMES if genome.spec_id in guidance.losers for gene in genome.signals}
    assert set(guidance.family_weights) == losing
    assert all(MIN_WEIGHT <= weight < 1.0 for weight in guidance.family_weights.values())


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_a_family_is_drawn_in_proportion_to_its_weight(weight: float) -> None:
    """Of genomes with one signal, the share with a family is its weight by the sum of all."""
    space, count = Space(FAMILIES), 20_000
    weights = np.ones(len(space.names))
    weights[2] = weight
    genes = random_genes(np.random.default_rng(1), space, count, weights)
    alone = genes.active[genes.active.sum(axis=1) == 1]
    expected = weight / weights.sum()
    assert alone[:, 2].mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / len(alone)))


def test_a_mutation_adds_a_family_in_proportion_to_its_weight() -> None:
    space, count = Space(FAMILIES), 20_000
    weights = np.ones(len(space.names))
    weights[1] = 0.2
    rng = np.random.default_rng(1)
    genes = random_genes(rng, space, count)
    mutated = mutate(rng, genes, 1.0, weights)
    added = mutated.active & ~genes.active
    others = np.delete(added, 1, axis=1).mean()
    assert added[:, 1].mean() == pytest.approx(0.2 * others, rel=0.25)


def test_losers_are_neither_elites_nor_evaluated_again() -> None:
    population = GeneticAlgorithm(FAMILIES, SearchSettings(20, 0.2, 0.7, tournament_size=3, renewals=0.5), 7)
    genomes = population.ask()
    population.tell(genomes, _evaluations(genomes))
    best = max(population.archive.elites.values(), key=lambda elite: elite.fitness).genome
    assert best.spec_id in {genome.spec_id for genome in population.kept(20)}
    found = LiveResults()
    found.propose([best])
    found.update(standings_of({best.spec_id: -0.5}))
    population.guidance = found.guidance()
    assert best.spec_id not in {genome.spec_id for genome in population.kept(4)}, "of the last generation"
    asked = population.ask()
    population.tell(asked, _evaluations(asked))
    assert best.spec_id not in {elite.genome.spec_id for elite in population.archive.elites.values()}


def _evaluations(genomes: list[Genome]) -> list[Evaluation]:
    found = []
    for g in genomes:
        did = result(g.spec_id, trades=4, observed_s=3600.0, mean_hold_s=g.exits.max_hold_s)
        found.append(Evaluation(g.spec_id, did, did, 1.0 - g.exits.stop_loss, np.zeros((2 * BLOCKS, 3))))
    return found
