"""An event is late by its own time; all events are late while the executor is far behind."""

import numpy as np
import pytest

from memesnipe.market.events import NS_PER_S
from memesnipe.roles.feed_clock import FeedClock

START = 1_700_000_000 * NS_PER_S
NOW_NS = START + 3_600 * NS_PER_S


def _clock(speed: float = 1.0, *, live: bool = False) -> FeedClock:
    made = FeedClock(speed, 5.0, live=live, lockstep=speed == 0.0)
    made.begin(100.0)
    return made


def _times(*seconds: float) -> np.ndarray:
    return np.array([START + int(s * NS_PER_S) for s in seconds], np.int64)


def test_after_a_stall_only_old_events_are_late() -> None:
    """20 s at 10 events/s come in one batch: those of the last 5 s are fresh, whatever came before them."""
    clock = _clock()
    ts = _times(*(i / 10 for i in range(200)))
    assert clock.due_in_s(int(ts[0]), 100.0) == 0.0
    late = clock.are_late(ts, 120.0, NOW_NS)
    assert late.tolist() == [i / 10 < 15.0 for i in range(200)]


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
def test_due_times_follow_the_speed_and_ages_the_machine_clock(speed: float) -> None:
    clock = _clock(speed)
    clock.due_in_s(START, 100.0)
    [ts] = _times(30.0)
    due_s = 100.0 + 30.0 / speed
    assert clock.due_in_s(int(ts), 100.0) == pytest.approx(30.0 / speed)
    assert not clock.are_late(_times(30.0), due_s + 4.99, NOW_NS).any()
    assert clock.are_late(_times(30.0), due_s + 5.01, NOW_NS).all()


def test_live_events_are_late_by_the_time_of_day() -> None:
    clock = _clock(live=True)
    assert clock.due_in_s(START, 100.0) == 0.0
    ages_s = (8_000.0, 6.0, 4.0, -3.0)
    ts = np.array([NOW_NS - int(age * NS_PER_S) for age in ages_s], np.int64)
    assert clock.are_late(ts, 100.0, NOW_NS).tolist() == [True, True, False, False]
    assert clock.are_late(ts, 10_000.0, NOW_NS).tolist() == [True, True, False, False]


@pytest.mark.parametrize("live", [False, True])
def test_all_events_are_late_while_old_ones_are_unread(live: bool) -> None:
    clock = _clock(live=live)
    clock.due_in_s(START, 100.0)
    clock.published(10, 100.0)
    clock.published(20, 103.0)
    fresh = np.array([NOW_NS], np.int64) if live else _times(6.0)
    assert not clock.are_late(fresh, 104.9, NOW_NS).any()
    assert clock.are_late(fresh, 105.1, NOW_NS).all()
    clock.consumed(10)
    assert not clock.are_late(fresh, 105.1, NOW_NS).any()
    assert clock.are_late(fresh, 108.1, NOW_NS).all()
    clock.consumed(25)
    assert not clock.are_late(fresh, 108.1, NOW_NS).any()
    clock.published(30, 103.0)
    clock.begin(200.0)
    assert not clock.are_late(fresh, 201.0, NOW_NS).any(), "events of an earlier process are not waited for"


def test_in_lockstep_no_event_is_late_or_queued() -> None:
    clock = _clock(0.0)
    clock.published(1, 100.0)
    assert not clock._unread
    assert clock.due_in_s(START + 10**18, 100.0) == 0.0
    assert not clock.are_late(_times(0.0), 10_000.0, NOW_NS).any()


def test_an_empty_batch_is_not_late() -> None:
    assert len(_clock().are_late(_times(), 500.0, NOW_NS)) == 0
