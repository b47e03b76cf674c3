from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from memesnipe.trading.lifecycle import Gates, Mode
from memesnipe.trading.portfolio import Decision, Portfolio, PortfolioState
from tests.support import result

GATES = Gates(min_sharpe=0.5, min_trades=5, min_observed_s=600, max_drawdown=0.3)
GOOD = result(
    spec_id="", observed_s=900.0, total_pnl_usd=10.0, total_return=0.01, sharpe=2.0, max_drawdown=0.1, orders=12,
    failed=1, trades=9, wins=5, fees_usd=1.0,
)  # fmt: skip
POOR = replace(GOOD, sharpe=-1.0, total_return=-0.05)


def _spec(spec_id: str) -> dict[str, Any]:
    return {"spec_id": spec_id, "genome": {"name": spec_id}, "generation": 3}


def _portfolio(*specs: str, arena_size: int = 3) -> Portfolio:
    portfolio = Portfolio(GATES, arena_size=arena_size)
    for spec in specs:
        portfolio.on_spec(_spec(spec))
    return portfolio


def _steps(decision: Decision) -> list[tuple[str, str, str]]:
    return [(t.spec_id, t.from_mode, t.to_mode) for t in decision.transitions]


def test_a_new_strategy_joins_the_arena_at_the_next_decision_and_once() -> None:
    portfolio = _portfolio("a", "b", "a")
    first = portfolio.decide(5, 1000.0)
    assert first.added == [{"name": "a"}, {"name": "b"}]
    assert _steps(first) == [("a", "", "simulating"), ("b", "", "simulating")]
    assert first.allocations_usd == {}
    portfolio.on_spec(_spec("a"))
    assert portfolio.decide(6, 1000.0) == Decision([], [], {}, [])


def test_a_good_record_is_promoted_and_gets_capital_and_a_bad_one_loses_both() -> None:
    portfolio = _portfolio("a", "b")
    portfolio.decide(5, 1000.0)
    portfolio.on_results({"a": GOOD, "b": POOR, "unknown": GOOD})
    promoted = portfolio.decide(6, 1000.0)
    assert _steps(promoted) == [("a", "simulating", "paper")]
    assert promoted.allocations_usd == {"a": 100.0}
    assert portfolio.state.strategies["a"].allocation_usd == 100.0
    portfolio.on_results({"a": POOR})
    demoted = portfolio.decide(7, 1000.0)
    assert _steps(demoted) == [("a", "paper", "simulating")]
    assert demoted.allocations_usd == {}
    assert portfolio.state.strategies["a"].allocation_usd == 0.0
    assert portfolio.state.strategies["a"].since_seq == 7


def test_the_worst_go_when_the_arena_is_full_and_never_come_back() -> None:
    portfolio = _portfolio("a", "b", "c")
    portfolio.decide(5, 1000.0)
    results = {s: replace(POOR, total_return=value) for s, value in (("a", -0.2), ("b", -0.3), ("c", -0.1))}
    portfolio.on_results(results)
    assert portfolio.decide(6, 1000.0).removed == []  # full, and no more than that
    for spec in ("d", "e"):
        portfolio.on_spec(_spec(spec))
    decision = portfolio.decide(7, 1000.0)
    assert decision.removed == ["b", "a"]
    assert ("b", "simulating", "retired") in _steps(decision)
    assert set(portfolio.state.strategies) == {"c", "d", "e"}
    portfolio.on_spec(_spec("b"))
    assert portfolio.decide(8, 1000.0).added == []


def test_paper_strategies_and_those_without_a_record_do_not_retire() -> None:
    portfolio = _portfolio("a", "b", arena_size=1)
    portfolio.decide(5, 1000.0)
    portfolio.on_results({"a": GOOD})
    assert portfolio.decide(5, 1000.0).removed == []  # they joined at this very event
    portfolio = _portfolio("a", "b", "c", arena_size=1)
    portfolio.decide(5, 1000.0)
    portfolio.state.strategies["a"].mode = Mode.PAPER
    portfolio.on_results({"a": replace(GOOD, total_return=-0.9), "b": POOR})
    assert portfolio.decide(6, 1000.0).removed == ["b"]


def test_the_portfolio_goes_on_from_its_state_in_json() -> None:
    adapter = TypeAdapter(PortfolioState)
    portfolio = _portfolio("a", "b", "c", "d", arena_size=2)
    portfolio.decide(5, 1000.0)
    portfolio.on_results({"a": GOOD, "b": POOR, "c": replace(POOR, total_return=-0.5)})
    portfolio.decide(6, 1000.0)
    portfolio.on_spec(_spec("e"))
    again = Portfolio(GATES, arena_size=2, state=adapter.validate_json(adapter.dump_json(portfolio.state)))
    assert again.state == portfolio.state
    assert again.state.retired == {"b", "c"}
    assert again.decide(7, 900.0) == portfolio.decide(7, 900.0)
