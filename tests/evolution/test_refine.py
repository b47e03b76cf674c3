import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage

from memesnipe.engine.genome import Genome, simple_genome
from memesnipe.evolution.fitness import WORST
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.ranges import EXITS, FILTERS, SIZE, THRESHOLD, WEIGHT
from memesnipe.evolution.refine import Polish
from memesnipe.evolution.space import Space
from memesnipe.sdk.registry import discover

FAMILIES = discover()
SPACE = Space(FAMILIES)
ELITE = next(g for g in random_genomes(np.random.default_rng(7), FAMILIES, 50) if len(g.signals) == 2)
Storage = str | BaseStorage | None


def _smooth(genome: Genome) -> float:
    """Return a score with its maximum, 0, at a small distance from the elite in each of its numbers."""
    shares = SPACE.encode([genome, ELITE]).shares
    best = np.clip(shares[1] + 0.15, 0.0, 1.0)
    used = [SPACE.common, *(b for b, on in zip(SPACE.blocks, SPACE.encode([ELITE]).active[0], strict=True) if on)]
    return -sum(float(((shares[0] - best)[block] ** 2).sum()) for block in used)


def _polish(elite: Genome, fitness: float, storage: Storage = None, seed: int = 5, name: str = "test") -> Polish:
    return Polish(elite, fitness, FAMILIES, study_name=name, storage=storage, seed=seed)


def _rounds(polish: Polish, rounds: int, score: Callable[[Genome], float] = _smooth, batch: int = 8) -> list[Genome]:
    asked = []
    for _ in range(rounds):
        genomes = polish.ask(batch)
        polish.tell([score(genome) for genome in genomes])
        asked += genomes
    return asked


@pytest.fixture(scope="module")
def studies_url(database_url: str) -> str:
    """A separate schema for optuna, as in production, because its table names collide with ours."""
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS polish_test"))
    engine.dispose()
    url = sa.make_url(database_url).update_query_dict({"options": "-csearch_path=polish_test"})
    return url.render_as_string(hide_password=False)


def test_the_seed_determines_the_proposals() -> None:
    one, same, other = (_rounds(_polish(ELITE, _smooth(ELITE), seed=seed), 3) for seed in (5, 5, 6))
    assert one == same
    assert one != other


def test_an_interrupted_study_in_postgresql_is_replaced(studies_url: str) -> None:
    in_memory = _rounds(_polish(ELITE, _smooth(ELITE)), 2)
    interrupted = _polish(ELITE, _smooth(ELITE), studies_url, seed=6)
    _rounds(interrupted, 1)
    interrupted.ask(2)  # without a tell
    again = _polish(ELITE, _smooth(ELITE), studies_url)
    assert _rounds(again, 2) == in_memory
    storage = RDBStorage(studies_url)
    study = optuna.load_study(study_name="test", storage=storage)
    assert [trial.user_attrs["spec_id"] for trial in study.trials] == [g.spec_id for g in [ELITE, *in_memory]]
    assert [trial.value for trial in study.trials] == [_smooth(g) for g in [ELITE, *in_memory]]
    assert study.best_value == again.best[1]
    storage.engine.dispose()


def test_a_study_does_not_affect_others_in_its_storage() -> None:
    storage = InMemoryStorage()
    first = _polish(ELITE, 0.0, storage, name="first")
    _polish(ELITE, 0.0, storage, name="second")
    _rounds(first, 1)
    assert sorted(optuna.get_all_study_names(storage)) == ["first", "second"]


def test_a_study_uses_the_names_and_ranges_of_the_parameters() -> None:
    storage = InMemoryStorage()
    elite = simple_genome("momentum_5m", {})
    (asked,) = _rounds(_polish(elite, 1.0, storage), 1, lambda _: 2.0, batch=1)
    first, second = optuna.load_study(study_name="test", storage=storage).trials
    momentum = FAMILIES["momentum_5m"].params
    named: dict[str, Any] = {f"momentum_5m.{name}": p for name, p in momentum.items()}
    named |= {"weights.momentum_5m": WEIGHT, "threshold": THRESHOLD, "size": SIZE}
    named |= {f"exits.{name}": p for name, p in EXITS.items()} | {f"filters.{name}": p for name, p in FILTERS.items()}
    assert first.distributions == {name: FloatDistribution(p.low, p.high, log=p.log) for name, p in named.items()}
    assert first.params["exits.stop_loss"] == elite.exits.stop_loss
    # Parameters missing in the elite enter the study as the family's defaults.
    assert {name: first.params[f"momentum_5m.{name}"] for name in momentum} == {
        name: p.default for name, p in momentum.items()
    }
    assert second.params["exits.stop_loss"] == pytest.approx(asked.exits.stop_loss, rel=1e-8)
    assert second.params["momentum_5m.lookback_s"] == pytest.approx(asked.signals[0].params["lookback_s"], rel=1e-8)
    assert (first.value, second.value) == (1.0, 2.0)


@pytest.mark.parametrize("seed", range(5))
def test_polishing_improves_the_elite(seed: int) -> None:
    before = _smooth(ELITE)
    polish = _polish(ELITE, before, seed=seed)
    asked = _rounds(polish, 16)
    genome, after = polish.best
    assert after == max(_smooth(g) for g in asked) == _smooth(genome)
    assert after > 0.8 * before  # squared distances to the maximum, negated


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_polishing_keeps_families_ranges_and_digits(seed: int) -> None:
    (elite,) = random_genomes(np.random.default_rng(seed), FAMILIES, 1)
    asked = _rounds(_polish(elite, 0.0, seed=seed), 2, lambda g: -g.size, batch=4)
    assert all([s.family for s in g.signals] == [s.family for s in elite.signals] for g in asked)
    assert SPACE.decode(SPACE.encode(asked)) == asked  # numbers out of range would be clipped
    assert len({g.spec_id for g in [elite, *asked]}) == 1 + len(asked)


def test_an_unbeaten_elite_remains_the_best() -> None:
    polish = _polish(ELITE, 1.0)
    _rounds(polish, 2, lambda _: 1.0)
    assert polish.best == (ELITE, 1.0)


@pytest.mark.parametrize("broken", [-math.inf, math.inf, math.nan])
def test_non_finite_fitness_counts_as_the_worst(broken: float) -> None:
    storage = InMemoryStorage()
    polish = _polish(ELITE, 1.0, storage)
    _rounds(polish, 2, lambda _: broken, batch=4)
    trials = optuna.load_study(study_name="test", storage=storage).trials
    assert [trial.value for trial in trials] == [1.0] + 8 * [WORST]
    assert polish.best == (ELITE, 1.0)


def test_tell_requires_one_fitness_per_genome() -> None:
    polish = _polish(ELITE, 1.0)
    polish.ask(3)
    with pytest.raises(ValueError, match="shorter"):
        polish.tell([1.0, 2.0])
