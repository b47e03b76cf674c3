import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.trading.breaker import Breaker, RiskLevel, size_multiplier


@pytest.mark.parametrize(
    ("equity", "level", "size"),
    [
        (10_000, RiskLevel.NORMAL, 1.0),
        (9_501, RiskLevel.NORMAL, 1.0),
        (9_500, RiskLevel.WARNING, 0.5),
        (9_001, RiskLevel.WARNING, 0.5),
        (9_000, RiskLevel.CRITICAL, 0.0),
        (8_501, RiskLevel.CRITICAL, 0.0),
        (8_500, RiskLevel.EMERGENCY, 0.0),
        (0, RiskLevel.EMERGENCY, 0.0),
    ],
)
def test_the_level_follows_the_drawdown_and_the_size_follows_the_level(
    equity: int, level: RiskLevel, size: float
) -> None:
    breaker = Breaker()
    breaker.observe(10_000)
    assert breaker.observe(equity) is (level is not RiskLevel.NORMAL)
    assert breaker.level is level
    assert breaker.drawdown == pytest.approx(1 - equity / 10_000)
    assert size_multiplier(level) == size


@given(st.integers(1, 10**15), st.sampled_from([(5, RiskLevel.WARNING), (10, RiskLevel.CRITICAL)]))
def test_each_level_begins_exactly_at_its_percentage_for_any_peak(hundredth: int, at: tuple[int, RiskLevel]) -> None:
    percent, level = at
    breaker = Breaker()
    breaker.observe(100 * hundredth)
    breaker.observe((100 - percent) * hundredth)
    assert breaker.level is level


def test_levels_below_emergency_follow_equity_and_only_changes_are_returned() -> None:
    breaker = Breaker()
    changes = [breaker.observe(equity) for equity in (1000, 960, 940, 930, 890, 940, 960, 1100, 1040)]
    assert changes == [False, False, True, False, True, True, True, False, True]
    assert breaker.peak_lamports == 1100


def test_emergency_holds_for_any_equity_and_after_a_restart() -> None:
    breaker = Breaker()
    for equity in (1000, 840):
        breaker.observe(equity)
    adapter = TypeAdapter(Breaker)
    again = adapter.validate_json(adapter.dump_json(breaker))
    assert again == breaker
    assert not any(again.observe(equity) for equity in (1000, 2000, 10))
    assert again.level is RiskLevel.EMERGENCY
    assert again.drawdown == pytest.approx(0.995)


def test_there_is_no_drawdown_before_there_is_capital() -> None:
    breaker = Breaker()
    assert not breaker.observe(0)
    assert (breaker.drawdown, breaker.level) == (0.0, RiskLevel.NORMAL)
