import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.genome import Genome, SignalGene, genome_from
from memesnipe.evolution.operators import (
    EXITS,
    FILTERS,
    MAX_SIGNALS,
    SIZE,
    THRESHOLD,
    WEIGHT,
    crossover,
    mutate,
    random_genome,
)
from memesnipe.sdk.registry import Families, discover

BUNDLED = discover()
MORE = BUNDLED | {f"another_{name}": strategy for name, strategy in BUNDLED.items()}
SEEDS = st.integers(0, 2**32)


def _assert_sound(genome: Genome, families: Families) -> None:
    """Every number is a float inside its range, and the signals are of different families, in order of name."""
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


@given(SEEDS, st.floats(0, 1), st.integers(1, len(MORE)))
def test_genomes_stay_inside_their_ranges_after_many_generations(seed: int, rate: float, count: int) -> None:
    families = dict(list(MORE.items())[:count])
    rng = np.random.default_rng(seed)
    mother, father = (random_genome(rng, families) for _ in range(2))
    for _ in range(12):
        child = mutate(rng, crossover(rng, mother, father), families, rate)
        _assert_sound(child, families)
        mother, father = child, mother


@given(SEEDS)
def test_a_genome_has_the_same_name_before_and_after_json(seed: int) -> None:
    """The factory names it, and the arena names it again from what came over the wire."""
    rng = np.random.default_rng(seed)
    genome = random_genome(rng, BUNDLED)
    for _ in range(6):
        genome = mutate(rng, genome, BUNDLED, 1.0)
    back = genome_from(orjson.loads(orjson.dumps(genome.to_dict())))
    assert back == genome
    assert back.spec_id == genome.spec_id


def test_the_name_is_the_content() -> None:
    one, same = (random_genome(np.random.default_rng(3), BUNDLED) for _ in range(2))
    other = random_genome(np.random.default_rng(4), BUNDLED)
    assert one is not same
    assert one.spec_id == same.spec_id != other.spec_id
    gene = one.signals[0]
    turned = SignalGene(gene.family, dict(reversed(gene.params.items())), gene.weight)
    assert Genome((turned, *one.signals[1:]), one.threshold, one.size, one.exits, one.filters).spec_id == one.spec_id


@given(SEEDS)
def test_a_child_has_every_gene_from_one_of_its_parents(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mother, father = (random_genome(rng, BUNDLED) for _ in range(2))
    child = crossover(rng, mother, father)
    assert child.threshold in (mother.threshold, father.threshold)
    assert child.exits.stop_loss in (mother.exits.stop_loss, father.exits.stop_loss)
    for gene in child.signals:
        parents = [g for g in (*mother.signals, *father.signals) if g.family == gene.family]
        assert gene.weight in [g.weight for g in parents]
        assert all(value in [g.params[name] for g in parents] for name, value in gene.params.items())


def test_nothing_moves_at_a_rate_of_zero_and_everything_at_one() -> None:
    rng = np.random.default_rng(1)
    genome = random_genome(rng, BUNDLED)
    assert mutate(rng, genome, BUNDLED, 0.0) == genome
    moved = mutate(rng, genome, BUNDLED, 1.0)
    assert moved.threshold != genome.threshold
    assert moved.exits.stop_loss != genome.exits.stop_loss
    assert [g.family for g in moved.signals] != [g.family for g in genome.signals]


@pytest.mark.parametrize("name", ["stop_loss", "take_profit", "max_hold_s"])
def test_random_genomes_fill_their_ranges_evenly_in_their_own_scale(name: str) -> None:
    rng = np.random.default_rng(1)
    shares = [EXITS[name].share(getattr(random_genome(rng, BUNDLED).exits, name)) for _ in range(600)]
    assert np.histogram(shares, bins=4, range=(0, 1))[0] == pytest.approx([150] * 4, abs=50)
