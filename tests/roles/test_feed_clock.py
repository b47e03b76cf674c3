"""An event is late by its own time, and everything is while the executor is far behind."""

import numpy as np
import pytest

from memesnipe.market.events import NS_PER_S
from memesnipe.roles.feed_clock import FeedClock

START = 1_700_000_000 * NS_PER_S
NOW_NS = START + 3_600 * NS_PER_S


def _pace(speed: float = 1.0, *, live: bool = False) -> FeedClock:
    made = FeedClock(speed, 5.0, live=live, lockstep=speed == 0.0)
    made.begin(100.0)
    return made


def _times(*seconds: float) -> np.ndarray:
    return np.array([START + int(s * NS_PER_S) for s in seconds], np.int64)


def test_after_a_stall_exactly_the_events_that_are_too_old_are_late() -> None:
    """20 s at 10 events/s come in one batch: those of the last 5 s are fresh, whatever came before them."""
    pace = _pace()
    ts = _times(*(i / 10 for i in range(200)))
    assert pace.due_in_s(int(ts[0]), 100.0) == 0.0
    late = pace.are_late(ts, 120.0, NOW_NS)
    assert late.tolist() == [i / 10 < 15.0 for i in range(200)]


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
def test_what_is_due_at_what_time_follows_the_speed_and_age_is_the_machines(speed: float) -> None:
    pace = _pace(speed)
    pace.due_in_s(START, 100.0)
    [ts] = _times(30.0)
    due_s = 100.0 + 30.0 / speed
    assert pace.due_in_s(int(ts), 100.0) == pytest.approx(30.0 / speed)
    assert not pace.are_late(_times(30.0), due_s + 4.99, NOW_NS).any()
    assert pace.are_late(_times(30.0), due_s + 5.01, NOW_NS).all()


def test_what_is_told_as_it_happens_is_late_by_the_time_of_day_however_late_we_began() -> None:
    pace = _pace(live=True)
    assert pace.due_in_s(START, 100.0) == 0.0
    ages_s = (8_000.0, 6.0, 4.0, -3.0)
    ts = np.array([NOW_NS - int(age * NS_PER_S) for age in ages_s], np.int64)
    assert pace.are_late(ts, 100.0, NOW_NS).tolist() == [True, True, False, False]
    assert pace.are_late(ts, 10_000.0, NOW_NS).tolist() == [True, True, False, False]


@pytest.mark.parametrize("live", [False, True])
def test_everything_is_late_while_the_executor_has_yet_to_see_what_is_old(live: bool) -> None:
    pace = _pace(live=live)
    pace.due_in_s(START, 100.0)
    pace.published(10, 100.0)
    pace.published(20, 103.0)
    fresh = np.array([NOW_NS], np.int64) if live else _times(6.0)
    assert not pace.are_late(fresh, 104.9, NOW_NS).any()
    assert pace.are_late(fresh, 105.1, NOW_NS).all()
    pace.consumed(10)
    assert not pace.are_late(fresh, 105.1, NOW_NS).any()
    assert pace.are_late(fresh, 108.1, NOW_NS).all()
    pace.consumed(25)
    assert not pace.are_late(fresh, 108.1, NOW_NS).any()
    pace.published(30, 103.0)
    pace.begin(200.0)
    assert not pace.are_late(fresh, 201.0, NOW_NS).any(), "nobody waits for what an earlier life published"


def test_in_lockstep_nothing_is_late_and_nothing_piles_up() -> None:
    pace = _pace(0.0)
    pace.published(1, 100.0)
    assert not pace._unread
    assert pace.due_in_s(START + 10**18, 100.0) == 0.0
    assert not pace.are_late(_times(0.0), 10_000.0, NOW_NS).any()


def test_no_events_are_never_late() -> None:
    assert len(_pace().are_late(_times(), 500.0, NOW_NS)) == 0
