"""The live account on a reporting venue beside the paper account; the records rederive the run."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from memesnipe.engine.orders import Fill, Order
from memesnipe.protocol.account import Account, order_id
from memesnipe.protocol.messages import ControlPayload
from memesnipe.protocol.order_status import OrderStatus, TransitionError
from memesnipe.trading.arena import Arena
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk_state import DeskState, order_key
from memesnipe.trading.execution import DeskSideState, Execution, local_execution
from memesnipe.trading.gate import Limits
from memesnipe.trading.parity import MISSED_BPS, parity_bps
from memesnipe.trading.records import of_step
from memesnipe.trading.replay import Control, replay
from memesnipe.trading.steps import Step
from tests.execution.scripted_chain import (
    EXPIRED,
    FAILED,
    LANDED,
    RECONCILED,
    SIGNED,
    SUBMITTED,
    UNKNOWN,
    ScriptedChain,
    filled,
    report_on,
    reported,
)
from tests.payloads import allocations, command
from tests.support import FAMILIES, NO_STOPS, SURE, population, synthetic_events

EVENTS = synthetic_events(1500, seed=3)
MINTS = {token: f"mint {token}" for token in range(1000)}
PAPER, LIVE = Account.PAPER, Account.LIVE
GENOMES = population()
ALL = [genome.spec_id for genome in GENOMES]
LIMITS = {PAPER: Limits(500.0), LIVE: Limits(500.0)}
POLICIES = {PAPER: NO_STOPS, LIVE: replace(NO_STOPS, capital_usd=50_000.0)}
SIDE = TypeAdapter(DeskSideState)


def _execution() -> Execution:
    return local_execution(FAMILIES, SURE, shadow_capital_usd=1000.0, limits=LIMITS, policies=POLICIES)


def _allocated(live: list[str]) -> ControlPayload:
    return allocations(GENOMES, usd=dict.fromkeys(ALL, 1000.0), live=live)


class LiveRun:
    """A run on such a chain, with its controls and steps; the strategies in ``live`` trade in the live account."""

    def __init__(self, live: list[str]) -> None:
        self.execution, self.chain = _execution(), ScriptedChain()
        self.controls: list[Control] = []
        self.payloads: dict[tuple[str, int], ControlPayload] = {}
        self.steps: list[Step] = []
        self.apply(_allocated(live))
        for event in np.split(EVENTS, len(EVENTS)):
            self.chain.now = int(event[0]["seq"])
            for step in self.execution.advance(event):
                self.add(step)
            reports = self.chain.poll()
            for report in reports:
                self.apply(report)
            self.chain.acknowledge(reports)

    def apply(self, payload: ControlPayload) -> None:
        number = len(self.controls) + 1
        self.controls.append(Control(payload.stream, number, self.execution.seq))
        self.payloads[payload.stream, number] = payload
        for step in self.execution.apply(payload):
            self.add(step)

    def add(self, step: Step) -> None:
        self.steps.append(step)
        for order in step.orders if step.account is LIVE else ():
            self.chain.submit(order_id(LIVE, order_key(order)), order)

    def of(self, account: Account) -> list[Step]:
        return [step for step in self.steps if step.account is account]

    def desk(self, account: Account) -> DeskState:
        return self.execution.accounts[account].desk.state


@pytest.fixture(scope="module")
def run() -> LiveRun:
    return LiveRun(ALL[::2])


def _records(steps: list[Step], account: Account) -> tuple[list[object], ...]:
    """Return all records of an account, whatever batches they came in."""
    made = [of_step(step, MINTS) for step in steps if step.account is account]
    return (
        [row for entries in made for row in entries.orders],
        [change for entries in made for change in entries.statuses.items()],
        [row for entries in made for row in entries.trades],
        [row for entries in made for row in entries.refusals],
        [message for entries in made for message in entries.messages],
    )


def test_each_desk_books_exactly_the_fills_of_its_venue(run: LiveRun) -> None:
    fresh = _execution()  # without strategies: its cash is the capital
    list(fresh.advance(EVENTS))
    for account in Account:
        fills = [done.fill for step in run.of(account) for done in step.fills]
        assert len([fill for fill in fills if not fill.failure]) > 10, account
        changes = sum(fill.cash_change_lamports for fill in fills)
        assert run.desk(account).cash_lamports - fresh.accounts[account].desk.state.cash_lamports == changes
        assert [fill.seq for fill in fills] == sorted(fill.seq for fill in fills)
    live = [done.fill for step in run.of(LIVE) for done in step.fills]
    assert {fill.failure for fill in live} == {"", "slipped"}
    assert {fill.order.spec_id for fill in live} <= {*ALL[::2]}
    statuses = {status for step in run.of(LIVE) for status in step.reported.values()}
    assert statuses >= {SIGNED, SUBMITTED, UNKNOWN, LANDED, FAILED, EXPIRED, RECONCILED}


def test_a_report_that_is_late_or_doubled_has_no_effect(run: LiveRun) -> None:
    ended = [fill.order for step in run.of(LIVE) for fill in [done.fill for done in step.fills]]
    assert len(ended) == len({order_key(order) for order in ended})
    changes = [(key, status) for step in run.of(LIVE) for key, status in step.reported.items()]
    applied = [control for control in run.controls if control.stream == "execution_reports"]
    assert len(changes) == len(set(changes))
    assert len(changes) < len(applied)


def test_the_ids_and_statuses_of_orders_name_the_account(run: LiveRun) -> None:
    live, paper = (_records(run.steps, account) for account in (LIVE, PAPER))
    ids = [{row["order_id"] for row in records[0]} for records in (live, paper)]  # type: ignore[index]
    assert all(each.startswith("live-") for each in ids[0])
    assert not any(each.startswith("live-") for each in ids[1])
    assert {row["status"] for row in live[2]} == {"LIVE", "FAILED"}  # type: ignore[index]
    assert {row["status"] for row in paper[2]} <= {"PAPER", "FAILED"}  # type: ignore[index]
    assert {row["account"] for row in live[0]} == {"live"}  # type: ignore[index]


@pytest.mark.parametrize("parts", [1, 7, 100])
def test_events_and_reports_derive_the_run_again(run: LiveRun, parts: int) -> None:
    execution = _execution()
    again = list(replay(execution, np.array_split(EVENTS, parts), run.controls, lambda key: run.payloads[key]))
    for account in Account:
        assert _records(again, account) == _records(run.steps, account)
        assert execution.accounts[account].state == run.execution.accounts[account].state


def test_a_snapshot_has_the_state_of_both_accounts(run: LiveRun) -> None:
    side = run.execution.dump().side
    assert SIDE.validate_json(SIDE.dump_json(side)) == side


def test_the_paper_account_does_not_depend_on_the_live_one(run: LiveRun) -> None:
    """The same strategies on paper trade the same, whether the others trade live or not at all."""
    alone = local_execution(FAMILIES, SURE, shadow_capital_usd=1000.0, limits={PAPER: LIMITS[PAPER]}, policies=POLICIES)
    alone.apply(allocations(GENOMES, usd=dict.fromkeys(ALL[1::2], 1000.0)))
    steps = [step for events in np.split(EVENTS, len(EVENTS)) for step in alone.advance(events)]
    for found, expected in zip(_records(steps, PAPER)[:4], _records(run.steps, PAPER)[:4], strict=True):
        assert found == expected


@pytest.fixture(scope="module")
def simulated() -> dict[str, Fill]:
    """The fills of the arena, by order key."""
    arena = Arena(FAMILIES, SURE, shadow_capital_usd=1000.0)
    arena.apply(allocations(GENOMES), ALL)
    return {
        order_key(fill.order): fill for event in np.split(EVENTS, len(EVENTS)) for fill in arena.advance(event).fills
    }


def test_reported_outcomes_are_compared_with_the_simulated_fills_of_their_decisions(
    run: LiveRun, simulated: dict[str, Fill]
) -> None:
    errors: dict[str, list[float]] = {}
    early = 0
    for done in (done for step in run.of(LIVE) for done in step.fills):
        expected = simulated.get(order_key(done.fill.order))
        if expected is None:
            assert done.parity_bps is None
            continue
        error_bps = parity_bps(done.fill, expected)
        if done.fill.seq > expected.seq:
            assert done.parity_bps == error_bps
        else:  # the row is older than the comparison
            assert done.parity_bps is None
            early += 1
        if error_bps is not None:
            errors.setdefault(done.fill.order.spec_id, []).append(error_bps)
    assert early
    assert sum(map(len, errors.values())) > 10
    expired = [key for step in run.of(LIVE) for key, status in step.reported.items() if status is EXPIRED]
    missed = [simulated[key].order.spec_id for key in expired if key in simulated]
    assert missed
    for spec_id, parity in run.execution.accounts[LIVE].state.parity.items():
        count = len(errors[spec_id]) + missed.count(spec_id)
        assert parity.fills == count
        assert MISSED_BPS in parity.recent_bps or spec_id not in missed or count > len(parity.recent_bps)


def _until_orders(execution: Execution, count: int) -> list[Order]:
    orders: list[Order] = []
    for event in np.split(EVENTS, len(EVENTS)):
        orders += [order for step in execution.advance(event) for order in step.orders]
        if len(orders) >= count:
            return orders
    raise AssertionError("too few orders")


def test_a_report_before_the_simulated_fill_is_compared_when_that_follows(simulated: dict[str, Fill]) -> None:
    execution = _execution()
    execution.apply(_allocated(ALL))
    order = _until_orders(execution, 1)[0]
    for status in (SIGNED, SUBMITTED):
        execution.apply(report_on(order, status))
    (step,) = execution.apply(report_on(order, LANDED, filled(order)))
    assert step.fills[0].parity_bps is None
    state = execution.accounts[LIVE].state
    assert state.parity == {}
    assert list(state.reported) == [order_key(order)]
    list(execution.advance(EVENTS[execution.seq :]))
    assert state.reported == {}
    assert state.parity[order.spec_id].recent_bps == [parity_bps(filled(order), simulated[order_key(order)])]


def test_a_halt_asks_the_venue_to_cancel_and_its_report_decides() -> None:
    execution = _execution()
    execution.apply(_allocated(ALL))
    signed, intended = _until_orders(execution, 2)[:2]
    execution.apply(report_on(signed, SIGNED))
    live, paper = execution.apply(command("halt"))
    assert (live.account, paper.account) == (LIVE, PAPER)
    assert live.cancelled == []
    assert {order_key(order) for order in live.recalled} >= {order_key(signed), order_key(intended)}
    (step,) = execution.apply(report_on(intended, OrderStatus.CANCELLED))
    assert list(of_step(step, MINTS).statuses.values()) == [OrderStatus.CANCELLED]
    assert intended not in execution.accounts[LIVE].desk.state.pending
    execution.apply(report_on(signed, SUBMITTED))
    (landed,) = execution.apply(report_on(signed, LANDED, filled(signed)))
    assert landed.fills[0].fill.order == signed
    assert execution.accounts[LIVE].desk.state.holding(signed.spec_id, signed.token) is not None


def test_the_breaker_of_one_account_leaves_the_other_alone_and_a_halt_stops_both() -> None:
    execution = _execution()
    states = [execution.accounts[account].desk.state for account in (LIVE, PAPER)]
    states[0].ledger.breaker.level = RiskLevel.EMERGENCY
    assert [state.level for state in states] == [RiskLevel.EMERGENCY, RiskLevel.NORMAL]
    execution.apply(command("halt"))
    assert [state.halted for state in states] == [True, True]
    execution.apply(command("risk_reset"))
    assert [state.halted for state in states] == [False, False]


def test_after_a_change_of_mode_the_former_account_only_closes() -> None:
    execution = _execution()
    execution.apply(_allocated([]))
    paper, live = (execution.accounts[account].desk.state for account in (PAPER, LIVE))
    cut = next(i for i in range(1, len(EVENTS)) if list(execution.advance(EVENTS[i - 1 : i])) and paper.held())
    execution.apply(allocations(usd=dict.fromkeys(ALL, 1000.0), live=ALL))
    entries = [
        (step.account, order)
        for step in execution.advance(EVENTS[cut:])
        for order in step.orders
        if order.side in (1, -2)
    ]
    assert entries
    assert {account for account, _ in entries} == {LIVE}
    assert paper.held() == [], "the sales of the simulation closed what was held on paper"
    assert live.pending


def test_a_stop_of_one_account_is_sent_by_its_desk_alone() -> None:
    policies = {PAPER: POLICIES[PAPER], LIVE: replace(POLICIES[LIVE], stop_loss=0.01)}
    execution = local_execution(FAMILIES, SURE, shadow_capital_usd=1000.0, limits=LIMITS, policies=policies)
    execution.apply(_allocated(ALL[::2]))
    stopped: list[tuple[Account, str]] = []
    for event in np.split(EVENTS, len(EVENTS)):
        steps = list(execution.advance(event))
        sent = [(step.account, order) for step in steps for order in step.orders]
        stopped += [(account, order.reason) for account, order in sent if order.order_no < 0]
        for order in [order for account, order in sent if account is LIVE]:
            for status in (SIGNED, SUBMITTED, LANDED):
                execution.apply(reported(order, status))
    assert {*stopped} == {(LIVE, "portfolio_stop_loss")}


def test_a_report_that_contradicts_the_state_of_an_order_is_refused() -> None:
    execution = _execution()
    execution.apply(_allocated(ALL))
    first, second = _until_orders(execution, 2)[:2]
    for status in (SIGNED, SUBMITTED, EXPIRED):
        execution.apply(report_on(first, status))
    with pytest.raises(TransitionError, match="expired cannot become landed"):
        execution.apply(report_on(first, LANDED, filled(first)))
    for status in (SIGNED, SUBMITTED):
        execution.apply(report_on(second, status))
    for fill in (None, filled(second, "slipped")):
        with pytest.raises(TransitionError, match="contradicts the status landed"):
            execution.apply(report_on(second, LANDED, fill))
