import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.genome import Genome, SignalGene, genome_from
from memesnipe.evolution.operators import crossover, mutate, random_genes, random_genomes
from memesnipe.evolution.ranges import EXITS, FILTERS, MAX_SIGNALS, SIZE, THRESHOLD, WEIGHT
from memesnipe.evolution.space import Genes, Space, rounded
from memesnipe.sdk.registry import Families, discover

BUNDLED = discover()
SPACE = Space(BUNDLED)
DOUBLED = BUNDLED | {f"another_{name}": strategy for name, strategy in BUNDLED.items()}
SEEDS = st.integers(0, 2**32)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _assert_sound(genome: Genome, families: Families) -> None:
    """Assert that numbers are floats in their ranges and signals are of different families, sorted by name."""
    names = [gene.family for gene in genome.signals]
    assert 1 <= len(names) <= MAX_SIGNALS
    assert names == sorted(set(names))
    checks = [(THRESHOLD, genome.threshold), (SIZE, genome.size)]
    checks += [(declared, getattr(genome.exits, name)) for name, declared in EXITS.items()]
    checks += [(declared, getattr(genome.filters, name)) for name, declared in FILTERS.items()]
    for gene in genome.signals:
        declared = families[gene.family].params
        assert set(gene.params) == set(declared)
        checks += [(WEIGHT, gene.weight), *((declared[name], value) for name, value in gene.params.items())]
    for param, value in checks:
        assert type(value) is float
        assert param.low <= value <= param.high


@given(SEEDS, st.floats(0, 1), st.integers(1, len(DOUBLED)))
def test_genomes_stay_valid_over_many_generations(seed: int, rate: float, count: int) -> None:
    families = dict(list(DOUBLED.items())[:count])
    space, rng = Space(families), _rng(seed)
    genes = random_genes(rng, space, 6)
    for _ in range(12):
        fathers = genes[rng.permutation(6)]
        genes = mutate(rng, crossover(rng, space, genes, fathers), rate)
    for genome in space.decode(genes):
        _assert_sound(genome, families)


@given(SEEDS)
def test_a_genome_keeps_its_id_through_json(seed: int) -> None:
    """The strategy factory and the arena compute the id separately, before and after the transport."""
    rng = _rng(seed)
    for genome in SPACE.decode(mutate(rng, random_genes(rng, SPACE, 3), 1.0)):
        back = genome_from(orjson.loads(orjson.dumps(genome.to_dict())))
        assert back == genome
        assert back.spec_id == genome.spec_id


def test_the_id_depends_only_on_the_content() -> None:
    (one,), (same,), (other,) = (random_genomes(_rng(seed), BUNDLED, 1) for seed in (3, 3, 4))
    assert one is not same
    assert one.spec_id == same.spec_id != other.spec_id
    gene = one.signals[0]
    reordered = SignalGene(gene.family, dict(reversed(gene.params.items())), gene.weight)
    assert Genome((reordered, *one.signals[1:]), one.threshold, one.size, one.exits, one.filters).spec_id == one.spec_id


@given(SEEDS)
def test_every_gene_of_a_child_comes_from_a_parent(seed: int) -> None:
    rng = _rng(seed)
    mothers, fathers = random_genes(rng, SPACE, 8), random_genes(rng, SPACE, 8)
    children = SPACE.decode(crossover(rng, SPACE, mothers, fathers))
    for child, mother, father in zip(children, SPACE.decode(mothers), SPACE.decode(fathers), strict=True):
        assert child.threshold in (mother.threshold, father.threshold)
        assert child.exits.stop_loss in (mother.exits.stop_loss, father.exits.stop_loss)
        assert len(child.signals) in (len(mother.signals), len(father.signals))
        for gene in child.signals:
            parents = [g for g in (*mother.signals, *father.signals) if g.family == gene.family]
            assert gene.weight in [g.weight for g in parents]
            assert all(value in [g.params[name] for g in parents] for name, value in gene.params.items())


def test_mutation_rates_zero_and_one_change_nothing_and_everything() -> None:
    rng = _rng(1)
    genes = random_genes(rng, SPACE, 20)
    still, moved = mutate(rng, genes, 0.0), mutate(rng, genes, 1.0)
    assert SPACE.decode(still) == SPACE.decode(genes)
    assert np.all(moved.shares != genes.shares)
    assert np.all(np.any(moved.active != genes.active, axis=1))


def test_the_mutation_rate_is_the_share_of_mutated_numbers() -> None:
    rng = _rng(2)
    genes = random_genes(rng, SPACE, 200)
    moved = mutate(rng, genes, 0.2)
    assert np.mean(moved.shares != genes.shares) == pytest.approx(0.2, abs=0.02)
    assert np.mean(np.any(moved.active != genes.active, axis=1)) == pytest.approx(0.2, abs=0.08)


def test_a_single_family_is_never_dropped() -> None:
    space = Space(dict(list(BUNDLED.items())[:1]))
    genes = random_genes(_rng(1), space, 10)
    assert mutate(_rng(2), genes, 1.0).active.all()


@pytest.mark.parametrize("name", ["stop_loss", "take_profit", "max_hold_s"])
def test_random_genomes_are_uniform_on_the_scales_of_their_ranges(name: str) -> None:
    genomes = random_genomes(_rng(1), BUNDLED, 600)
    shares = [EXITS[name].share(getattr(genome.exits, name)) for genome in genomes]
    assert np.histogram(shares, bins=4, range=(0, 1))[0] == pytest.approx([150] * 4, abs=50)


def test_families_and_numbers_of_signals_are_drawn_uniformly() -> None:
    genes = random_genes(_rng(1), SPACE, 3000)
    assert np.bincount(genes.active.sum(axis=1))[1:] == pytest.approx([1000] * 3, abs=120)
    assert genes.active.mean(axis=0) == pytest.approx([0.2] * len(BUNDLED), abs=0.04)


@given(SEEDS)
def test_decode_inverts_encode(seed: int) -> None:
    genomes = random_genomes(_rng(seed), BUNDLED, 4)
    assert SPACE.decode(SPACE.encode(genomes)) == genomes


def test_genes_are_indexed_like_an_array() -> None:
    genes = random_genes(_rng(1), SPACE, 5)
    chosen = genes[np.array([3, 1])]
    assert isinstance(chosen, Genes)
    assert SPACE.decode(chosen) == [SPACE.decode(genes)[row] for row in (3, 1)]


@given(SEEDS)
def test_numbers_of_genomes_are_those_of_the_parameters_to_the_bit(seed: int) -> None:
    genes = random_genes(_rng(seed), SPACE, 5)
    genes.shares[0], genes.shares[1] = 0.0, 1.0
    for genome, shares in zip(SPACE.decode(genes), genes.shares.tolist(), strict=True):
        expected = [rounded(declared.at(share)) for declared, share in zip(SPACE.columns, shares, strict=True)]
        for signal in genome.signals:
            block = expected[SPACE.blocks[SPACE.names.index(signal.family)]]
            assert [signal.weight, *signal.params.values()] == block
        exits, filters = genome.exits, genome.filters
        numbers = [genome.threshold, genome.size, *(getattr(exits, name) for name in EXITS)]
        assert numbers + [getattr(filters, name) for name in FILTERS] == expected[SPACE.common]
