"""Every gate by itself, on the way up and on the way down, and the switches of live trading."""

from dataclasses import fields, replace

import numpy as np
import pytest

from memesnipe.engine.skill import deflated_sharpe_of
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.stats.deflated import deflated_sharpe_ratio, null_variance
from memesnipe.stats.sharpe import sharpe_of
from memesnipe.trading.lifecycle import Gates, Mode, PromotionPolicy, Switches, Track, next_mode, retirement_reason
from memesnipe.trading.live_capital import START_USD, TRADES_A_STEP, LiveCapital
from memesnipe.trading.standing import Standing
from tests.support import result

PAPER = Gates(0.5, 5, 600, 0.3, 0.5, 0, 800.0)
LIVE = Gates(1.0, 50, 86_400, 0.15, 0.95, 20, 400.0)
RULES = PromotionPolicy(PAPER, LIVE, min_expected_return=0.01, drift_fills=5)
ON = Switches(*(True for _ in fields(Switches)))
# On the threshold of probation, and on that of live mode.
GOOD = Track(
    result(sharpe=0.5, max_drawdown=0.3), 600.0, 0.5,
    Standing(False, False, 4000.0, 20_000.0, 0.0101, 0.01, 900.0), StrategyEvidence(2.5, 5, 0.05, 0.1, 0),
)  # fmt: skip
PROVEN = Track(
    result(sharpe=1.0, max_drawdown=0.15), 86_400.0, 0.95,
    Standing(True, True, 4000.0, 4900.0, 0.03, 0.01, 0.0), StrategyEvidence(5000.0, 50, 0.05, 0.1, 0), 20, 400.0,
    is_proven=True,
)  # fmt: skip


def changed(track: Track, **figures: float) -> Track:
    """Return a track with other figures: its own ones, or those of the part that has one of this name."""
    parts = {name: getattr(track, name) for name in ("result", "standing", "evidence")}
    own = {key: figures.pop(key) for key in list(figures) if key in {f.name for f in fields(Track)}}
    for name, part in parts.items():
        known = [key for key in figures if key in {f.name for f in fields(part)}]
        parts[name] = replace(part, **{key: figures.pop(key) for key in known})
    assert not figures, "no part has these"
    return replace(track, **parts, **own)


def test_a_record_at_every_threshold_is_promoted_with_its_figures_as_reason() -> None:
    mode, reason = next_mode(Mode.SIMULATING, GOOD, RULES, ON)
    assert mode is Mode.PAPER
    assert reason == "evidence 2.5 of 4,000, 5 round trips, +1.01% expected of the next"
    mode, reason = next_mode(Mode.PAPER, PROVEN, RULES, ON)
    assert (mode, reason) == (Mode.LIVE, "evidence 5,000 of 4,900, 50 round trips, +3.00% expected of the next")


@pytest.mark.parametrize(
    "failing",
    [
        {"observed_s": 599.9}, {"round_trips": 4}, {"sharpe": 0.49}, {"max_drawdown": 0.301}, {"deflated_sharpe": 0.49},
        {"compared_fills": 1, "parity_error_bps": 801.0}, {"expected": 0.01},
    ],
)  # fmt: skip
def test_one_failed_gate_keeps_a_strategy_simulating(failing: dict[str, float]) -> None:
    assert next_mode(Mode.SIMULATING, changed(GOOD, **failing), RULES, ON) == (Mode.SIMULATING, "")


def test_without_a_round_trip_the_expectation_of_all_others_is_not_enough() -> None:
    rules = replace(RULES, paper=replace(PAPER, min_trades=0))
    assert next_mode(Mode.SIMULATING, changed(GOOD, round_trips=0), rules, ON) == (Mode.SIMULATING, "")
    assert next_mode(Mode.SIMULATING, changed(GOOD, round_trips=1), rules, ON)[0] is Mode.PAPER


def test_a_proven_strategy_is_promoted_whatever_is_expected_of_it() -> None:
    proven = replace(GOOD, standing=replace(GOOD.standing, is_proven=True, expected=0.0))
    assert next_mode(Mode.SIMULATING, proven, RULES, ON)[0] is Mode.PAPER


@pytest.mark.parametrize(
    "failing",
    [
        {"observed_s": 86_399.0}, {"round_trips": 49}, {"sharpe": 0.99}, {"max_drawdown": 0.16},
        {"deflated_sharpe": 0.94}, {"compared_fills": 19}, {"parity_error_bps": 401.0}, {"is_proven_for_live": False},
    ],
)  # fmt: skip
def test_one_failed_gate_keeps_a_strategy_on_paper(failing: dict[str, float]) -> None:
    assert next_mode(Mode.PAPER, changed(PROVEN, **failing), RULES, ON) == (Mode.PAPER, "")


@pytest.mark.parametrize("switch", [f.name for f in fields(Switches)])
def test_one_switch_that_is_off_refuses_live_and_demotes_live_strategies(switch: str) -> None:
    off = replace(ON, **{switch: False})
    assert off.missing()
    assert ON.missing() == ""
    assert next_mode(Mode.PAPER, PROVEN, RULES, off) == (Mode.PAPER, "")
    mode, reason = next_mode(Mode.LIVE, PROVEN, RULES, off)
    assert mode is Mode.PAPER
    assert off.missing() in reason
    assert next_mode(Mode.LIVE, PROVEN, RULES, ON) == (Mode.LIVE, "")


