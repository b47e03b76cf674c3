"""The executor: moves the arena and the desk over the events, and writes down every order before it has an effect."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import update

from actors.consumer import Consumer
from actors.context import Context
from memesnipe.bus.merge import Entry
from memesnipe.bus.streams import (
    ALLOCATIONS,
    EVENT_STREAMS,
    EVENTS,
    EXIT_ORDERS,
    FILLS,
    RISK_EVENTS,
    SIMULATION_RESULTS,
)
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.codec import from_messages
from memesnipe.market.events import LAMPORTS_PER_SOL, SIDE_NAMES
from memesnipe.storage.journal import Effects
from memesnipe.storage.runs import read_mints
from memesnipe.storage.schema import Allocation, OrderRow, Trade
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.execution import Execution, ExecutionState, Step
from memesnipe.trading.messages import fill_message

_STATE = TypeAdapter(ExecutionState)
_MODE = "paper"  # the only mode in which the desk trades in this version


class Executor(Consumer):
    """Shell of `memesnipe.trading.execution.Execution`."""

    name = "executor"
    # What the others decided after an event comes into force before the next event.
    reads = (EVENTS, RISK_EVENTS, EXIT_ORDERS, ALLOCATIONS)
    writes = (FILLS, SIMULATION_RESULTS)

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        self._execution = Execution(
            context.families,
            context.fill_model,
            shadow_capital_usd=settings.shadow_capital_usd,
            max_position_usd=settings.global_max_position_usd,
        )
        self._mints: dict[int, str] = {}

    def handle(self, entries: list[Entry], effects: Effects) -> None:
        """Advance over runs of events, and apply what comes between them."""
        waiting: list[Entry] = []
        for entry in entries:
            if entry.stream in EVENT_STREAMS:
                waiting.append(entry)
                continue
            self._advance(waiting, effects)
            waiting = []
            self._apply(entry, effects)
        self._advance(waiting, effects)

    def _advance(self, entries: list[Entry], effects: Effects) -> None:
        if not entries:
            return
        self._mints |= {e.data["token"]: e.data["mint"] for e in entries if "mint" in e.data}
        for step in self._execution.advance(from_messages([entry.data for entry in entries])):
            self._write(step, effects)

    def _write(self, step: Step, effects: Effects) -> None:
        effects.add(OrderRow, [self._order_row(order) for order in step.orders])
        for fill in step.fills:
            self._write_fill(fill, effects)
        if step.results is not None:
            results = [asdict(result) for result in step.results]
            message = {"ts": step.ts, "flags": step.flags, "results": results}
            effects.send(SIMULATION_RESULTS, step.seq, message)

    def _apply(self, entry: Entry, effects: Effects) -> None:
        if entry.stream == RISK_EVENTS:
            self._execution.apply_risk(entry.data)
        elif entry.stream == EXIT_ORDERS:
            order = self._execution.apply_exit(entry.data)
            if order is not None:
                effects.add(OrderRow, [self._order_row(order)])
        else:
            self._execution.apply_allocations(entry.data)
            effective = self._execution.arena.last_seq
            effects.change(
                update(Allocation)
                .where(Allocation.run_id == self.context.run_id, Allocation.seq == entry.seq)
                .values(effective_seq=effective)
            )

    def _order_row(self, order: Order) -> dict[str, Any]:
        return {
            "order_id": _order_id(order),
            "spec_id": order.spec_id,
            "token": order.token,
            "mint": self._mints[order.token],
            "side": SIDE_NAMES[order.side],
            "reason": order.reason,
            "status": "intended",
            "decided_seq": order.decided_seq,
            "decided_ts": order.decided_ts,
            "due_ts": order.due_ts,
            "budget_lamports": order.budget_lamports,
            "token_raw": order.token_raw,
            "expected": order.expected,
        }

    def _write_fill(self, fill: Fill, effects: Effects) -> None:
        order = fill.order
        row: dict[str, Any] = {
            "order_id": _order_id(order),
            "spec_id": order.spec_id,
            "token": order.token,
            "mint": self._mints[order.token],
            "side": SIDE_NAMES[order.side],
            "status": "FAILED" if fill.failure else _MODE.upper(),
            "reason": order.reason,
            "failure": fill.failure,
            "ts": fill.ts,
            "seq": fill.seq,
            "token_raw": fill.token_raw,
            "sol_lamports": fill.sol_lamports,
            "pool_fee_lamports": fill.pool_fee_lamports,
            "network_fee_lamports": fill.network_fee_lamports,
            "value_usd": fill.sol_lamports / LAMPORTS_PER_SOL * self._execution.desk.state.board.sol_usd,
        }
        effects.add(Trade, [row])
        effects.change(
            update(OrderRow)
            .where(OrderRow.run_id == self.context.run_id, OrderRow.order_id == row["order_id"])
            .values(status="failed" if fill.failure else "landed")
        )
        effects.send(FILLS, fill.seq, fill_message(fill, row["mint"], _MODE))

    def recover(self, saved_seq: int) -> None:
        """Move over the events since the snapshot; what came of them was committed then."""
        with self.context.database.connect() as connection:
            self._mints = dict(enumerate(read_mints(connection, self.context.run_id)))

        def take(entries: list[Entry]) -> None:
            for _ in self._execution.advance(from_messages([entry.data for entry in entries])):
                pass

        self.replay(saved_seq, take)

    def dump(self) -> bytes:
        """The arena and the desk."""
        return _STATE.dump_json(self._execution.dump())

    def load(self, state: bytes) -> None:
        """Take the state of `dump` over."""
        self._execution.load(_STATE.validate_json(state))


def _order_id(order: Order) -> str:
    return f"{order.spec_id}-{order.order_no}"
