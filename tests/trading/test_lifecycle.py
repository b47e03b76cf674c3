from dataclasses import replace

import pytest

from memesnipe.trading.lifecycle import Gates, Mode, next_mode
from tests.support import result

GATES = Gates(min_sharpe=0.5, min_trades=5, min_observed_s=600, max_drawdown=0.3)
GOOD = result(
    observed_s=600.0, total_pnl_usd=10.0, total_return=0.01, sharpe=0.5, max_drawdown=0.3, orders=12, failed=1,
    trades=5, wins=3, fees_usd=1.0,
)  # fmt: skip


def test_who_just_passes_every_gate_trades_on_paper_and_the_reason_says_why() -> None:
    mode, reason = next_mode(Mode.SIMULATING, GOOD, GATES)
    assert mode is Mode.PAPER
    assert "sharpe 0.50" in reason
    assert "5 trades" in reason


@pytest.mark.parametrize("lacking", [{"observed_s": 599.9}, {"trades": 4}, {"sharpe": 0.49}, {"max_drawdown": 0.301}])
def test_one_gate_that_is_missed_keeps_a_strategy_simulating(lacking: dict[str, float]) -> None:
    assert next_mode(Mode.SIMULATING, replace(GOOD, **lacking), GATES) == (Mode.SIMULATING, "")


@pytest.mark.parametrize(("fall", "says"), [({"max_drawdown": 0.31}, "drawdown 31"), ({"sharpe": -0.01}, "sharpe")])
def test_a_paper_strategy_that_fails_goes_back_and_does_not_return_at_once(fall: dict[str, float], says: str) -> None:
    fallen = replace(GOOD, **fall)
    mode, reason = next_mode(Mode.PAPER, fallen, GATES)
    assert mode is Mode.SIMULATING
    assert says in reason
    assert next_mode(mode, fallen, GATES) == (Mode.SIMULATING, "")


def test_a_paper_strategy_is_given_more_room_than_a_candidate() -> None:
    weaker = replace(GOOD, sharpe=0.1, trades=0, observed_s=0.0)
    assert next_mode(Mode.PAPER, weaker, GATES) == (Mode.PAPER, "")


def test_who_has_retired_stays_so() -> None:
    assert next_mode(Mode.RETIRED, GOOD, GATES) == (Mode.RETIRED, "")
