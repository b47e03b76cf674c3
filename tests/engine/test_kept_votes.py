"""Votes that are kept from earlier backtests: every result is that of an engine that computes all votes itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.history import WatchedActions
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.market.events import Events
from tests.engine.random_market import FAMILIES, random_events, random_genomes, random_model
from tests.engine.test_genes import related

Outcome = tuple[WatchedActions, list[StrategyResult]]
AMPLE = 2**20


def run(
    parts: list[Events], genomes: list[Genome], model: FillModel, kept: KeptVotes | None = None, tape: str = "tape"
) -> Outcome:
    """Return everything that the strategies did."""
    engine = Engine(FAMILIES, model, 1000.0)
    engine.add(*genomes)
    engine.watch(engine.population.spec_ids)
    voting = None if kept is None else engine.use_kept_votes(kept, tape)
    actions = WatchedActions([], [])
    for part in parts:
        found = engine.advance(part)
        actions.orders.extend(found.orders)
        actions.fills.extend(found.fills)
    if voting is not None:
        voting.finish()
    return actions, engine.results()


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    tokens=st.sampled_from([2, 12, 150]),
    gap_s=st.sampled_from([0.2, 2.0, 15.0]),
    cuts=st.lists(st.integers(1, 399), max_size=4),
    capacity=st.sampled_from([0, 2_000, AMPLE]),
)
def test_results_do_not_depend_on_the_votes_that_are_kept(
    seed: int, tokens: int, gap_s: float, cuts: list[int], capacity: int
) -> None:
    rng = np.random.default_rng(seed)
    model, events = random_model(rng), random_events(rng, 400, tokens, gap_s)
    parts = np.split(events, sorted(cuts))
    pool, kept = related(rng, 9), KeptVotes(capacity)
    populations = [[pool[i] for i in rng.permutation(len(pool))[:size]] for size in (1, 4, 4, 2)]
    for genomes in populations:
        assert run(parts, genomes, model, kept) == run(parts, genomes, model)
        assert kept.size <= capacity


def test_strategies_trade_on_kept_votes_and_no_gene_votes_twice() -> None:
    rng = np.random.default_rng(2)
    model, events, genomes = random_model(rng), random_events(rng, 400, 70, 0.5), related(rng, 10)
    kept = KeptVotes(AMPLE)
    first = run([events], genomes, model, kept)
    genes, found = kept.asked, kept.found
    assert (found, len(kept)) == (0, genes)
    assert run([events], [replace(genome, size=0.11) for genome in genomes], model, kept)[0].fills
    assert run([events], genomes[::-1], model, kept)[1] == first[1][::-1]
    assert (kept.asked, kept.found) == (3 * genes, 2 * genes)


@pytest.mark.parametrize("other", ["tape", "model"])
def test_votes_are_kept_for_one_tape_and_one_life_of_tokens(other: str) -> None:
    rng = np.random.default_rng(3)
    model, events, genomes = random_model(rng), random_events(rng, 300, 20, 0.5), random_genomes(rng, 3)
    kept = KeptVotes(AMPLE)
    run([events], genomes, model, kept)
    if other == "tape":
        run([random_events(rng, 300, 20, 0.5)], genomes, model, kept, "another tape")
    else:
        run([events], genomes, model._replace(dead_after_ns=model.dead_after_ns * 2), kept)
    assert kept.found == 0


def test_the_votes_that_were_used_least_recently_make_room() -> None:
    kept = KeptVotes(5 * 16)
    one = np.zeros((2, 1), np.int64)
    for name in "abcde":
        kept.put(name, one)
    assert kept.get("a") is not None
    kept.put("f", np.zeros((2, 2), np.int64))
    assert [name for name in "abcdef" if kept.get(name) is not None] == ["a", "d", "e", "f"]
    kept.put("f", one)
    assert (kept.size, len(kept)) == (4 * 16, 4)


def test_a_pass_whose_votes_do_not_fit_displaces_no_others() -> None:
    rng = np.random.default_rng(4)
    model, events, genomes = random_model(rng), random_events(rng, 400, 20, 0.5), random_genomes(rng, 6)
    kept = KeptVotes(400)
    kept.put("another gene", np.zeros((2, 1), np.int64))
    run([events], genomes, model, kept)
    assert len(kept) == 1
