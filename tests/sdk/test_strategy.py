import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.errors import StrategyError
from memesnipe.sdk import HOLD, PRICE, Param, Strategy, param, state


@st.composite
def params(draw: st.DrawFn) -> Param:
    log = draw(st.booleans())
    low = draw(st.one_of(st.integers(1, 1000), st.floats(1e-4, 1e3)))
    high = low + draw(st.one_of(st.integers(1, 10_000), st.floats(1e-3, 1e4)))
    return Param(low, high, low, log, "")


@given(params(), st.floats(0, 1))
def test_share_inverts_at_and_at_returns_a_float_in_range(declared: Param, share: float) -> None:
    value = declared.at(share)
    assert type(value) is float
    assert declared.low <= value <= declared.high
    assert declared.share(value) == pytest.approx(share, abs=1e-6)


@given(params(), st.floats(allow_nan=False))
def test_clip_returns_the_nearest_value_in_range_as_a_float(declared: Param, value: float) -> None:
    clipped = declared.clip(value)
    assert type(clipped) is float
    assert declared.low <= clipped <= declared.high
    assert clipped == value or not declared.low <= value <= declared.high
    assert 0 <= declared.share(value) <= 1


def test_range_limits_survive_json() -> None:
    declared = Param(30, 900, 300, True, "s")
    assert orjson.dumps(declared.at(1.0)) == b"900.0"
    assert declared.at(0.5) == pytest.approx(math.sqrt(30 * 900))


@pytest.mark.parametrize(
    ("low", "high", "default", "log"), [(1, 1, 1, False), (2, 1, 1, False), (0, 1, 2, False), (0, 1, 1, True)]
)
def test_an_empty_range_is_rejected(low: float, high: float, default: float, log: bool) -> None:
    with pytest.raises(StrategyError, match="low <= default <= high"):
        param(low, high, default=default, log=log)


def test_state_fields_are_floats_or_integers() -> None:
    with pytest.raises(StrategyError, match="'f8' and 'i8'"):
        state("f4")


class Sample(Strategy):
    subscriptions = (PRICE,)
    width = param(1, 5, default=2)
    height = param(0.5, 5.0, default=0.5)
    mean = state()
    last_ts = state("i8")

    def on_event(p, s, e):
        return HOLD


def test_declarations_are_collected_in_order() -> None:
    assert list(Sample.params) == ["width", "height"]
    assert list(Sample.state_fields) == ["mean", "last_ts"]


def test_parameters_default_and_are_clipped_to_their_range() -> None:
    made = Sample.make_params({"width": 99.0})
    assert (made.width, made.height) == (5.0, 0.5)


def test_state_starts_at_zero_with_the_declared_types() -> None:
    assert [type(value) for value in vars(Sample.make_state()).values()] == [float, int]
    assert Sample.state_dtype().names == ("incarnation_", "vote_", "voted_", "mean", "last_ts")
    assert [Sample.state_dtype()[name].str[1:] for name in ("mean", "last_ts")] == ["f8", "i8"]
    assert Sample.param_dtype().names == ("width", "height")


def test_a_strategy_without_on_event_is_rejected() -> None:
    with pytest.raises(StrategyError, match="no on_event"):
        type("WithoutOnEvent", (Strategy,), {"subscriptions": (PRICE,)})


def test_a_strategy_without_subscriptions_is_rejected() -> None:
    with pytest.raises(StrategyError, match="subscriptions is empty"):
        type("WithoutSubscriptions", (Strategy,), {})
