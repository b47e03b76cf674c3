"""Betting accounts: never negative, the same in any batching, equal to a plain account, and safe on wrong input."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.layout import MAX_EXPOSURES
from memesnipe.stats.betting import BET_SIZES, BETTING_ACCOUNT, MAX_EQUITY, MAX_OPEN
from memesnipe.stats.e_process import EProcesses
from memesnipe.stats.trade_log import TradeLog
from tests.stats.trade_logs import (
    MAX_LOSS,
    STRATEGIES,
    closed_one_by_one,
    log_of,
    part_of,
    plain_e_values,
    trade_logs,
)


def _fresh(count: int = STRATEGIES) -> EProcesses:
    processes = EProcesses(MAX_LOSS)
    processes.add(count)
    return processes


def _after(*logs: TradeLog) -> EProcesses:
    processes = _fresh()
    for log in logs:
        processes.apply(log)
    return processes


def test_a_strategy_has_room_for_all_exposures_of_the_engine() -> None:
    assert MAX_OPEN == MAX_EXPOSURES


@given(trade_logs())
def test_the_value_is_not_negative_at_any_time_even_if_all_open_positions_are_lost(log: TradeLog) -> None:
    processes = _fresh()
    for entry in range(len(log)):
        processes.apply(part_of(log, slice(entry, entry + 1)))
        assert (processes.accounts["cash"] >= 0.0).all()
        assert (processes.accounts["at_risk"] >= 0.0).all()
    lost = [
        (row, int(account["tokens"][position]), False, -MAX_LOSS)
        for row, account in enumerate(processes.accounts.copy())
        for position in range(account["open"])
    ]
    before = processes.e_values
    processes.apply(log_of(lost))
    assert processes.e_values.tolist() == before.tolist()  # the evidence counts them as lost already


@given(trade_logs(), st.lists(st.integers(0, 200), max_size=5))
def test_any_batching_gives_the_same_bits(log: TradeLog, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(log)]
    parts = [part_of(log, slice(*edge)) for edge in pairwise(edges)]
    assert _after(*parts).dump().tobytes() == _after(log).dump().tobytes()


@given(trade_logs())
def test_the_order_of_different_strategies_is_irrelevant(log: TradeLog) -> None:
    order = np.argsort(log.rows, kind="stable")
    by_strategy = TradeLog.of(log.rows[order], log.tokens[order], log.is_opening[order], log.returns[order])
    assert _after(by_strategy).dump().tobytes() == _after(log).dump().tobytes()


@given(trade_logs())
def test_the_evidence_is_that_of_plain_accounts(log: TradeLog) -> None:
    assert _after(log).e_values == pytest.approx(plain_e_values(log), rel=1e-9, abs=1e-12)


@given(trade_logs())
def test_statistics_are_those_of_the_closed_round_trips(log: TradeLog) -> None:
    processes = _after(log)
    for row in range(STRATEGIES):
        returns = log.returns[(log.rows == row) & ~log.is_opening]
        assert processes.closed[row] == len(returns)
        assert processes.means[row] == pytest.approx(np.mean(returns) if len(returns) else 0.0)
        expected = np.var(returns, ddof=1) if len(returns) > 1 else 0.0
        assert processes.variances[row] == pytest.approx(expected, abs=1e-12)


def test_without_overlap_an_account_multiplies_its_growth() -> None:
    returns = [0.5, -1.1, 0.2, 4.0]
    processes = _after(closed_one_by_one(2, returns))
    growth = [math.prod(1.0 + share * value / MAX_LOSS for value in returns) for share in BET_SIZES]
    assert processes.e_values.tolist() == pytest.approx([1.0, 1.0, sum(growth) / len(growth), 1.0])


def test_an_open_position_counts_as_lost_until_its_closing() -> None:
    processes = _after(log_of([(0, 7, True, math.nan)]))
    assert processes.e_values[0] == pytest.approx(1.0 - np.mean(BET_SIZES))
    processes.apply(log_of([(0, 7, False, 0.0)]))
    assert processes.e_values[0] == pytest.approx(1.0)


def test_the_stake_is_fixed_at_the_opening() -> None:
    """A gain of another position in between does not enlarge it."""
    alone = _after(log_of([(0, 1, True, 0), (0, 1, False, 1.0)]))
    between = _after(log_of([(0, 1, True, 0), (0, 2, True, 0), (0, 2, False, 9.0), (0, 1, False, 1.0)]))
    first = alone.accounts["cash"][0] - 1.0
    second = between.accounts["cash"][0] - 1.0
    risked = np.minimum(BET_SIZES, 1.0 - np.array(BET_SIZES))  # of the second position
    assert second - risked * 9.0 / MAX_LOSS == pytest.approx(first)


def test_a_loss_beyond_the_bound_is_clipped_and_counted() -> None:
    processes = _after(closed_one_by_one(0, [-5.0]), closed_one_by_one(1, [-MAX_LOSS]))
    assert processes.accounts["clipped"].tolist() == [1, 0, 0, 0]
    assert processes.e_values[0] == processes.e_values[1]
    assert processes.means[0] == -5.0  # as it was


def test_closings_without_an_opening_are_no_evidence() -> None:
    processes = _after(log_of([(0, 7, True, 0)]))
    processes.reset([0])
    processes.apply(log_of([(0, 7, False, 9.0)]))
    assert processes.e_values[0] == 1.0
    assert processes.closed[0] == 0
    assert processes.accounts["unmatched"][0] == 1


def test_a_rich_account_neither_overflows_nor_bets_on() -> None:
    processes = _after(closed_one_by_one(0, [1e300] * 40))
    evidence = processes.e_values[0]
    assert MAX_EQUITY < evidence < math.inf
    processes.apply(closed_one_by_one(0, [-MAX_LOSS]))
    assert processes.e_values[0] == evidence


def test_an_opening_of_an_open_token_is_rejected_after_the_entries_before_it() -> None:
    processes = _fresh()
    with pytest.raises(ValueError, match="entry 2 opens token 7 for strategy 1, which has that position already"):
        processes.apply(log_of([(1, 7, True, 0), (0, 7, True, 0), (1, 7, True, 0), (1, 7, False, 9.0)]))
    assert processes.accounts["open"].tolist() == [1, 1, 0, 0]


def test_a_seventeenth_position_is_rejected() -> None:
    processes = _fresh()
    with pytest.raises(ValueError, match="which has 16 open positions"):
        processes.apply(log_of([(0, token, True, 0) for token in range(MAX_OPEN + 1)]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_closing_without_a_finite_return_is_rejected(value: float) -> None:
    with pytest.raises(ValueError, match="return of entry 1"):
        log_of([(0, 7, True, math.nan), (0, 7, False, value)])


def test_a_row_outside_the_set_is_rejected() -> None:
    with pytest.raises(IndexError, match="row 4"):
        _fresh().apply(log_of([(4, 7, True, 0)]))
    with pytest.raises(ValueError, match="row -1"):
        log_of([(-1, 7, True, 0)])


def test_columns_of_different_lengths_are_rejected() -> None:
    with pytest.raises(ValueError, match="columns"):
        TradeLog.of([0, 0], [1], [True], [0.0])


@pytest.mark.parametrize("max_loss", [0.0, -1.0, math.inf, math.nan])
def test_the_bound_of_a_loss_must_be_positive(max_loss: float) -> None:
    with pytest.raises(ValueError, match="largest loss"):
        EProcesses(max_loss)


@given(trade_logs(), trade_logs(), st.sets(st.integers(0, STRATEGIES - 1)))
def test_removed_rows_leave_no_gaps_and_added_rows_start_without_evidence(
    log: TradeLog, later: TradeLog, removed: set[int]
) -> None:
    processes = _after(log)
    before = processes.dump()
    processes.remove(removed)
    kept = [row for row in range(STRATEGIES) if row not in removed]
    assert processes.dump().tobytes() == before[kept].tobytes()
    added = processes.add(STRATEGIES - len(kept))
    assert list(added) == list(range(len(kept), STRATEGIES))
    assert processes.dump()[added.start :].tobytes() == _fresh(len(added)).dump().tobytes()


@given(trade_logs(), st.sets(st.integers(0, STRATEGIES - 1)))
def test_a_state_that_is_loaded_continues_as_the_original(log: TradeLog, reset: set[int]) -> None:
    middle = len(log) // 2
    original = _after(part_of(log, slice(0, middle)))
    copy = EProcesses(MAX_LOSS)
    copy.load(original.dump())
    for processes in (original, copy):
        processes.apply(part_of(log, slice(middle, None)))
        processes.reset(reset)
    assert copy.dump().tobytes() == original.dump().tobytes()
    assert (copy.e_values[list(reset)] == 1.0).all()


def test_a_dump_does_not_change_with_the_original() -> None:
    processes = _fresh()
    dump = processes.dump()
    processes.apply(closed_one_by_one(0, [1.0]))
    assert dump["closed"].tolist() == [0, 0, 0, 0]


def test_a_state_of_another_layout_is_rejected() -> None:
    with pytest.raises(ValueError, match="not one of `dump`"):
        EProcesses(MAX_LOSS).load(np.zeros((2, 2), BETTING_ACCOUNT))
    with pytest.raises(ValueError, match="not one of `dump`"):
        EProcesses(MAX_LOSS).load(np.zeros(2))
