"""A scripted venue with transactions: it signs, loses, expires, fills, and reports late and more than once."""

from dataclasses import dataclass, field

from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus

SIGNED, SUBMITTED, UNKNOWN = OrderStatus.SIGNED, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN
LANDED, FAILED, EXPIRED, RECONCILED = (
    OrderStatus.LANDED, OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.RECONCILED,
)  # fmt: skip
# The reports on the orders, in turn: most land, some fail, some expire, some are unknown for a while.
SCRIPTS = (
    (SIGNED, SUBMITTED, LANDED, RECONCILED),
    (SIGNED, SUBMITTED, LANDED, LANDED, SUBMITTED, RECONCILED, LANDED),  # late and doubled
    (SIGNED, SUBMITTED, FAILED, FAILED),
    (SIGNED, SUBMITTED, UNKNOWN, UNKNOWN, LANDED, RECONCILED),
    (SIGNED, SUBMITTED, LANDED),
    (SIGNED, EXPIRED, SIGNED, RECONCILED),
    (SIGNED, UNKNOWN, SUBMITTED, LANDED, RECONCILED),
)
STEP_EVENTS = 7  # between two reports on an order


def report_on(order: Order, status: OrderStatus, fill: Fill | None = None) -> ExecutionReport:
    return ExecutionReport(
        seq=1, ts=1, spec_id=order.spec_id, order_no=order.order_no, status=status, fill=fill, signature="sig",
        detail="",
    )  # fmt: skip


def filled(order: Order, failure: str = "") -> Fill:
    """Return a fill as the balances of a chain give it, not by a formula of the engine; its seq is unknown there."""
    ts = order.due_ts + 5
    if failure:
        return Fill(order, ts, 0, 0, 0, 0, 105_000, 0, failure)
    if order.side == BUY_SIDE:
        lamports = order.budget_lamports * 9 // 10
        return Fill(order, ts, 0, order.expected * 8 // 10, lamports, lamports // 80, 115_000, lamports, "")
    return Fill(order, ts, 0, order.token_raw, order.expected, order.expected // 80, 115_000, order.expected, "")


def reported(order: Order, status: OrderStatus) -> ExecutionReport:
    """Return the report of a status, with the fill that belongs to it."""
    fill = filled(order, "slipped" if status is FAILED else "") if status in (LANDED, FAILED) else None
    return report_on(order, status, fill)


@dataclass
class ScriptedChain:
    """The chain and the durable store of its client: it outlives the executor. Its time is the number of an event."""

    now: int = 0
    accepted: dict[str, Order] = field(default_factory=dict)  # by order id
    submissions: list[str] = field(default_factory=list)  # with repetitions
    cancellations: list[str] = field(default_factory=list)
    due: list[tuple[int, ExecutionReport]] = field(default_factory=list)  # not acknowledged: event, report

    def submit(self, order_id: str, order: Order) -> None:
        self.submissions.append(order_id)
        if order_id in self.accepted:
            return
        script = SCRIPTS[len(self.accepted) % len(SCRIPTS)]
        self.accepted[order_id] = order
        self.due += [(self.now + STEP_EVENTS * i, reported(order, status)) for i, status in enumerate(script, start=1)]
        self.due.sort(key=lambda entry: entry[0])

    def cancel(self, order_id: str) -> None:
        """Report CANCELLED in place of what is due, unless the transaction is signed."""
        self.cancellations.append(order_id)
        order = self.accepted[order_id]
        key = (order.spec_id, order.order_no)
        own = [entry for entry in self.due if (entry[1].spec_id, entry[1].order_no) == key]
        if own and own[0][1].status is SIGNED and own[0][0] > self.now:
            self.due = [entry for entry in self.due if entry not in own]
            self.due.insert(0, (self.now, report_on(order, OrderStatus.CANCELLED)))

    def poll(self) -> list[ExecutionReport]:
        return [report for seq, report in self.due if seq <= self.now]

    def acknowledge(self, reports: list[ExecutionReport]) -> None:
        for report in reports:
            del self.due[next(i for i, (_, due) in enumerate(self.due) if due is report)]

    def close(self) -> None:
        """Stay as it is: it outlives the executor."""
