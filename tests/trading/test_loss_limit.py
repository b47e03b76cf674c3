"""The loss limit: a day costs no more than its bound, and a new day begins anew."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.times import NS_PER_HOUR
from memesnipe.trading.loss_limit import HOURS, EquityDay, LossLimit

START = 10_000_000_000_000  # lamports
LIMIT = LossLimit(0.005, 0.25, 10.0)
MINUTE = NS_PER_HOUR // 60
RETURNS = st.floats(-0.1, 0.3)  # of what is invested, in one minute: a loss is at most 1 / multiple


@given(st.lists(RETURNS, min_size=1, max_size=300))
def test_equity_stays_above_the_floor_whatever_is_invested_within_the_limit(returns: list[float]) -> None:
    day, equity, highest = EquityDay(), START, START
    for minute, change in enumerate(returns):
        day.observe(minute * MINUTE, equity)
        invested = min(day.investable_ratio(equity, LIMIT), 1.0) * equity
        equity += int(invested * change)
        highest = max(highest, equity)
        floor = highest - 0.005 * START - 0.25 * (highest - START)
        assert equity >= floor - 1e-6 * START


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2 * START)), min_size=1, max_size=60))
def test_hours_are_those_of_the_last_day_alone(steps: list[tuple[int, int]]) -> None:
    """A twin keeps every mark."""
    day, marks, ts = EquityDay(), [], 0
    for minutes, equity in steps:
        ts += minutes * MINUTE
        marks.append((ts // NS_PER_HOUR, equity))
        day.observe(ts, equity)
        kept = [one for number, one in marks if number > ts // NS_PER_HOUR - HOURS]
        assert day.hours[0].first == kept[0]
        assert max(hour.highest for hour in day.hours) == max(kept)
        assert len(day.hours) <= HOURS


def test_all_may_be_invested_at_the_highest_equity_and_nothing_at_the_floor() -> None:
    day = EquityDay()
    day.observe(0, START)
    assert day.investable_ratio(START, LIMIT) == 0.05  # ten times half a percent
    assert day.investable_ratio(START * 995 // 1000, LIMIT) == 0.0
    assert day.investable_ratio(START // 2, LIMIT) == 0.0
    assert day.investable_ratio(0, LIMIT) == 0.0
    day.observe(MINUTE, 2 * START)
    assert day.investable_ratio(2 * START, LIMIT) == 10 * (0.005 + 0.25) / 2


def test_a_day_after_a_loss_something_may_be_invested_again() -> None:
    day = EquityDay()
    day.observe(0, START)
    low = START * 99 // 100
    for hour in range(1, HOURS):
        day.observe(hour * NS_PER_HOUR, low)
        assert day.investable_ratio(low, LIMIT) == 0.0
    day.observe(HOURS * NS_PER_HOUR, low)
    assert day.investable_ratio(low, LIMIT) == 0.05


def test_a_day_continues_from_its_json() -> None:
    day = EquityDay()
    for hour in range(30):
        day.observe(hour * NS_PER_HOUR, START + hour)
    assert msgspec.json.decode(msgspec.json.encode(day), type=EquityDay) == day
