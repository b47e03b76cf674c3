"""Every genome of a generation has an origin, and its parents are genomes of earlier generations."""

import numpy as np

from memesnipe.engine.genome import Genome
from memesnipe.evolution.breeding import Generation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings
from memesnipe.evolution.origins import Operator
from tests.evolution.test_breeding import FAMILIES, _bred, _breeder, _evaluate

SEARCH = SearchSettings(40, 0.0, 0.7, tournament_size=3)  # without mutation


def _generations(count: int) -> list[Generation]:
    return _bred(_breeder(), count)


def test_the_first_generation_is_random_and_later_ones_have_parents_of_earlier_ones() -> None:
    first, *later = _generations(6)
    assert {origin.operator for origin in first.origins} == {Operator.RANDOM}
    known = {genome.spec_id for genome in first.genomes}
    for generation in later:
        for genome, origin in zip(generation.genomes, generation.origins, strict=True):
            parents = {Operator.KEPT: 0, Operator.RANDOM: 0, Operator.MUTATION: 1, Operator.CROSSOVER: 2}
            assert len(set(origin.parents)) == parents[origin.operator]
            assert set(origin.parents) <= known
            assert (origin.operator is Operator.KEPT) <= (genome.spec_id in known)
        known |= {genome.spec_id for genome in generation.genomes}
    operators = {origin.operator for generation in later for origin in generation.origins}
    assert operators == set(Operator)


def test_the_numbers_of_a_child_without_mutation_are_those_of_its_parents() -> None:
    search = GeneticAlgorithm(FAMILIES, SEARCH, seed=3)
    genomes: list[Genome] = []
    crossed = 0
    for _ in range(3):
        asked = search.ask()
        genomes += asked
        by_id = {genome.spec_id: genome for genome in genomes}
        for genome, origin in zip(asked, search.origins.of(asked), strict=True):
            if origin.operator is Operator.CROSSOVER:
                mother, father = (by_id[spec_id] for spec_id in origin.parents)
                assert genome.size in (mother.size, father.size)
                assert {s.family for s in genome.signals} <= {s.family for p in (mother, father) for s in p.signals}
                crossed += 1
        search.tell(asked, _evaluate(None, asked))  # type: ignore[arg-type]
    assert crossed > 10


def test_origins_change_nothing_in_the_search() -> None:
    one, two = (GeneticAlgorithm(FAMILIES, SEARCH, seed=3) for _ in range(2))
    for _ in range(3):
        first, second = one.ask(), two.ask()
        one.origins.of(first)
        assert [genome.spec_id for genome in first] == [genome.spec_id for genome in second]
        one.tell(first, _evaluate(None, first))  # type: ignore[arg-type]
        two.tell(second, _evaluate(None, second))  # type: ignore[arg-type]
    assert np.array_equal(one.dump().fitness, two.dump().fitness)
