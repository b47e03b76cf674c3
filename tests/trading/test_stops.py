"""Stops and risk levels take effect at the event that reaches them, whatever the batches, restarts and arenas."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import Order
from memesnipe.market.events import REBALANCE, Events, rows
from memesnipe.protocol.account import Account
from memesnipe.sdk.registry import Families
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.execution import DeskSideState, Execution, ExecutionState, local_execution
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import LedgerPolicy
from memesnipe.trading.steps import Step
from tests.engine import random_market
from tests.payloads import allocations, command
from tests.support import FAMILIES, NO_STOPS, SOL_USD, SURE, Market, genome, saved_and_loaded
from tests.trading.slow_twin import SlowTwin

SIDE = TypeAdapter(DeskSideState)
PAPER = Account.PAPER


def _execution(
    genomes: list[Genome],
    policy: LedgerPolicy,
    model: FillModel = SURE,
    families: Families = FAMILIES,
    arenas: int = 1,
) -> Execution:
    limits, policies = {PAPER: Limits(1e9)}, {PAPER: policy}
    made = local_execution(families, model, shadow_capital_usd=1000.0, limits=limits, policies=policies, arenas=arenas)
    made.apply(allocations(genomes, usd={one.spec_id: 1000.0 for one in genomes}))
    return made


class Random:
    """A random market on which strategies that stake much meet narrow stops."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.events = random_market.random_events(rng, 300, 4, 2.0)
        self.events["sol_usd"] = SOL_USD
        self.events["flags"][40::41] = REBALANCE
        self.model = random_market.random_model(rng)
        self.genomes = [replace(one, size=0.25) for one in random_market.random_genomes(rng, 8)]
        self.policy = LedgerPolicy(
            float(rng.choice([2_000.0, 20_000.0])), 0.15, 0.1, dead_after_ns=self.model.dead_after_ns
        )

    def execution(self, arenas: int = 1) -> Execution:
        return _execution(self.genomes, self.policy, self.model, random_market.FAMILIES, arenas)


def _follow(market: Random, found: Counter[str]) -> None:
    """Compare the desk with its slow twin after each event of a market; count what happened."""
    execution, twin = market.execution(), SlowTwin(market.policy)
    desk = execution.accounts[PAPER].desk
    for i, event in enumerate(rows(market.events)):
        (step,) = execution.advance(market.events[i : i + 1])
        fills = [done.fill for done in step.fills]
        for fill in fills:
            if fill.seq < event.seq:
                twin.book(fill)
        reached = twin.apply(event)
        for fill in fills:
            if fill.seq == event.seq:
                twin.book(fill)
        if step.results is not None:
            reached |= twin.check()
        assert (desk.state.level, desk.state.ledger.breaker.peak_lamports) == (twin.level, twin.peak), event.seq
        assert desk.figures().equity_lamports == twin.cash + sum(twin.values().values())
        for order in step.orders:
            if order.reason.startswith("portfolio_"):
                assert order.reason == reached[order.spec_id, order.token], event.seq
                assert (order.decided_seq, order.decided_ts) == (event.seq, event.ts)
                found[order.reason] += 1
        for spec_id, token in reached:
            is_held = desk.state.holding(spec_id, token) is not None
            is_refused = twin.level == "emergency"
            assert desk.state.is_pending(spec_id, token) or is_refused or not is_held, event.seq
        found[desk.state.level] += step.level_changed
        found["cancelled"] += len(step.cancelled)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_a_stop_or_a_level_takes_effect_at_the_event_that_reaches_it(seed: int) -> None:
    _follow(Random(seed), Counter())


def test_the_compared_markets_reach_every_stop_and_level() -> None:
    found: Counter[str] = Counter()
    for seed in range(10):
        _follow(Random(seed), found)
    kinds = {"portfolio_stop_loss", "portfolio_trailing_stop", "cancelled", *RiskLevel}
    assert {kind for kind in kinds if found[kind]} == kinds


def _outcomes(steps: list[Step]) -> dict[str, list[object]]:
    """Return what the steps recorded, in order, without how it is divided into steps."""
    return {
        "orders": [order for step in steps for order in step.orders],
        "refused": [refused for step in steps for refused in step.refused],
        "cancelled": [order for step in steps for order in step.cancelled],
        "fills": [done for step in steps for done in step.fills],
        "figures": [step.results.accounts for step in steps if step.results is not None],
    }


def _restored(market: Random, execution: Execution) -> Execution:
    """Another execution, made from the written state of the first."""
    state = execution.dump()
    arenas = [replace(arena, engine=saved_and_loaded(arena.engine)) for arena in state.arenas]
    other = market.execution(len(arenas))
    other.load(ExecutionState(arenas, SIDE.validate_json(SIDE.dump_json(state.side))))
    return other


