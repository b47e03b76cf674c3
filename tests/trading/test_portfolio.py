from dataclasses import replace

import msgspec
from msgspec import structs

from memesnipe.market.events import NS_PER_S
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import ParityRecord, RoundTripSeen
from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.portfolio import Portfolio
from memesnipe.trading.portfolio_state import Decision, PortfolioDump, Transition
from tests.trading.portfolios import (
    ANY_LOSS,
    CAPS,
    EQUITY,
    GOOD,
    LOSES,
    OFF,
    ON,
    POOR,
    RULES,
    genome_of,
    mark_of,
    portfolio_of,
    results_of,
    round_trips_of,
    spec_of,
    steps_of,
)

DAY_NS = 24 * 3600 * NS_PER_S
DUMP = msgspec.msgpack.Decoder(PortfolioDump)


def test_a_new_strategy_joins_the_arena_once_at_the_next_decision() -> None:
    portfolio = portfolio_of("a", "b", "a")
    first = portfolio.decide(5, EQUITY)
    assert first.added == [genome_of("a"), genome_of("b")]
    assert steps_of(first) == [("a", "", "simulating"), ("b", "", "simulating")]
    assert first.allocations_usd == {}
    portfolio.on_spec(spec_of("a"))
    assert portfolio.decide(6, EQUITY) == Decision([], [], {}, [], [])


def test_a_good_record_gains_mode_and_capital_and_a_bad_one_loses_both() -> None:
    portfolio = portfolio_of("a", "b")
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of({"a": GOOD, "b": POOR, "unknown": GOOD}))
    promoted = portfolio.decide(6, EQUITY)
    assert steps_of(promoted) == [("a", "simulating", "paper")]
    assert promoted.allocations_usd == {"a": 5.0}, "on probation"
    assert portfolio.state.strategies["a"].allocation_usd == 5.0
    portfolio.on_results(results_of({"a": POOR}))
    demoted = portfolio.decide(7, EQUITY)
    assert steps_of(demoted) == [("a", "paper", "simulating")]
    assert demoted.allocations_usd == {}
    assert (demoted.released, demoted.restarted) == (["a"], ["a"])
    assert portfolio.state.strategies["a"].allocation_usd == 0.0
    assert portfolio.state.strategies["a"].since_seq == 7


def test_the_worst_retire_when_the_arena_is_full_and_are_not_admitted_again() -> None:
    portfolio = portfolio_of("a", "b", "c")
    portfolio.decide(5, EQUITY)
    evidence = {s: replace(LOSES, mean=mean, round_trips=500) for s, mean in (("a", -0.2), ("b", -0.3), ("c", -0.1))}
    portfolio.on_results(results_of(dict.fromkeys("abc", POOR), **evidence))
    assert portfolio.decide(6, EQUITY).removed == []  # full, and no more than that
    for spec in ("d", "e"):
        portfolio.on_spec(spec_of(spec))
    decision = portfolio.decide(7, EQUITY)
    assert decision.removed == ["b", "a"]
    assert ("b", "simulating", "retired") in steps_of(decision)
    reason = next(step.reason for step in decision.transitions if step.spec_id == "b")
    assert reason == "the arena is full, and a round trip of it returns -29.53% at best"
    assert set(portfolio.state.strategies) == {"c", "d", "e"}
    portfolio.on_spec(spec_of("b"))
    assert portfolio.decide(8, EQUITY).added == []


def test_paper_strategies_and_those_without_a_record_do_not_retire() -> None:
    portfolio = portfolio_of("a", "b", arena_size=1)
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of({"a": GOOD}))
    assert portfolio.decide(5, EQUITY).removed == []  # they joined at this very event
    portfolio = portfolio_of("a", "b", "c", arena_size=1)
    portfolio.decide(5, EQUITY)
    portfolio.state.strategies["a"].mode = Mode.PAPER
    portfolio.on_results(results_of({"a": POOR, "b": POOR}))
    assert portfolio.decide(6, EQUITY).removed == ["b"]


def test_the_portfolio_continues_from_its_encoded_state() -> None:
    portfolio = portfolio_of("a", "b", "c", "d", arena_size=2)
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of({"a": GOOD, "b": POOR, "c": POOR}))
    portfolio.decide(6, EQUITY)
    portfolio.on_spec(spec_of("e"))
    portfolio.on_results(round_trips_of("a", 0.5, -0.5))
    portfolio.on_command(7, "promote", "d", "")
    portfolio.on_command(7, "demote", "d", "")
    again = Portfolio(RULES, CAPS, OFF, arena_size=2)
    again.load(DUMP.decode(msgspec.msgpack.encode(portfolio.dump())))
    assert again.dump() == portfolio.dump()
    assert again.state.retired == {"b", "c"}
    assert again.state.restarted == ["d"]
    for seq, returns in ((8, (0.5, -1.0)), (9, [-1.0] * 30)):
        for one in (portfolio, again):
            one.on_results(results_of({"a": GOOD}))
            one.on_results(round_trips_of("a", *returns))
        decision = portfolio.decide(seq, {Account.PAPER: mark_of(Account.PAPER, 900.0)})
        assert again.decide(seq, {Account.PAPER: mark_of(Account.PAPER, 900.0)}) == decision
        assert again.dump() == portfolio.dump()
    assert ("a", "paper", "simulating") in steps_of(decision), "the detector continues too"


