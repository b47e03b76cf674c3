"""Strategies that share genes: each gene votes once, and every result is that of the strategy alone."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome, SignalGene, simple_genome
from tests.engine.random_market import FAMILIES, random_events, random_genomes, random_model
from tests.engine.test_parity import compare
from tests.support import saved_and_loaded, state_bytes

ALL = 10


def related(rng: np.random.Generator, count: int) -> list[Genome]:
    """Return genomes that trade often, whose signals are mostly from two genomes."""
    pool: dict[str, list[SignalGene]] = {}
    for genome in random_genomes(rng, 2):
        for gene in genome.signals:
            pool.setdefault(gene.family, []).append(gene)
    genomes = [
        replace(genome, signals=tuple(_one_of(rng, pool.get(gene.family, [gene])) for gene in genome.signals))
        for genome in random_genomes(rng, count)
    ]
    return list({genome.spec_id: genome for genome in genomes}.values())


def _one_of(rng: np.random.Generator, genes: list[SignalGene]) -> SignalGene:
    return replace(genes[int(rng.integers(len(genes)))], weight=float(rng.choice([0.3, 0.5, 1.0])))


def engine_of(genomes: list[Genome], model: FillModel) -> Engine:
    engine = Engine(FAMILIES, model, 1000.0)
    engine.add(*genomes)
    engine.watch(engine.population.spec_ids)
    return engine


def test_the_compared_strategies_share_genes_and_trade() -> None:
    rng = np.random.default_rng(2)
    genomes = related(rng, ALL)
    engine = engine_of(genomes, random_model(rng))
    assert len(engine.population.genes) < sum(len(genome.signals) for genome in genomes) / 2
    assert len(engine.advance(random_events(rng, 400, 70, 0.5)).fills) > 100


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), tokens=st.sampled_from([2, 12, 70]), gap_s=st.sampled_from([0.2, 2.0, 15.0]))
def test_strategies_with_common_genes_agree_with_the_reference_engine(seed: int, tokens: int, gap_s: float) -> None:
    rng = np.random.default_rng(seed)
    events = random_events(rng, 200, tokens, gap_s)
    compare(events, related(rng, 5), FAMILIES, random_model(rng), float(rng.choice([5.0, 1000.0])))


@settings(deadline=None, max_examples=10)
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(1, 399), max_size=5),
    restarts=st.sets(st.integers(0, 5)),
    joining=st.lists(st.integers(0, 5), min_size=ALL, max_size=ALL),
)
def test_a_strategy_in_a_population_equals_the_same_strategy_alone(
    seed: int, cuts: list[int], restarts: set[int], joining: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    model, genomes, events = random_model(rng), related(rng, ALL), random_events(rng, 400, 70, 0.5)
    starts = [0, *sorted(cuts)]
    parts = np.split(events, starts[1:])
    engine, fills = Engine(FAMILIES, model, 1000.0), []
    for i, part in enumerate(parts):
        engine.add(*(genome for genome, at in zip(genomes, joining, strict=False) if at == i))
        engine.watch(engine.population.spec_ids)
        fills += engine.advance(part).fills
        if i in restarts:
            engine, before = Engine(FAMILIES, model, 1000.0), engine
            engine.load(saved_and_loaded(before.dump()))
            assert state_bytes(engine.dump()) == state_bytes(before.dump())
            assert len(engine.population.genes) <= len(before.population.genes)
    for genome, at in zip(genomes, joining, strict=False):
        if genome.spec_id in engine.population.row_of:
            alone = Engine(FAMILIES, model, 1000.0)
            alone.advance(events[: starts[at]])
            alone.add(genome)
            alone.watch([genome.spec_id])
            expected = alone.advance(events[starts[at] :]).fills
            assert [fill for fill in fills if fill.order.spec_id == genome.spec_id] == expected
            assert engine.results([genome.spec_id]) == alone.results()


def test_only_strategies_that_join_together_share_a_gene() -> None:
    rng = np.random.default_rng(3)
    model, events = random_model(rng), random_events(rng, 300, 20, 0.5)
    mood, other = (replace(simple_genome("mood", {}), size=size) for size in (0.1, 0.2))
    late = replace(mood, threshold=0.9)
    engine = engine_of([mood, other], model)
    assert len(engine.population.genes) == 1
    engine.advance(events)
    engine.add(late)
    assert len(engine.population.genes) == 2, "its gene has seen no event"
    engine.remove(mood.spec_id)
    assert engine.population.genes.uses == [1, 1]
    engine.remove(other.spec_id)
    engine.add(replace(late, size=0.3))
    assert engine.population.genes.uses == [0, 2]
    engine.add(simple_genome("basis", {}))
    assert engine.population.genes.uses == [1, 2], "a freed record is used again"
