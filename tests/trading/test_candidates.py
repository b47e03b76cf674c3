"""Candidates: rows follow their strategies, weights are given and returned once, and a state continues."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.trade_log import TradeLog
from memesnipe.trading.candidates import Candidates

MAX_LOSS = 1.1
NAMES = st.sampled_from("abcdefgh")


def _trade(candidates: Candidates, spec_id: str, returns: list[float]) -> None:
    row = candidates.row_of[spec_id]
    for value in returns:
        candidates.apply(TradeLog.of([row, row], [7, 7], [True, False], [0.0, value]))


def _with(*spec_ids: str) -> Candidates:
    candidates = Candidates(MAX_LOSS)
    candidates.admit(dict.fromkeys(spec_ids, 1.0))
    return candidates


def test_a_strategy_that_wins_is_accepted_and_one_that_loses_is_not() -> None:
    candidates = _with("good", "bad", "idle")
    _trade(candidates, "good", [0.4] * 100)
    _trade(candidates, "bad", [-0.4] * 60)
    found = candidates.assess(0.01)
    assert found.selection.accepted.tolist() == [True, False, False]
    assert found.trades_needed[0] == 0.0
    assert found.trades_needed[1] == math.inf
    assert found.expected.means[0] > 0.3
    assert found.expected.means[1] < -0.3


def test_with_some_evidence_the_missing_number_of_round_trips_is_finite() -> None:
    candidates = _with("good", "bad")
    _trade(candidates, "good", [0.8, -0.2] * 10)
    _trade(candidates, "bad", [-0.4] * 20)
    found = candidates.assess(0.01)
    assert 1.0 < found.e_values[0] < found.selection.thresholds[0]
    assert 1.0 < found.trades_needed[0] < 500.0


@given(st.lists(st.tuples(st.sampled_from(["admit", "remove", "trade"]), NAMES, st.floats(-1.1, 3.0)), max_size=40))
def test_the_evidence_follows_its_strategy_and_the_weights_stay_within_the_budget(
    actions: list[tuple[str, str, float]],
) -> None:
    candidates = Candidates(MAX_LOSS)
    alone: dict[str, Candidates] = {}
    for action, spec_id, value in actions:
        if action == "admit" and spec_id not in candidates.row_of:
            candidates.admit({spec_id: 1.0})
            alone[spec_id] = _with(spec_id)
        elif action == "remove":
            candidates.remove({spec_id})
            alone.pop(spec_id, None)
        elif action == "trade" and spec_id in alone:
            _trade(candidates, spec_id, [value])
            _trade(alone[spec_id], spec_id, [value])
    e_values = candidates.processes.e_values
    assert {spec_id: e_values[row] for spec_id, row in candidates.row_of.items()} == {
        spec_id: other.processes.e_values[0] for spec_id, other in alone.items()
    }
    assert candidates.spec_ids == list(alone)
    assert (candidates.weights > 0.0).all()
    assert candidates.weights.sum() <= candidates.dump().spent + 1e-9


def test_a_weight_of_one_that_leaves_without_a_trade_goes_to_the_next() -> None:
    candidates = _with("a")
    weight = candidates.weights[0]
    candidates.remove({"a", "unknown"})
    candidates.remove({"a"})
    candidates.admit({"b": 1.0})
    assert candidates.weights[0] == pytest.approx(weight)


def test_one_that_lost_leaves_less_to_the_next() -> None:
    candidates = _with("a")
    weight = candidates.weights[0]
    _trade(candidates, "a", [-1.0] * 5)
    candidates.remove({"a"})
    candidates.admit({"a": 1.0})
    assert candidates.weights[0] < weight
    assert candidates.processes.e_values.tolist() == [1.0]
    assert candidates.processes.closed.tolist() == [0]


def test_a_state_that_is_loaded_continues_as_the_original() -> None:
    original = _with("a", "b")
    _trade(original, "b", [0.3, -0.1])
    copy = Candidates(MAX_LOSS)
    copy.load(original.dump())
    for candidates in (original, copy):
        candidates.remove({"a"})
        candidates.admit({"c": 0.5})
        _trade(candidates, "b", [0.7])
        _trade(candidates, "c", [0.2])
    one, other = original.dump(), copy.dump()
    assert one.spec_ids == other.spec_ids == ["b", "c"]
    assert one.accounts.tobytes() == other.accounts.tobytes()
    assert one.weights.tolist() == other.weights.tolist()
    assert one.spent == other.spent


def test_a_state_with_missing_rows_is_rejected() -> None:
    state = _with("a", "b").dump()
    with pytest.raises(ValueError, match="different numbers"):
        Candidates(MAX_LOSS).load(dataclasses.replace(state, weights=np.zeros(1)))


def test_a_candidate_is_not_admitted_twice() -> None:
    candidates = _with("a")
    with pytest.raises(ValueError, match="a: candidates already"):
        candidates.admit({"b": 1.0, "a": 1.0})
    assert candidates.spec_ids == ["a"]


def test_nothing_is_known_without_candidates() -> None:
    found = Candidates(MAX_LOSS).assess(0.01)
    assert len(found.e_values) == len(found.trades_needed) == len(found.selection.accepted) == 0