def test_a_demoted_strategy_is_observed_again_before_promotion() -> None:
    portfolio = portfolio_of("a")
    portfolio.decide(5, EQUITY)
    for seq, observed_s, record, mode in (
        (6, 900.0, GOOD, Mode.PAPER),
        (7, 1000.0, POOR, Mode.SIMULATING),
        (8, 1599.0, GOOD, Mode.SIMULATING),
        (9, 1600.0, GOOD, Mode.PAPER),
    ):
        portfolio.on_results(results_of({"a": replace(record, observed_s=observed_s)}, restarts=int(seq > 7)))
        portfolio.decide(seq, EQUITY)
        assert portfolio.state.strategies["a"].mode is mode


def test_fills_that_drift_from_the_simulation_demote() -> None:
    portfolio = portfolio_of("a")
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of({"a": GOOD}))
    portfolio.decide(6, EQUITY)
    for shown in (ParityRecord(10, 499.0), ParityRecord(9, 501.0)):
        portfolio.on_results(results_of({"a": GOOD}, {"a": shown}))
        assert portfolio.decide(7, EQUITY).transitions == []
    portfolio.on_results(results_of({"a": GOOD}, {"a": ParityRecord(10, 501.0)}))
    (step,) = portfolio.decide(8, EQUITY).transitions
    assert (step.to_mode, step.reason) == ("simulating", "its fills are 501 bps from the simulated ones")


def test_a_demotion_resets_drift_even_if_an_older_record_arrives_later() -> None:
    portfolio = portfolio_of("a")
    portfolio.decide(5, EQUITY)
    for seq, observed_s, parity in (
        (6, 900.0, {}),
        (7, 1000.0, {"a": ParityRecord(10, 2000.0)}),
        (8, 1100.0, {"a": ParityRecord(10, 2000.0)}),  # from before the executor applied it
        (9, 1700.0, {}),
    ):
        portfolio.on_results(results_of({"a": replace(GOOD, observed_s=observed_s)}, parity, restarts=int(seq > 8)))
        portfolio.decide(seq, EQUITY)
    assert portfolio.state.strategies["a"].mode is Mode.PAPER


def test_a_manual_command_bypasses_the_gates_and_a_manual_demotion_lasts() -> None:
    portfolio = portfolio_of("a")
    portfolio.decide(5, EQUITY)
    outcome, step = portfolio.on_command(6, "promote", "a", "looks good")
    assert outcome == "a is paper from event 6 on"
    assert step == Transition(2, 6, "a", "simulating", "paper", "manual: looks good")
    portfolio.on_results(results_of({"a": GOOD}, a=LOSES))
    decision = portfolio.decide(7, EQUITY)
    assert decision.transitions == []
    assert decision.allocations_usd["a"] > 0
    assert portfolio.on_command(8, "demote", "a", "")[0] == "a is simulating from event 8 on"
    portfolio.on_results(results_of({"a": replace(GOOD, observed_s=99_999.0)}, restarts=1))
    decision = portfolio.decide(9, EQUITY)
    assert decision.transitions == [], "no gate promotes it again"
    assert decision.allocations_usd == {}
    assert portfolio.on_command(11, "promote", "a", "")[0].startswith("a is paper")


def test_a_strategy_that_enters_by_shorts_alone_is_not_promoted_to_live() -> None:
    portfolio = portfolio_of("shorts", "buys", switches=ON, shorts=frozenset({"shorts"}))
    portfolio.decide(5, EQUITY)
    for spec_id in ("shorts", "buys"):
        assert portfolio.on_command(6, "promote", spec_id, "")[0] == f"{spec_id} is paper from event 6 on"
    reason = "refused: shorts enters by shorts alone, and perps are traded on paper only"
    assert portfolio.on_command(7, "promote", "shorts", "") == (reason, None)
    assert portfolio.on_command(7, "promote", "buys", "")[0] == "buys is live from event 7 on"


def test_a_manually_promoted_strategy_is_demoted_by_drift_only() -> None:
    portfolio = portfolio_of("a")
    portfolio.decide(5, EQUITY)
    portfolio.on_command(6, "promote", "a", "")
    portfolio.on_results(results_of({"a": replace(POOR, max_drawdown=0.9)}))
    assert portfolio.decide(7, EQUITY).transitions == []
    portfolio.on_results(results_of({"a": GOOD}, {"a": ParityRecord(10, 501.0)}))
    assert steps_of(portfolio.decide(8, EQUITY)) == [("a", "paper", "simulating")]


def test_lifecycle_steps_of_one_event_have_distinct_numbers() -> None:
    portfolio = portfolio_of("a")
    steps = list(portfolio.decide(5, EQUITY).transitions)
    for name in ("promote", "demote", "promote", "demote"):
        step = portfolio.on_command(6, name, "a", "")[1]
        assert step is not None
        steps.append(step)
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert [step.from_mode for step in steps[1:]] == [step.to_mode for step in steps[:-1]]


