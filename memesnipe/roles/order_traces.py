"""The spans of committed steps: the engine knows nothing of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import SIDE_NAMES
from memesnipe.protocol.account import Account, order_id
from memesnipe.protocol.messages import FillMessage
from memesnipe.trading.desk_state import order_key
from memesnipe.trading.steps import Step

if TYPE_CHECKING:  # OpenTelemetry is slow to load, and off by default
    from memesnipe.telemetry.traces import Traces, Value

_MS = 1_000_000


def trace_steps(traces: "Traces", steps: Sequence[Step], mints: Mapping[int, str], start_ns: int, end_ns: int) -> None:
    """Add the spans of the events that led to orders, of these orders, and of the fills of earlier ones.

    Args:
        traces: of the executor.
        steps: all steps of the commit.
        mints: the address of each token.
        start_ns: when their events were read, by the machine's clock.
        end_ns: when they were committed and published.
    """
    decided = {order.decided_seq: order.decided_ts for step in steps for order in step.orders}
    for seq, ts in decided.items():
        traces.add("event", seq=seq, start_ns=start_ns, end_ns=end_ns, attributes={"ts": ts})
    for step in steps:
        for order in step.orders:
            traces.add(
                "order", seq=order.decided_seq, order=order_id(step.account, order_key(order)), parent="event",
                start_ns=start_ns, end_ns=end_ns,
                attributes=_attributes(step.account, order, mints) | {"reason": order.reason, "spec_id": order.spec_id},
            )  # fmt: skip
        for done in step.fills:
            order = done.fill.order
            traces.add(
                "fill", seq=order.decided_seq, order=order_id(step.account, order_key(order)), parent="order",
                start_ns=start_ns, end_ns=end_ns,
                attributes=_attributes(step.account, order, mints) | _outcome(done.fill),
            )  # fmt: skip


def _outcome(fill: Fill) -> "dict[str, Value]":
    return {
        "outcome": fill.failure or "landed",
        "filled_seq": fill.seq,
        "latency_ms": (fill.ts - fill.order.decided_ts) / _MS,  # in event time
        "sol_lamports": fill.sol_lamports,
    }


def trace_booked(traces: "Traces", fills: Sequence[FillMessage], start_ns: int, end_ns: int) -> None:
    """Add the spans of fills that the position role has booked and committed."""
    for message in fills:
        order = message.fill.order
        key = order_id(message.account, order_key(order))
        traces.add(
            "booked", seq=order.decided_seq, order=key, parent="fill", start_ns=start_ns, end_ns=end_ns,
            attributes={"status": message.status},
        )  # fmt: skip


def _attributes(account: Account, order: Order, mints: Mapping[int, str]) -> "dict[str, Value]":
    return {"account": str(account), "side": SIDE_NAMES[order.side], "mint": mints.get(order.token, "")}
