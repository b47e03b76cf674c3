"""A paper decision is the simulated decision: the same code, the same order, the same fill."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import Fill, Order
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.market.events import REBALANCE, Events
from memesnipe.protocol.account import Account
from memesnipe.trading.arena import Arena
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.execution import DeskSideState, Execution, ExecutionState, local_execution
from memesnipe.trading.gate import Limits
from tests.engine import random_market
from tests.payloads import allocations, command
from tests.support import (
    FAMILIES,
    NO_STOPS,
    SOL_USD,
    SURE,
    Market,
    genome,
    population,
    saved_and_loaded,
    state_bytes,
    synthetic_events,
)

SIDE = TypeAdapter(DeskSideState)
MODEL = SURE._replace(landing_max=0.7, seed=5)
LIMITS = {Account.PAPER: Limits(1e9)}
POLICIES = {Account.PAPER: NO_STOPS}
EVENTS = synthetic_events(2500, seed=3).copy()
EVENTS["sol_usd"] = SOL_USD  # as the desk's capital is in USD and the arena's in SOL


def _execution(*genomes: Genome, model: FillModel = MODEL, arenas: int = 1) -> Execution:
    made = local_execution(
        FAMILIES,
        model,
        shadow_capital_usd=1000.0,
        limits=LIMITS,
        policies=POLICIES,
        arenas=arenas,
    )
    specs = {g.spec_id: 1000.0 for g in genomes}
    made.apply(allocations(genomes, usd=specs))
    return made


def _kept(execution: Execution) -> tuple[object, bytes]:
    state = execution.dump()
    arenas = [(state_bytes(arena.engine), arena.watched, arena.orders_of_removed) for arena in state.arenas]
    return arenas, SIDE.dump_json(state.side)


def _restored(execution: Execution) -> Execution:
    """Another execution, made from the written state of the first."""
    state = execution.dump()
    arenas = [replace(arena, engine=saved_and_loaded(arena.engine)) for arena in state.arenas]
    other = _execution(arenas=len(arenas))
    other.load(ExecutionState(arenas, SIDE.validate_json(SIDE.dump_json(state.side))))
    return other


def _decisions() -> list[int]:
    return [int(i) + 1 for i in np.flatnonzero(EVENTS["flags"])]


def _run(execution: Execution, events: Events) -> tuple[list[Order], list[Fill]]:
    orders: list[Order] = []
    fills: list[Fill] = []
    for step in execution.advance(events):
        orders += step.orders
        fills += [done.fill for done in step.fills]
    return orders, fills


def _arena_fills(one: Genome, events: Events, model: FillModel) -> list[Fill]:
    engine = Engine(FAMILIES, model, 1000.0)
    engine.add(one)
    engine.watch([one.spec_id])
    return engine.advance(events).fills


def test_with_the_shadow_capital_as_its_allocation_the_desk_fills_as_the_arena() -> None:
    for one in population():
        modest = replace(one, size=0.03125)  # so that gains and losses never limit what it can buy
        simulated = _arena_fills(modest, EVENTS, MODEL)
        _, fills = _run(_execution(modest), EVENTS)
        assert fills == simulated
        assert len(fills) > 5
        assert {bool(fill.failure) for fill in fills} == {False, True}


def test_the_desk_fills_as_the_arena_on_random_markets_with_shorts_deaths_and_migrations() -> None:
    reasons, sides = set(), set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        events = random_market.random_events(rng, 400, 6, 2.0)
        events["sol_usd"] = SOL_USD
        model = random_market.random_model(rng)._replace(dead_after_ns=200_000_000_000)
        for drawn in random_market.random_genomes(rng, 6):
            one = replace(drawn, size=0.015625)
            execution = local_execution(
                random_market.FAMILIES,
                model,
                shadow_capital_usd=1000.0,
                limits=LIMITS,
                policies=POLICIES,
            )
            execution.apply(allocations([one], usd={one.spec_id: 1000.0}))
            engine = Engine(random_market.FAMILIES, model, 1000.0)
            engine.add(one)
            engine.watch([one.spec_id])
            orders, fills = _run(execution, events)
            # What happens at the very same moment to different tokens has no order of its own.
            in_order = sorted(fills, key=lambda fill: (fill.ts, fill.order.order_no))
            assert in_order == sorted(engine.advance(events).fills, key=lambda fill: (fill.ts, fill.order.order_no))
            reasons |= {order.reason for order in orders}
            sides |= {order.side for order in orders}
    assert reasons >= {"dead", "liquidated", "max_hold", "stop_loss", "take_profit", "trailing_stop", "signal"}
    assert sides == {1, -1, 2, -2}


def test_decisions_between_two_events_keep_their_order() -> None:
    """The purchase lands at 2.5 s and its longest hold ends at 12.5 s, while nothing happens on the market."""
    one = genome("buy_once", max_hold_s=10.0)
    events = Market().trade(1).talk(100, "B").events()
    orders, fills = _run(_execution(one, model=SURE), events)
    assert [(order.side, order.reason) for order in orders] == [(1, "signal"), (-1, "max_hold")]
    assert fills == _arena_fills(one, events, SURE)


@settings(max_examples=15)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=8), st.sets(st.integers(0, 8)))
def test_batches_and_restarts_change_neither_orders_nor_fills(cuts: list[int], restarts: set[int]) -> None:
    whole = _execution(*population())
    expected = _run(whole, EVENTS)
    execution = _execution(*population())
    orders: list[Order] = []
    fills: list[Fill] = []
    for i, part in enumerate(np.split(EVENTS, sorted(cuts))):
        more = _run(execution, part)
        orders += more[0]
        fills += more[1]
        if i in restarts:
            execution = _restored(execution)
    assert (orders, fills) == expected
    assert _kept(execution) == _kept(whole)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([2, 5]), st.lists(st.integers(1, len(EVENTS) - 1), max_size=6), st.sets(st.integers(0, 6)))
def test_the_records_do_not_depend_on_the_number_of_arenas(count: int, cuts: list[int], restarts: set[int]) -> None:
    """One arena is killed and restored on the way; orders, fills and results stay the same."""
    expected = list(_execution(*population()).advance(EVENTS))
    execution = _execution(*population(), arenas=count)
    steps = []
    for i, part in enumerate(np.split(EVENTS, sorted({*cuts, *_decisions()}))):
        steps += list(execution.advance(part)) if len(part) else []
        if i in restarts:
            killed = execution.arenas[i % count]
            state = killed.dump()
            execution.arenas[i % count] = Arena(
                FAMILIES, MODEL, shadow_capital_usd=1000.0, index=i % count, count=count
            )
            execution.arenas[i % count].load(replace(state, engine=saved_and_loaded(state.engine)))
    assert [order for step in steps for order in step.orders] == [o for step in expected for o in step.orders]
    assert [done for step in steps for done in step.fills] == [d for step in expected for d in step.fills]
    results = [step.results for step in steps if step.results is not None]
    before = [step.results for step in expected if step.results is not None]
    assert results == before
    assert [list(one.evidence) for one in results] == [list(one.evidence) for one in before], "in the same order"
    assert any(one.round_trips for one in results)
    assert sum(bool(arena.engine.results()) for arena in execution.arenas) > 1, "several arenas have strategies"


def _evidence_by_part(arenas: int) -> list[list[StrategyEvidence]]:
    """Simulate all strategies, then give two of them capital, then take it from one of these, which starts again."""
    execution = local_execution(
        FAMILIES,
        MODEL,
        shadow_capital_usd=1000.0,
        limits=LIMITS,
        policies=POLICIES,
        arenas=arenas,
    )
    execution.apply(allocations(population()))
    first, second, *_ = names = [one.spec_id for one in population()]
    found = []
    for part, control in (
        (EVENTS[:800], allocations(usd={first: 5.0, second: 1000.0})),
        (EVENTS[800:1600], allocations(usd={second: 1000.0}, restarted=[first])),
        (EVENTS[1600:], allocations()),
    ):
        observed = [seen for step in execution.advance(part) if step.results for seen in step.results.round_trips]
        assert {seen.spec_id for seen in observed} <= {first, second}
        evidence = {s: one for arena in execution.arenas for s, one in arena.engine.evidence().items()}
        found.append([evidence[spec_id] for spec_id in names])
        execution.apply(control)
    return found


def test_the_evidence_follows_the_desk_from_an_allocation_to_a_restart() -> None:
    simulated, on_desk, after = whole = _evidence_by_part(1)
    assert [one.restarts for one in after] == [1, 0, 0, 0]
    assert all(one.round_trips for one in simulated[:2])
    assert all(later.round_trips > one.round_trips for one, later in zip(simulated, on_desk, strict=True))
    assert on_desk[0].mean < simulated[0].mean, "with 5 USD the fees of the network are a large share of a stake"
    assert after[0].round_trips > 0, "it is simulated again"
    assert [_evidence_by_part(count) for count in (2, 5)] == [whole, whole]


def test_steps_end_where_decisions_are_due_and_carry_the_results() -> None:
    execution = _execution(*population())
    steps = list(execution.advance(EVENTS))
    due = EVENTS["seq"][EVENTS["flags"] > 0].tolist()
    assert len(due) >= 2
    assert [step.seq for step in steps if step.results is not None] == due
    assert steps[-1].seq == len(EVENTS)
    assert list(execution.advance(EVENTS[:0])) == []


def test_a_strategy_without_an_allocation_is_only_simulated() -> None:
    execution = _execution(population()[0])
    execution.apply(allocations())
    assert _run(execution, EVENTS) == ([], [])
    assert execution.arenas[0].engine.results()[0].trades > 0


def test_a_removed_strategy_stops_deciding_and_in_emergency_nothing_is_sent() -> None:
    execution = _execution(*population())
    _run(execution, EVENTS[:1000])
    gone = population()[0].spec_id
    execution.apply(allocations(removed=[gone], usd={gone: 1000.0}))
    orders, _ = _run(execution, EVENTS[1000:1800])
    assert {order.reason for order in orders if order.spec_id == gone} <= {"simulation_left"}
    execution.accounts[Account.PAPER].desk.state.ledger.breaker.level = RiskLevel.EMERGENCY
    assert _run(execution, EVENTS[1800:])[0] == []


def _left(execution: Execution, spec_id: str) -> list[str]:
    (step,) = execution.apply(allocations(removed=[spec_id]))
    return [order.reason for order in step.orders]


def test_the_holdings_of_a_removed_strategy_are_sold_at_once() -> None:
    one = genome("buy_once")
    execution = _execution(one, model=SURE)
    _run(execution, Market().trade(1).talk(5).events())
    assert execution.accounts[Account.PAPER].desk.state.held() == [(one.spec_id, 0)]
    assert _left(execution, one.spec_id) == ["simulation_left"]
    later = Market().trade(1).talk(5).talk(10).talk(15).events()[2:]
    orders, fills = _run(execution, later)
    assert orders == []
    assert [fill.failure for fill in fills] == [""]
    assert execution.accounts[Account.PAPER].desk.state.held() == []


def test_a_refused_orphan_sale_is_retried_at_every_decision_and_recorded_once() -> None:
    one = genome("buy_once")
    execution = _execution(one, model=SURE)
    _run(execution, Market().trade(1).talk(5).events())
    execution.accounts[Account.PAPER].desk.state.ledger.breaker.level = RiskLevel.EMERGENCY
    refused = execution.apply(allocations(removed=[one.spec_id]))[0].refused
    assert [no.reason for no in refused] == ["breaker"]
    later = Market().trade(1).talk(5).talk(10).talk(15).talk(20).talk(25).events()[2:].copy()
    later["flags"][:2] = REBALANCE
    steps = list(execution.advance(later[:2]))
    assert [(step.orders, step.refused) for step in steps] == [([], [])] * 2
    execution.apply(command("risk_reset"))
    later["flags"][2] = REBALANCE
    orders, _ = _run(execution, later[2:])
    assert [order.reason for order in orders] == ["simulation_left"]
    assert execution.accounts[Account.PAPER].desk.state.held() == []


def test_an_entry_filled_after_a_demotion_is_sold_when_the_simulation_sells() -> None:
    one = genome("buy_once", max_hold_s=10.0)
    execution = _execution(one, model=SURE)
    _run(execution, Market().trade(1).events())
    assert len(execution.accounts[Account.PAPER].desk.state.pending) == 1
    execution.apply(allocations())
    orders, fills = _run(execution, Market().trade(1).talk(5).talk(30).talk(40).events()[1:])
    assert [order.reason for order in orders] == ["max_hold"]
    assert [fill.order.side for fill in fills] == [1, -1]
    assert execution.accounts[Account.PAPER].state.parity == {}, "what it does without capital counts no more"


def test_a_strategy_added_again_continues_its_order_numbers() -> None:
    one = genome("flip", take_profit=0.05)
    execution = _execution(one, model=SURE)
    first, _ = _run(execution, EVENTS[:1000])
    sent = execution.arenas[0].engine.results()[0].orders
    assert sent >= len(first) > 0
    execution.apply(allocations(removed=[one.spec_id]))
    execution = _restored(execution)
    execution.apply(allocations([one], usd={one.spec_id: 1000.0}))
    second, _ = _run(execution, EVENTS[1000:])
    numbers = [order.order_no for order in second if order.order_no > 0]
    assert min(numbers) > sent
    assert len(set(numbers)) == len(numbers)


def test_a_manual_demotion_stops_entries_at_once() -> None:
    one = genome("flip", take_profit=0.05)
    execution = _execution(one, model=SURE)
    execution.apply(command("demote", one.spec_id))
    steps = list(execution.advance(EVENTS))
    assert {no.reason for step in steps for no in step.refused} == {"no_capital"}
    assert [order for step in steps for order in step.orders] == []