@pytest.mark.parametrize(
    ("fall", "reason"),
    [
        ({"max_drawdown": 0.31}, "drawdown 31"),
        ({"sharpe": -0.01}, "sharpe fell"),
        ({"against": 20.0}, "below half of what was expected (evidence 20)"),
        ({"is_proven": False, "expected": 0.01}, "a round trip is expected to return +1.00%"),
    ],
)
@pytest.mark.parametrize(("mode", "below"), [(Mode.LIVE, Mode.PAPER), (Mode.PAPER, Mode.SIMULATING)])
def test_a_failing_strategy_is_demoted_with_the_reason(
    mode: Mode, below: Mode, fall: dict[str, float], reason: str
) -> None:
    record = changed(PROVEN, **fall)
    assert next_mode(mode, record, RULES, ON)[0] is below
    assert reason in next_mode(mode, record, RULES, ON)[1]


def test_fills_that_drift_demote_from_paper_by_their_error_and_from_live_by_what_is_certain() -> None:
    apart = changed(PROVEN, compared_fills=5, parity_error_bps=801.0)
    assert next_mode(Mode.PAPER, apart, RULES, ON) == (
        Mode.SIMULATING, "its fills are 801 bps from the simulated ones",
    )  # fmt: skip
    assert next_mode(Mode.LIVE, apart, RULES, ON) == (Mode.LIVE, ""), "noise alone"
    for figures, reason in (
        ({"worse_bps": 401.0}, "its live fills are at least 401 bps worse than the simulated ones"),
        ({"missed_z": 3.0}, "its live orders land less often than the simulated ones (3.0 standard deviations)"),
    ):
        assert next_mode(Mode.LIVE, changed(apart, **figures), RULES, ON) == (Mode.PAPER, reason)
        assert next_mode(Mode.LIVE, changed(apart, compared_fills=4, **figures), RULES, ON) == (Mode.LIVE, "")
    assert next_mode(Mode.LIVE, changed(apart, worse_bps=400.0, missed_z=2.9), RULES, ON) == (Mode.LIVE, "")


def test_drift_requires_a_minimum_of_compared_fills() -> None:
    few = changed(GOOD, compared_fills=4, parity_error_bps=5000.0)
    assert next_mode(Mode.PAPER, few, RULES, ON) == (Mode.PAPER, "")


def test_staying_on_paper_requires_less_than_promotion() -> None:
    weaker = changed(GOOD, sharpe=0.1, round_trips=0, observed_s=0.0, deflated_sharpe=0.0, against=19.9)
    assert next_mode(Mode.PAPER, weaker, RULES, ON) == (Mode.PAPER, "")
    assert next_mode(Mode.PAPER, changed(PROVEN, expected=-0.5, sharpe=0.9), RULES, ON) == (Mode.PAPER, "")


def test_a_pinned_strategy_is_demoted_by_drift_only() -> None:
    poor = changed(GOOD, sharpe=-9.0, max_drawdown=1.0, expected=-1.0, against=1e9)
    assert next_mode(Mode.PAPER, poor, RULES, ON, is_pinned=True) == (Mode.PAPER, "")
    drifting = changed(poor, compared_fills=5, parity_error_bps=801.0)
    assert next_mode(Mode.PAPER, drifting, RULES, ON, is_pinned=True)[0] is Mode.SIMULATING


def test_a_retired_strategy_stays_retired() -> None:
    assert next_mode(Mode.RETIRED, PROVEN, RULES, ON) == (Mode.RETIRED, "")


def test_the_deflated_sharpe_falls_with_the_number_of_evaluations() -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.005, 500)
    sharpe = sharpe_of(returns, 60.0)
    record = result(sharpe=sharpe.annualised, periods=500, skewness=sharpe.skewness, kurtosis=sharpe.kurtosis)
    for evaluations in (1, 100, 10_000):
        expected = deflated_sharpe_ratio(sharpe, evaluations, null_variance(500))
        assert deflated_sharpe_of(record, evaluations) == pytest.approx(expected, rel=1e-9)
    few, many = deflated_sharpe_of(record, 100), deflated_sharpe_of(record, 10_000)
    assert deflated_sharpe_of(record, 1) > few > many > 0.5


def test_live_capital_doubles_only_after_a_profit() -> None:
    capital = LiveCapital()
    assert capital.usd == START_USD == 1.0
    for _ in range(TRADES_A_STEP - 1):
        capital.on_trade(5)
    assert capital.usd == 1.0
    capital.on_trade(-1)
    assert (capital.usd, capital.trades, capital.profit_lamports) == (2.0, 0, 0)
    for _ in range(TRADES_A_STEP):
        capital.on_trade(1)
    assert capital.usd == 4.0
    for _ in range(3 * TRADES_A_STEP):
        capital.on_trade(-1)
    assert capital.usd == START_USD


@pytest.mark.parametrize(
    ("bound", "found"),
    [
        (-0.29531, "returns -29.53%"),
        (0.0, "returns 0.00%"),
        (0.00004, "returns less than 0.01%"),
        (-0.00004, "loses less than 0.01%"),
        (0.0001, "returns +0.01%"),
    ],
)
def test_a_retired_strategy_is_told_its_return_without_a_signed_zero(bound: float, found: str) -> None:
    assert retirement_reason(bound) == f"the arena is full, and a round trip of it {found} at best"