def test_a_retired_strategy_returns_only_by_a_manual_promotion() -> None:
    portfolio = portfolio_of("a", "b", arena_size=1)
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of({"a": POOR, "b": GOOD}))
    assert portfolio.decide(6, EQUITY).removed == ["a"]
    portfolio.on_spec(spec_of("a"))
    assert portfolio.decide(7, EQUITY).added == []
    outcome = portfolio.on_return("a", 3, genome_of("a"), "I was wrong")
    assert outcome == "a is simulating again from the next decision on"
    decision = portfolio.decide(8, EQUITY)
    assert decision.added == [genome_of("a")]
    assert [(t.from_mode, t.to_mode, t.reason) for t in decision.transitions] == [
        ("retired", "simulating", "manual: I was wrong")
    ]
    assert portfolio.state.retired == set()


def test_an_impossible_manual_command_is_refused_with_a_reason() -> None:
    portfolio = portfolio_of("a")
    portfolio.decide(5, EQUITY)
    nobody = ("refused: there is no strategy b in the arena", None)
    assert portfolio.on_command(6, "promote", "b", "") == nobody
    below = "refused: a is simulating, and there is nothing below that"
    assert portfolio.on_command(6, "demote", "a", "") == (below, None)
    portfolio.on_command(6, "promote", "a", "")
    refusal, step = portfolio.on_command(6, "promote", "a", "")
    assert step is None
    assert refusal.startswith("refused: LIVE_TRADING_ENABLED is false, PAPER_TRADING_MODE is true")


def _live_portfolio(*live: str, paper: tuple[str, ...] = ()) -> Portfolio:
    portfolio = portfolio_of(*live, *paper, switches=ON, caps=ANY_LOSS)
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of(dict.fromkeys([*live, *paper], GOOD)))
    portfolio.decide(6, EQUITY)
    for spec_id in live:
        assert portfolio.on_command(7, "promote", spec_id, "")[0] == f"{spec_id} is live from event 7 on"
    return portfolio


def test_a_live_strategy_starts_with_one_dollar() -> None:
    portfolio, marks = _live_portfolio("a"), EQUITY | {Account.LIVE: mark_of(Account.LIVE, 1000.0)}
    assert portfolio.decide(8, marks).allocations_usd == {"a": 1.0}
    paper = [RoundTripSeen("a", 0, 0.5)] * 10
    live = [RoundTripSeen("a", 1, 0.5, 7)] * 9
    portfolio.on_results(structs.replace(results_of({"a": GOOD}), round_trips=[*paper, *live]))
    assert portfolio.decide(9, marks).allocations_usd == {"a": 1.0}
    portfolio.on_results(structs.replace(results_of({"a": GOOD}), round_trips=live[:1]))
    assert portfolio.decide(10, marks).allocations_usd == {"a": 2.0}


def test_a_strategy_that_is_promoted_by_hand_has_its_dollar_without_evidence() -> None:
    portfolio, marks = (
        portfolio_of("a", switches=ON, caps=ANY_LOSS),
        EQUITY | {Account.LIVE: mark_of(Account.LIVE, 9.0)},
    )
    portfolio.decide(5, EQUITY)
    portfolio.on_results(results_of({"a": POOR}))
    for seq in (6, 7):
        portfolio.on_command(seq, "promote", "a", "")
    assert portfolio.decide(8, marks).allocations_usd == {"a": 0.9}, "a tenth of the account at most"
    marks[Account.LIVE] = mark_of(Account.LIVE, 1000.0, 9)
    assert portfolio.decide(9, marks).allocations_usd == {"a": 1.0}


def test_the_equity_of_one_account_allocates_nothing_in_the_other() -> None:
    portfolio = _live_portfolio("a", paper=("b",))
    both = {}
    for seq, (paper_usd, live_usd) in enumerate([(1000.0, 20.0), (30.0, 2.0), (0.0, 20.0)], 8):
        usd = {Account.PAPER: paper_usd, Account.LIVE: live_usd}
        both[seq] = portfolio.decide(seq, {one: mark_of(one, usd[one], seq * DAY_NS) for one in usd}).allocations_usd
    assert both == {8: {"b": 100.0, "a": 1.0}, 9: {"b": 3.0, "a": 0.2}, 10: {"b": 0.0, "a": 1.0}}
    decision = portfolio.decide(11, {Account.PAPER: mark_of(Account.PAPER, 1000.0, 11 * DAY_NS)})
    assert decision.allocations_usd == {"b": 100.0}, "there is no live account"
    assert decision.restarted == [], "its evidence stays"


def test_every_evaluation_counts_against_a_candidate() -> None:
    deflated = []
    for evaluations in (0, 100_000):
        portfolio = portfolio_of()
        portfolio.on_spec(spec_of("a", evaluations))
        portfolio.decide(5, EQUITY)
        portfolio.on_results(results_of({"a": replace(GOOD, sharpe=200.0)}))
        portfolio.decide(6, EQUITY)
        deflated.append(portfolio.state.strategies["a"].deflated_sharpe or 0.0)
    assert deflated[0] > 0.95 > deflated[1]
