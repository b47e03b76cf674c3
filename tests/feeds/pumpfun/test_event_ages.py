"""A clock that differs from the chain's and nodes that are late are named: nothing is bought for that reason."""

import pytest

from memesnipe.feeds.pumpfun.event_ages import WINDOW, EventAges
from memesnipe.market.events import NS_PER_S
from memesnipe.testing.live_source import ScriptedSource
from tests.feeds.pumpfun.chain import NOW_NS
from tests.feeds.pumpfun.test_feed import the_feed, trade_frames


@pytest.mark.parametrize(
    ("age_s", "said"),
    [
        (2.5, ""),
        (0.2, ""),
        (4.9, ""),
        (5.2, "events are 5.2 s old when they are read"),
        (-0.5, "blocks are 0.5 s ahead of this machine's clock: set the clock"),
    ],
)
def test_the_age_of_half_of_the_events_decides(age_s: float, said: str) -> None:
    ages = EventAges()
    few = WINDOW // 2 - 1
    for other_s in [*[900.0] * (few // 2), *[-900.0] * (few - few // 2), *[age_s] * (WINDOW - few)]:
        assert ages.warning == ""
        ages.add(int(other_s * NS_PER_S))
    assert ages.warning.startswith(said) and bool(ages.warning) == bool(said)


def test_it_is_said_until_events_are_in_time_again() -> None:
    ages = EventAges()
    for age_s, is_wrong in ((9, True), (2, False), (-2, True), (2, False)):
        for _ in range(WINDOW):
            ages.add(age_s * NS_PER_S)
        assert bool(ages.warning) is is_wrong


@pytest.mark.parametrize(("ahead_s", "said"), [(0, ""), (30, "machine's clock is ahead"), (-9, "set the clock")])
def test_the_feed_warns_of_a_clock_that_is_wrong(ahead_s: int, said: str) -> None:
    feed = the_feed(now_ns=NOW_NS + ahead_s * NS_PER_S, a=ScriptedSource(trade_frames(WINDOW)))
    while feed.counts().get("transactions", 0) < WINDOW:
        feed.poll(512, 0.1)
    warning = feed.statuses()[-1].warning
    feed.close()
    assert said in warning and bool(warning) == bool(said)