@settings(max_examples=30, deadline=None)
@example(1005, list(range(1, 300)), set(), 1)  # a stop, and a longest hold that ends before the next event
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 299), max_size=8),
    st.sets(st.integers(0, 8)),
    st.sampled_from([1, 3]),
)
def test_batches_restarts_and_arenas_change_no_stop_and_no_level(
    seed: int, cuts: list[int], restarts: set[int], arenas: int
) -> None:
    market = Random(seed)
    whole = market.execution()
    expected = _outcomes(list(whole.advance(market.events)))
    execution, steps = market.execution(arenas), list[Step]()
    for i, part in enumerate(np.split(market.events, sorted(cuts))):
        steps += execution.advance(part)
        if i in restarts:
            execution = _restored(market, execution)
    assert _outcomes(steps) == expected
    assert execution.dump().side == whole.dump().side
    held = [made.accounts[PAPER].desk.state.held() for made in (execution, whole)]
    assert held[0] == held[1], "they are also in the same order"


FALLEN = -9.0  # SOL sold into the pool


def _orders(execution: Execution, events: Events) -> list[tuple[int, str]]:
    return [(order.decided_seq, order.reason) for step in execution.advance(events) for order in step.orders]


def _market(*moves: float) -> Events:
    """A market in which a strategy of `buy_once` holds the token from the second event on."""
    market = Market().trade(1).talk(5)
    for i, sol in enumerate(moves):
        market.trade(10 + 5 * i, sol=sol)
    return market.events()


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((-1.0, -9.0), [(4, "portfolio_stop_loss")]),
        ((-9.0, 9.0), [(3, "portfolio_stop_loss")]),
        ((9.0, -6.0), [(4, "portfolio_trailing_stop")]),
        ((1.0, -1.0), []),
    ],
)
def test_a_stop_is_sent_at_its_event_and_not_at_a_mark(
    moves: tuple[float, ...], expected: list[tuple[int, str]]
) -> None:
    execution = _execution([genome("buy_once")], replace(NO_STOPS, stop_loss=0.3, trailing_stop=0.2))
    events = _market(*moves)
    assert not events["flags"].any(), "no decision is due"
    assert _orders(execution, events) == [(1, "signal"), *expected]


def test_a_strategy_that_closes_at_the_same_event_closes_by_itself() -> None:
    one = genome("buy_once", stop_loss=0.25)
    execution = _execution([one], replace(NO_STOPS, stop_loss=0.2))
    assert _orders(execution, _market(-9.0)) == [(1, "signal"), (3, "stop_loss")]


def test_a_stop_that_did_not_land_is_sent_again_at_the_next_event_of_its_token() -> None:
    events = _market(FALLEN, 0.001, 0.001, 0.001)
    sent = {}
    for seed in range(20):
        model = SURE._replace(landing_max=0.6, seed=seed)
        orders = _orders(_execution([genome("buy_once")], replace(NO_STOPS, stop_loss=0.2), model), events)
        sent[tuple(seq for seq, reason in orders if reason == "portfolio_stop_loss")] = seed
    assert {(3,), (3, 4), (3, 4, 5)} <= {*sent}


def _joined(second: Genome) -> Execution:
    """An execution whose first strategy holds a large position; the second has just joined."""
    first = genome("buy_once", size=1.0)
    execution = _execution([first], replace(NO_STOPS, capital_usd=2_500.0))
    list(execution.advance(_market()))
    execution.apply(allocations([second], usd={first.spec_id: 1000.0, second.spec_id: 100.0}))
    return execution


def test_a_level_restricts_the_decisions_at_the_event_that_reaches_it() -> None:
    second = genome("buy_once", size=0.5)  # the fall is the first trade that it receives
    execution = _joined(second)
    (step,) = execution.advance(_market(FALLEN)[2:])
    assert execution.accounts[PAPER].desk.state.level is RiskLevel.CRITICAL
    assert step.level_changed
    assert [(refused.order.spec_id, refused.reason) for refused in step.refused] == [(second.spec_id, "breaker")]


def test_orders_that_a_new_level_does_not_permit_are_cancelled_at_its_event() -> None:
    second = genome("flip", size=0.5)
    execution = _joined(second)
    market = Market().trade(1).talk(5).trade(10, sol=0.5).trade(10.1, sol=FALLEN).trade(30)
    (step,) = execution.advance(market.events()[2:])
    assert [(order.spec_id, order.decided_seq) for order in step.cancelled] == [(second.spec_id, 3)]
    assert step.fills == [], "it would have landed before the last event"


def test_in_emergency_a_stop_is_refused_once_until_a_reset() -> None:
    one = genome("buy_once", size=1.0)
    execution = _execution([one], replace(NO_STOPS, capital_usd=1_500.0, stop_loss=0.2))
    steps = list(execution.advance(_market(FALLEN, 0.001, 0.001)))
    assert [(refused.reason, refused.order.decided_seq) for step in steps for refused in step.refused] == [
        ("breaker", 3)
    ]
    (step,) = execution.apply(command("risk_reset"))
    assert step.orders == [], "the next event of the token sends it"
    after: list[Order] = []
    for later in execution.advance(_market(FALLEN, 0.001, 0.001, 0.001)[5:]):
        after += later.orders
    assert [order.reason for order in after] == ["portfolio_stop_loss"]
