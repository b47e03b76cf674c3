"""A breeder counts every evaluation, proposes what is admitted, and continues from its saved state."""

from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter

from memesnipe.engine.genome import Genome
from memesnipe.evolution.admission import Admission
from memesnipe.evolution.breeding import Breeder, BreederState, Generation, specs_of
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.racing import Budget
from memesnipe.evolution.samples import Sample
from memesnipe.evolution.window import Window
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import decoder_of
from memesnipe.sdk.registry import discover
from tests.evolution.arena import standings_of
from tests.evolution.windows import events_of, window_of
from tests.support import result

FAMILIES = discover()
STATE = TypeAdapter(BreederState)
SIZE = 20
WINDOW = window_of(events_of([1]))  # too small for samples
LARGE = window_of(events_of([600] * 81))  # with samples of 1/3, 1/9 and 1/27


def _breeder(bar: float = 0.5, seed: int = 7, from_arena: float = 0.25) -> Breeder:
    settings = SearchSettings(SIZE, 0.2, 0.7, tournament_size=3, renewals=0.25, from_arena=from_arena)
    budget = Budget(SIZE, SIZE, 10**9)
    return Breeder(FAMILIES, settings, seed, admission=Admission(bar, proposals=4), budget=budget)


def _evaluate(_: Sample, genomes: list[Genome]) -> list[Evaluation]:
    """Return evaluations in which a tight stop loss is worth a large Sharpe ratio."""
    found = []
    for g in genomes:
        skill = 300.0 * (0.5 - g.exits.stop_loss)
        did = result(
            g.spec_id, sharpe=skill, periods=400, kurtosis=3.0, total_return=skill / 1000, trades=50,
            observed_s=3600.0, mean_hold_s=g.exits.max_hold_s, digest=g.spec_id,
        )  # fmt: skip
        found.append(Evaluation(g.spec_id, did, did, skill, np.zeros((2 * BLOCKS, 3))))
    return found


def _bred(breeder: Breeder, count: int, window: Window = WINDOW) -> list[Generation]:
    return [breeder.breed(window, _evaluate) for _ in range(count)]


def test_every_evaluation_of_the_run_counts() -> None:
    assert [generation.total_evaluations for generation in _bred(_breeder(), 3)] == [SIZE, 2 * SIZE, 3 * SIZE]


def test_no_strategy_is_proposed_twice_in_a_run() -> None:
    proposed = [p.genome.spec_id for generation in _bred(_breeder(), 6) for p in generation.proposals]
    assert len(proposed) == len(set(proposed)) > 4


def test_a_generation_below_the_bar_proposes_nothing_and_says_why() -> None:
    generation = _breeder(bar=1.0).breed(WINDOW, lambda *asked: [_weak(e) for e in _evaluate(*asked)])
    assert generation.proposals == []
    assert generation.reason == f"none of {SIZE} genomes that traded made a profit in both segments"
    assert specs_of(generation, 5) == []


def _weak(evaluation: Evaluation) -> Evaluation:
    lost = result(evaluation.spec_id, total_return=-0.1, trades=50, digest=evaluation.spec_id)
    return Evaluation(evaluation.spec_id, lost, lost, -1.0, evaluation.moments)


@pytest.mark.parametrize("window", [WINDOW, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("before", [0, 1, 4])
def test_a_breeder_resumed_from_json_continues_identically(before: int, window: Window) -> None:
    whole = _breeder()
    _bred(whole, before, window)
    resumed = _breeder(seed=99)
    resumed.load(STATE.validate_json(STATE.dump_json(whole.dump())))
    assert resumed.index == before
    expected, found = _bred(whole, 3, window), _bred(resumed, 3, window)
    assert [specs_of(g, 1) for g in found] == [specs_of(g, 1) for g in expected]
    assert any(generation.proposals for generation in expected)
    assert STATE.dump_json(resumed.dump()) == STATE.dump_json(whole.dump())


def test_what_the_arena_found_profitable_is_bred_from_and_survives_a_restart() -> None:
    breeder = _breeder()
    (first,) = _bred(breeder, 1)
    best, worst = (first.proposals[i].genome.spec_id for i in (0, -1))
    breeder.learn(standings_of({best: 0.2, worst: -0.2}))
    resumed = _breeder(seed=99)
    resumed.load(STATE.validate_json(STATE.dump_json(breeder.dump())))
    expected, found = (one.ask(WINDOW) for one in (breeder, resumed))
    assert [g.spec_id for g in (*found.kept, *found.genomes)] == [
        g.spec_id for g in (*expected.kept, *expected.genomes)
    ]
    asked = {genome.spec_id for genome in (*found.kept, *found.genomes)}
    assert best in asked
    assert worst not in asked


def test_without_a_share_of_parents_from_the_arena_nothing_is_learned() -> None:
    informed, other = _breeder(from_arena=0.0), _breeder(from_arena=0.0)
    (first,), _ = _bred(informed, 1), _bred(other, 1)
    informed.learn(standings_of({p.genome.spec_id: -1.0 for p in first.proposals}))
    assert [specs_of(g, 1) for g in _bred(informed, 3)] == [specs_of(g, 1) for g in _bred(other, 3)]


def test_a_spec_carries_the_probability_of_skill_through_json() -> None:
    (generation,) = _bred(_breeder(), 1)
    spec = specs_of(generation, 5)[0]
    assert spec.deflated_sharpe == generation.proposals[0].deflated_sharpe >= 0.5
    received = decoder_of(spec.stream)(encode(spec))
    assert received == spec
    earlier = encode(spec).replace(b',"deflated_sharpe":%r' % spec.deflated_sharpe, b"")
    assert decoder_of(spec.stream)(earlier).deflated_sharpe == 0.0


def test_a_large_window_is_raced_on_and_every_genome_counts() -> None:
    asked: list[list[tuple[int, int]]] = []

    def evaluate(sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        asked[-1].append((sample.events, len(genomes)))
        return _evaluate(sample, genomes)

    breeder = _breeder()
    totals, races = [0], []
    for _ in range(3):
        asked.append([])
        races.append(breeder.ask(LARGE))
        totals.append(breeder.run(races[-1], evaluate).total_evaluations)
    assert asked[0] == [(LARGE.count // 27, 135), (LARGE.count // 9, 45), (LARGE.count // 3, 15), (LARGE.count, 5)]
    assert [after - before for before, after in pairwise(totals)] == [race.count for race in races]
    for race, (first, *_, last) in zip(races[1:], asked[1:], strict=True):
        assert first == (LARGE.count // 27, len(race.genomes))
        assert len(race.kept) >= 4
        assert last == (LARGE.count, race.sizes[-1]), "the kept ones are remembered, as the window has not moved"
    assert all(sum(e * n for e, n in generation) <= SIZE * LARGE.count for generation in asked)


def test_the_budget_of_events_bounds_a_generation() -> None:
    settings = SearchSettings(SIZE, 0.2, 0.7, tournament_size=3, renewals=0.25)
    most = 3 * LARGE.count
    breeder = Breeder(FAMILIES, settings, 7, admission=Admission(0.5, proposals=4), budget=Budget(SIZE, SIZE, most))
    processed: list[int] = []

    def evaluate(sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        processed[-1] += sample.events * len(genomes)
        return _evaluate(sample, genomes)

    for _ in range(4):
        processed.append(0)
        breeder.breed(LARGE, evaluate)
    assert 0.9 * most < processed[0] <= most
    assert max(processed) <= most
