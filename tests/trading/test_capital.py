"""Capital follows evidence: probation, proof, demotion by the desk's own results, and weights that last."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.strategy_evidence import NO_EVIDENCE, StrategyEvidence
from memesnipe.protocol.messages import RoundTripSeen
from memesnipe.stats.betting import MAX_OPEN
from memesnipe.trading.demotion import Detectors
from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.portfolio import Portfolio
from memesnipe.trading.portfolio_state import PortfolioState
from tests.trading.portfolios import (
    ANY_LOSS,
    CAPS,
    EQUITY,
    GAINS,
    GOOD,
    LOSES,
    POOR,
    RULES,
    portfolio_of,
    results_of,
    round_trips_of,
    spec_of,
    steps_of,
)

PROVES = replace(GAINS, e_value=1e6)


def _returning(mean: float, round_trips: int = 900) -> StrategyEvidence:
    return StrategyEvidence(1.0, round_trips, mean, 0.01, 0)


def _on_paper(portfolio: Portfolio) -> list[str]:
    return [spec_id for spec_id, managed in portfolio.state.strategies.items() if managed.mode is Mode.PAPER]


def _decided(portfolio: Portfolio, seq: int, **evidence: StrategyEvidence) -> Portfolio:
    """Decide at an event with these results."""
    portfolio.on_results(results_of(dict.fromkeys(evidence, GOOD), **evidence))
    portfolio.decide(seq, EQUITY)
    return portfolio


def test_places_on_probation_are_bounded_and_go_to_the_best() -> None:
    means = {"a": 0.01, "b": 0.04, "c": 0.02, "d": 0.05, "e": -0.01}
    portfolio = portfolio_of(*means, arena_size=9, caps=replace(CAPS, probation_strategies=2))
    portfolio.decide(5, EQUITY)
    evidence = {spec_id: _returning(mean) for spec_id, mean in means.items()}
    assert _on_paper(_decided(portfolio, 6, **evidence)) == ["b", "d"]
    assert _on_paper(_decided(portfolio, 7, **evidence)) == ["b", "d"], "no place is free"
    evidence["b"] = _returning(-0.01)
    assert _on_paper(_decided(portfolio, 8, **evidence)) == ["c", "d"], "the place of b is free"


def test_merit_is_the_expected_return_relative_to_its_deviation() -> None:
    portfolio = portfolio_of("a", "b", "c", arena_size=9, caps=replace(CAPS, probation_strategies=1))
    portfolio.decide(5, EQUITY)
    evidence = {"a": _returning(0.051, 20), "b": _returning(0.05, 5000), "c": _returning(0.0, 5000)}
    assert _on_paper(_decided(portfolio, 6, **evidence)) == ["b"]


def test_a_proven_strategy_needs_no_place_and_gives_its_place_back() -> None:
    portfolio = portfolio_of("a", "b", "c", arena_size=9, caps=replace(CAPS, probation_strategies=1))
    portfolio.decide(5, EQUITY)
    evidence = {"a": _returning(0.05), "b": _returning(0.04), "c": _returning(0.03)}
    assert _on_paper(_decided(portfolio, 6, **evidence)) == ["a"]
    evidence["a"] = PROVES
    assert _on_paper(_decided(portfolio, 7, **evidence)) == ["a", "b"]
    evidence["c"] = replace(PROVES, mean=0.03)
    assert _on_paper(_decided(portfolio, 8, **evidence)) == ["a", "b", "c"]


def test_capital_is_that_of_half_kelly_stakes_within_the_caps_with_proof_and_without() -> None:
    portfolio = portfolio_of("a", "b", "c", arena_size=9, caps=ANY_LOSS)
    portfolio.decide(5, EQUITY)
    a, b, c = portfolio.state.strategies.values()
    evidence = {"a": StrategyEvidence(1.0, 5000, 0.05, 3.0, 0), "b": StrategyEvidence(1.0, 5000, 0.5, 0.5, 0)}
    evidence["c"] = StrategyEvidence(1.0, 5, 0.05, 0.5, 0)
    _decided(portfolio, 6, **evidence)
    bound = a.standing.expected - a.standing.deviation
    stake = 0.5 * bound / (3.0 + a.standing.expected**2)
    # Variances are moved towards each other.
    assert a.allocation_usd * a.size == pytest.approx(1000.0 * stake, rel=0.05)
    assert (a.is_proven, b.is_proven, c.is_proven) == (False, False, False)
    assert 5.0 < a.allocation_usd < 100.0
    assert b.allocation_usd == 100.0, "the cap"
    assert c.allocation_usd == 5.0, "too little is known about it"


def test_proof_ends_where_the_evidence_ends_and_the_strategy_needs_a_place_again() -> None:
    portfolio = portfolio_of("a", "b", arena_size=9, caps=replace(CAPS, probation_strategies=1))
    portfolio.decide(5, EQUITY)
    a, b = portfolio.state.strategies.values()
    _decided(portfolio, 6, a=PROVES, b=_returning(0.03))
    assert (a.is_proven, a.allocation_usd, b.allocation_usd) == (True, 0.0, 5.0), "nothing is investable"
    _decided(portfolio, 7, a=_returning(0.05), b=_returning(0.03))
    assert (a.is_proven, a.mode, b.mode) == (False, Mode.PAPER, Mode.PAPER)
    assert (a.allocation_usd, b.allocation_usd) == (5.0, 0.0), "the place is that of the better one"


def test_a_clearly_better_strategy_takes_the_place_of_the_weakest_after_its_observation() -> None:
    portfolio = portfolio_of("a", "b", arena_size=9, caps=replace(CAPS, probation_strategies=1))
    portfolio.decide(5, EQUITY)
    _decided(portfolio, 6, a=_returning(0.02))
    evidence = {"a": _returning(0.02), "b": _returning(0.03)}
    assert _on_paper(_decided(portfolio, 7, **evidence)) == ["a"], "it has just got its place"
    later = replace(GOOD, observed_s=GOOD.observed_s + 600.0)
    portfolio.on_results(results_of({"a": later, "b": later}, **evidence))
    decision = portfolio.decide(8, EQUITY)
    assert steps_of(decision) == [("a", "paper", "simulating"), ("b", "simulating", "paper")]
    assert decision.transitions[0].reason == "b, of which more is expected, takes its place on probation"
    assert decision.restarted == ["a"]
    assert decision.allocations_usd == {"b": 5.0}


def test_a_slightly_better_strategy_takes_no_place() -> None:
    portfolio = portfolio_of("a", "b", arena_size=9, caps=replace(CAPS, probation_strategies=1))
    portfolio.decide(5, EQUITY)
    _decided(portfolio, 6, a=_returning(0.02, 50))
    later = replace(GOOD, observed_s=GOOD.observed_s + 600.0)
    portfolio.on_results(results_of({"a": later, "b": later}, a=_returning(0.02, 50), b=_returning(0.021, 50)))
    assert portfolio.decide(7, EQUITY).transitions == []


def test_the_evidence_needed_grows_with_the_strategies_admitted() -> None:
    first, late = portfolio_of("a", arena_size=9), portfolio_of(*(f"x{i}" for i in range(500)), "a", arena_size=999)
    for portfolio in (first, late):
        portfolio.decide(5, EQUITY)
    thresholds = [portfolio.state.strategies["a"].standing.threshold for portfolio in (first, late)]
    assert thresholds[0] == pytest.approx(1.0 / (0.05 * first.state.strategies["a"].weight))
    assert thresholds[1] > thresholds[0] > 1.0 / 0.05


def test_falling_returns_of_the_desk_demote_a_strategy_that_the_simulation_still_likes() -> None:
    portfolio = portfolio_of("a", arena_size=9, caps=ANY_LOSS)
    portfolio.decide(5, EQUITY)
    _decided(portfolio, 6, a=PROVES)
    portfolio.on_results(round_trips_of("a", *[0.2, 0.05] * 20))
    _decided(portfolio, 7, a=PROVES)
    assert portfolio.state.strategies["a"].is_proven
    portfolio.on_results(round_trips_of("a", *[-0.2, -0.1] * 40))
    portfolio.on_results(results_of({"a": GOOD}, a=PROVES))
    decision = portfolio.decide(8, EQUITY)
    assert steps_of(decision) == [("a", "paper", "simulating")]
    assert decision.transitions[0].reason.startswith("its profit has fallen below half of what was expected")
    assert (decision.released, decision.restarted) == (["a"], ["a"])
    assert not portfolio.state.strategies["a"].is_proven


def test_after_a_demotion_results_with_earlier_evidence_are_ignored() -> None:
    portfolio = portfolio_of("a", arena_size=9)
    portfolio.decide(5, EQUITY)
    _decided(portfolio, 6, a=PROVES)
    portfolio.on_command(7, "demote", "a", "")
    managed = portfolio.state.strategies["a"]
    assert managed.evidence == replace(NO_EVIDENCE, restarts=1)
    _decided(portfolio, 8, a=PROVES)
    assert managed.evidence == replace(NO_EVIDENCE, restarts=1)
    assert not managed.standing.is_proven
    fresh = replace(GAINS, restarts=1)
    _decided(portfolio, 9, a=fresh)
    assert managed.evidence == fresh


def test_a_strategy_promoted_and_demoted_between_two_decisions_starts_again_in_the_arena_too() -> None:
    portfolio = portfolio_of("a", arena_size=9)
    portfolio.decide(5, EQUITY)
    for name in ("promote", "demote", "promote", "demote"):
        portfolio.on_command(6, name, "a", "")
    decision = portfolio.decide(7, EQUITY)
    assert decision.restarted == ["a", "a"], "as often as the portfolio counts"
    assert portfolio.state.strategies["a"].restarts == 2
    assert portfolio.decide(8, EQUITY).restarted == []


def test_a_demotion_costs_the_old_weight_and_gives_a_later_one() -> None:
    portfolio = portfolio_of("a", "b", arena_size=9)
    portfolio.decide(5, EQUITY)
    state = portfolio.state
    weight, spent = state.strategies["a"].weight, state.budget.spent
    _decided(portfolio, 6, a=PROVES)
    portfolio.on_command(7, "demote", "a", "")
    again = state.strategies["a"].weight
    assert 0.0 < again <= weight
    assert state.budget.spent == pytest.approx(spent - weight + again), "with evidence above 1 the whole weight returns"
    _decided(portfolio, 8, b=replace(LOSES, e_value=0.25))
    portfolio.on_command(9, "promote", "b", "")
    before, weight = state.budget.spent, state.strategies["b"].weight
    portfolio.on_command(10, "demote", "b", "")
    assert state.budget.spent == pytest.approx(before - weight / 4 + state.strategies["b"].weight)


def test_those_with_the_lowest_upper_bound_retire_by_the_evidence_of_the_same_event() -> None:
    portfolio = portfolio_of("a", "b", "c", arena_size=9)
    portfolio.decide(5, EQUITY)
    # The mean of b is lower than that of a, but little is known about it.
    evidence = {"a": _returning(-0.05, 9000), "b": _returning(-0.06, 4), "c": _returning(-0.01, 9000)}
    _decided(portfolio, 6, **dict.fromkeys("abc", _returning(-0.02)))
    full = portfolio_of(arena_size=2)
    full.state = portfolio.state
    full.on_results(results_of(dict.fromkeys(evidence, POOR), **evidence))
    assert full.decide(7, EQUITY).removed == ["a"]
    assert full.state.retired == {"a"}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 30)),
        st.tuples(st.just("results"), st.integers(0, 2**32)),
        st.tuples(st.sampled_from(["promote", "demote", "return"]), st.integers(0, 30)),
        st.tuples(st.just("decide"), st.integers(0, 0)),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS)
def test_all_weights_together_never_exceed_what_is_spent(steps: list[tuple[str, int]]) -> None:
    portfolio = portfolio_of(arena_size=5, rules=replace(RULES, min_expected_return=-1.0))
    for seq, (name, number) in enumerate(steps, start=10):
        spec_id, state = f"{number:x}", portfolio.state
        if name == "join":
            portfolio.on_spec(spec_of(spec_id))
        elif name == "results":
            _some_results(portfolio, number)
        elif name == "return" and spec_id in state.retired:
            portfolio.on_return(spec_id, 1, spec_of(spec_id).genome, "again")
        elif name in ("promote", "demote"):
            portfolio.on_command(seq, name, spec_id, "")
        else:
            _check_allocations(portfolio, seq)
        _check_weights(portfolio.state)


def _some_results(portfolio: Portfolio, seed: int) -> None:
    """Give all strategies results whose evidence follows from a seed."""
    found = {}
    for spec_id, managed in portfolio.state.strategies.items():
        seed = (seed * 1103515245 + 12345) % 2**31
        e_value = math.exp(seed % 40 - 20)
        found[spec_id] = StrategyEvidence(e_value, seed % 50, seed % 7 / 10 - 0.3, 0.1, managed.restarts)
    portfolio.on_results(results_of(dict.fromkeys(found, GOOD), **found))


def _check_allocations(portfolio: Portfolio, seq: int) -> None:
    decision = portfolio.decide(seq, EQUITY)
    assert sum(decision.allocations_usd.values()) <= 800.0
    assert max(decision.allocations_usd.values(), default=0.0) <= 100.0


def _check_weights(state: PortfolioState) -> None:
    weights = [managed.weight for managed in state.strategies.values()]
    assert all(weight > 0.0 for weight in weights)
    assert sum(weights) <= state.budget.spent + 1e-12
    assert state.budget.spent <= 1.0


def test_a_detector_ignores_openings_beyond_the_places_of_its_account() -> None:
    detectors = Detectors()
    detectors.start("a", 0.1)
    opened = [RoundTripSeen("a", position, None) for position in (*range(MAX_OPEN + 4), 3)]
    detectors.apply(opened)
    detectors.apply([RoundTripSeen("a", position, -1.0) for position in range(MAX_OPEN + 4)])
    few = Detectors()
    few.start("a", 0.1)
    few.apply(opened[:MAX_OPEN])
    few.apply([RoundTripSeen("a", position, -1.0) for position in range(MAX_OPEN)])
    assert detectors.value_of("a") == few.value_of("a") > 1.0


@pytest.mark.parametrize("others", [(), ("b", "c")])
def test_detectors_continue_from_their_state_whoever_stops(others: tuple[str, ...]) -> None:
    detectors = Detectors()
    for spec_id in ("b", "a", "c"):
        detectors.start(spec_id, 0.1)
    losses = round_trips_of("a", -0.2, 0.3, -0.5).round_trips
    detectors.apply(losses)
    again = Detectors()
    again.load(detectors.dump())
    for spec_id in others:
        again.stop(spec_id)
    for one in (detectors, again):
        one.apply(losses)
    assert again.value_of("a") == detectors.value_of("a") > 1.0
    again.start("a", 0.1)
    assert again.value_of("a") == 1.0
