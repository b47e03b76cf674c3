"""Detectors: the rule D = max(D, 1)(1 + l y), positions that overlap, and batching."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.betting import BET_SIZES
from memesnipe.stats.e_detector import EDetectors
from memesnipe.stats.trade_log import TradeLog
from tests.stats.trade_logs import MAX_LOSS, STRATEGIES, closed_one_by_one, log_of, part_of, trade_logs

MAX_GAIN = 1.0
REQUIRED = [0.0, 0.1, -0.2, 0.05]


def _after(*logs: TradeLog) -> EDetectors:
    detectors = EDetectors(MAX_GAIN)
    detectors.add(REQUIRED)
    for log in logs:
        detectors.apply(log)
    return detectors


@given(st.integers(0, STRATEGIES - 1), st.lists(st.floats(-MAX_LOSS, 5.0), min_size=1, max_size=60))
def test_without_overlap_the_rule_is_that_of_the_formula(row: int, returns: list[float]) -> None:
    capitals = []
    for share in BET_SIZES:
        capital = 1.0
        for value in returns:
            against = (REQUIRED[row] - min(value, MAX_GAIN)) / (MAX_GAIN - REQUIRED[row])
            capital = max(capital, 1.0) * (1.0 + share * against)
        capitals.append(capital)
    values = _after(closed_one_by_one(row, returns)).values
    assert values[row] == pytest.approx(np.mean(capitals))
    assert (np.delete(values, row) == 1.0).all()


def test_losses_raise_it_and_gains_lower_it_to_a_floor() -> None:
    losing = _after(closed_one_by_one(0, [-0.3] * 60)).values[0]
    assert losing > 500.0
    recovered = _after(closed_one_by_one(0, [-0.3] * 60 + [0.5] * 60)).values[0]
    assert recovered < 1.0
    again = _after(closed_one_by_one(0, [-0.3] * 60 + [0.5] * 60 + [-0.3] * 60)).values[0]
    assert again == pytest.approx(losing)  # earlier gains do not delay it


def test_a_strategy_is_held_to_its_own_mean() -> None:
    detectors = EDetectors(MAX_GAIN)
    detectors.add([0.0, 0.2])
    detectors.apply(closed_one_by_one(0, [0.1] * 100))
    detectors.apply(closed_one_by_one(1, [0.1] * 100))
    assert detectors.values[0] < 1.0
    assert detectors.values[1] > 10.0


def test_a_gain_counts_up_to_the_level_of_clipping() -> None:
    returns = [-0.3] * 20
    large, small = _after(closed_one_by_one(0, [*returns, 1e9])), _after(closed_one_by_one(0, [*returns, MAX_GAIN]))
    assert large.values[0] == small.values[0]
    assert large.dump()["accounts"]["clipped"].tolist() == [0] * STRATEGIES


def test_an_open_position_counts_as_a_lost_bet() -> None:
    opened = _after(log_of([(0, 7, True, math.nan)]))
    assert opened.values[0] == pytest.approx(1.0 - np.mean(BET_SIZES))


@given(trade_logs(), st.lists(st.integers(0, 200), max_size=5))
def test_any_batching_gives_the_same_bits(log: TradeLog, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(log)]
    parts = [part_of(log, slice(*edge)) for edge in pairwise(edges)]
    assert _after(*parts).dump()["accounts"].tobytes() == _after(log).dump()["accounts"].tobytes()


@given(trade_logs())
def test_a_detector_is_never_negative(log: TradeLog) -> None:
    assert (_after(log).values >= 0.0).all()


@given(trade_logs(), st.sets(st.integers(0, STRATEGIES - 1)))
def test_removal_keeps_the_required_means_with_their_rows(log: TradeLog, removed: set[int]) -> None:
    detectors = _after(log)
    before = detectors.dump()
    detectors.remove(removed)
    kept = [row for row in range(STRATEGIES) if row not in removed]
    assert len(detectors) == len(kept)
    assert detectors.dump()["required_means"].tolist() == [REQUIRED[row] for row in kept]
    assert detectors.dump()["accounts"].tobytes() == before["accounts"][kept].tobytes()


@given(trade_logs())
def test_a_state_that_is_loaded_continues_as_the_original(log: TradeLog) -> None:
    middle = len(log) // 2
    original = _after(part_of(log, slice(0, middle)))
    copy = EDetectors(MAX_GAIN)
    copy.load(original.dump())
    for detectors in (original, copy):
        detectors.apply(part_of(log, slice(middle, None)))
        detectors.reset([0])
    assert copy.values.tolist() == original.values.tolist()
    assert copy.values[0] == 1.0


def test_a_required_mean_above_the_level_of_clipping_is_rejected() -> None:
    with pytest.raises(ValueError, match="must be below the largest gain"):
        EDetectors(MAX_GAIN).add([0.0, 1.0])


def test_a_state_with_missing_rows_is_rejected() -> None:
    state = _after().dump()
    with pytest.raises(ValueError, match="different numbers"):
        EDetectors(MAX_GAIN).load({**state, "required_means": state["required_means"][1:]})


def test_a_row_outside_the_set_is_rejected() -> None:
    with pytest.raises(IndexError, match="row 4"):
        _after(log_of([(4, 7, True, 0.0)]))
