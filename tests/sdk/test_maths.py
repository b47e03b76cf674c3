import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.sdk import decay, ema

VALUES = st.floats(-1e12, 1e12)
ELAPSED = st.integers(-(10**9), 10**15)
LOOKBACK = st.floats(0.1, 1e6)


@given(VALUES, VALUES, ELAPSED, LOOKBACK)
def test_ema_stays_between_the_old_mean_and_the_new_value(
    mean: float, value: float, elapsed: int, lookback: float
) -> None:
    slack = 1e-12 * (abs(mean) + abs(value)) + 1e-300
    assert min(mean, value) - slack <= ema(mean, value, elapsed, lookback) <= max(mean, value) + slack


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.floats(1, 1e5))
def test_decay_over_two_intervals_equals_decay_over_their_sum(first: int, second: int, lookback: float) -> None:
    both = decay(first, lookback) * decay(second, lookback)
    assert both == pytest.approx(decay(first + second, lookback), rel=1e-5, abs=1e-6)


def test_decay_is_one_over_e_after_one_lookback_and_one_without_elapsed_time() -> None:
    assert decay(5 * 10**9, 5.0) == pytest.approx(1 / math.e)
    assert decay(0, 5.0) == 1.0
    assert decay(-1, 5.0) == 1.0
    assert ema(3.0, 9.0, 0, 5.0) == 3.0
