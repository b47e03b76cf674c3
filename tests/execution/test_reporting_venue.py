"""A reporting venue: the desk books the reported fills, and the records rederive the run."""

from itertools import count

import numpy as np
import pytest

from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.messages import ControlPayload, ExecutionReport
from memesnipe.protocol.order_status import OrderStatus, TransitionError
from memesnipe.trading.execution import Execution, local_execution
from memesnipe.trading.gate import Limits
from memesnipe.trading.records import of_step
from memesnipe.trading.replay import Control, replay
from memesnipe.trading.steps import Step
from tests.payloads import allocations, command
from tests.support import FAMILIES, SURE, population, synthetic_events

EVENTS = synthetic_events(1500, seed=3)
MINTS = {token: f"mint {token}" for token in range(1000)}
SIGNED, SUBMITTED, UNKNOWN = OrderStatus.SIGNED, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN
LANDED, FAILED, EXPIRED, RECONCILED = (
    OrderStatus.LANDED, OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.RECONCILED,
)  # fmt: skip


def _execution() -> Execution:
    return local_execution(FAMILIES, SURE, shadow_capital_usd=1000.0, limits=Limits(500.0), reports=True)


def _report(order: Order, status: OrderStatus, fill: Fill | None = None) -> ExecutionReport:
    return ExecutionReport(
        seq=1,
        ts=1,
        spec_id=order.spec_id,
        order_no=order.order_no,
        status=status,
        fill=fill,
        signature="sig",
        detail="",
    )


def _filled(order: Order, seq: int, failure: str = "") -> Fill:
    """Return a fill as the balances of a chain give it, not by a formula of the engine."""
    ts = order.due_ts + 5
    if failure:
        return Fill(order, ts, seq, 0, 0, 0, 105_000, 0, failure)
    if order.side == BUY_SIDE:
        lamports = order.budget_lamports * 9 // 10
        return Fill(order, ts, seq, order.expected * 8 // 10, lamports, lamports // 80, 115_000, lamports, "")
    return Fill(order, ts, seq, order.token_raw, order.expected, order.expected // 80, 115_000, order.expected, "")


class Chain:
    """Reports on orders some events later: most land, some fail, some expire, some are unknown for a while."""

    def __init__(self) -> None:
        self.due: dict[int, list[ExecutionReport]] = {}
        self.numbers = count()

    def submit(self, order: Order, seq: int) -> None:
        i = next(self.numbers)
        paths = {
            3: [SIGNED, SUBMITTED, FAILED],
            5: [SIGNED, EXPIRED],
            7: [SIGNED, SUBMITTED, UNKNOWN, LANDED, RECONCILED],
        }
        for step, status in enumerate(paths.get(i % 8, [SIGNED, SUBMITTED, LANDED, RECONCILED]), start=1):
            fill = _filled(order, seq, "slipped" if status is FAILED else "") if status in (LANDED, FAILED) else None
            self.due.setdefault(seq + 7 * step, []).append(_report(order, status, fill))


class LiveRun:
    """A run on such a chain, with its controls and steps."""

    def __init__(self) -> None:
        self.execution, self.chain = _execution(), Chain()
        self.controls: list[Control] = []
        self.payloads: dict[tuple[str, int], ControlPayload] = {}
        self.steps: list[Step] = []
        genomes = population()
        self.apply(allocations(genomes, usd={genome.spec_id: 1000.0 for genome in genomes}))
        for event in np.split(EVENTS, len(EVENTS)):
            for step in self.execution.advance(event):
                self.add(step)
            for report in self.chain.due.pop(self.execution.seq, []):
                self.apply(report)

    def apply(self, payload: ControlPayload) -> None:
        number = len(self.controls) + 1
        self.controls.append(Control(payload.stream, number, self.execution.seq))
        self.payloads[payload.stream, number] = payload
        self.add(self.execution.apply(payload))

    def add(self, step: Step) -> None:
        self.steps.append(step)
        for order in step.orders:
            self.chain.submit(order, self.execution.seq)


@pytest.fixture(scope="module")
def run() -> LiveRun:
    return LiveRun()


def _records(steps: list[Step]) -> tuple[list[object], ...]:
    """Everything that was written down, whatever batches it came in."""
    made = [of_step(step, MINTS) for step in steps]
    return (
        [row for entries in made for row in entries.orders],
        [change for entries in made for change in entries.statuses.items()],
        [row for entries in made for row in entries.trades],
        [row for entries in made for row in entries.refusals],
        [message for entries in made for message in entries.messages],
    )


def test_the_desk_books_exactly_what_the_venue_reports(run: LiveRun) -> None:
    fills = [done.fill for step in run.steps for done in step.fills]
    assert len([fill for fill in fills if not fill.failure]) > 20
    assert {fill.failure for fill in fills} == {"", "slipped"}
    statuses = [status for step in run.steps for status in step.reported.values()]
    assert set(statuses) >= {SIGNED, SUBMITTED, UNKNOWN, LANDED, FAILED, EXPIRED, RECONCILED}
    state = run.execution.desk.state
    changes = sum(fill.cash_change_lamports for fill in fills)
    fresh = _execution()  # without strategies: its cash is the capital
    for _ in fresh.advance(EVENTS):
        pass
    assert state.cash_lamports - fresh.desk.state.cash_lamports == changes


def test_events_and_reports_derive_the_run_again(run: LiveRun) -> None:
    again = list(replay(_execution(), np.array_split(EVENTS, 7), run.controls, lambda key: run.payloads[key]))
    assert _records(again) == _records(run.steps)


def test_a_halt_does_not_cancel_an_order_with_a_transaction() -> None:
    execution = _execution()
    genomes = population()
    execution.apply(allocations(genomes, usd={genome.spec_id: 1000.0 for genome in genomes}))
    orders: list[Order] = []
    for event in np.split(EVENTS, len(EVENTS)):
        orders += [order for step in execution.advance(event) for order in step.orders]
        if len(orders) > 1:
            break
    signed, intended = orders[0], orders[1]
    execution.apply(_report(signed, SIGNED))
    halted = execution.apply(command("halt"))
    assert signed not in halted.cancelled
    assert intended in halted.cancelled
    landed = execution.apply(_report(signed, SUBMITTED))
    assert landed.fills == []
    (done,) = execution.apply(_report(signed, LANDED, _filled(signed, 5))).fills
    assert execution.desk.state.holding(signed.spec_id, signed.token) is not None
    assert done.fill.order == signed


def test_a_report_that_contradicts_the_state_of_an_order_is_refused() -> None:
    execution = _execution()
    genomes = population()
    execution.apply(allocations(genomes, usd={genome.spec_id: 1000.0 for genome in genomes}))
    order = next(order for step in execution.advance(EVENTS) for order in step.orders)
    for status in (SIGNED, SUBMITTED, EXPIRED):
        execution.apply(_report(order, status))
    with pytest.raises(TransitionError, match="expired cannot become landed"):
        execution.apply(_report(order, LANDED, _filled(order, 5)))
