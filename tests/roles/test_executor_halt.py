"""A halt outlives the executor's process: after a kill and a recovery no order is sent that it forbids.

The snapshot is older than the halt, so recovery replays events before and after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.engine.fills import SETTLED
from memesnipe.market.events import Events
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.payload import Payload, encode
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.storage.journal import Journal
from memesnipe.storage.schema import OrderRow
from memesnipe.storage.schema_control import RefusalRow
from memesnipe.telemetry.metrics import ActorMetrics
from tests.payloads import allocations, command
from tests.roles.conftest import Stage
from tests.support import FAMILIES, Market, genome

NEVER_S = 1e9
BEFORE, HALT, AFTER, DEAD_AFTER_S = 40, 60, 84, 1_800
FLIPS = [genome("flip", take_profit=50.0 + i) for i in range(8)]
TRADES = [1.0 if i // 4 % 2 == 0 else -0.8 for i in range(AFTER)]  # flips buy and sell, and hold at the end


@dataclass
class Run:
    """An executor that is killed and started again, and the writers of what it reads."""

    stage: Stage
    executors: list[Executor] = field(default_factory=list)

    @property
    def executor(self) -> Executor:
        return self.executors[-1]

    def start(self) -> None:
        """Start an executor in a new process, which makes a snapshot at once and never again."""
        context = Context(self.stage.home, self.stage.run_id, snapshot_every_s=NEVER_S, epochs={})
        vars(context).update(families=FAMILIES)
        self.executors.append(Executor(context, ActorMetrics("executor")))
        self.executor.open()

    def kill(self) -> None:
        """End the process after what its background thread has begun; its connections break."""
        self.executor._snapshots.close()
        self.executor.context.close()

    def send(self, actor: str, payload: Payload) -> None:
        """Commit and publish a message of another actor."""
        context = self.stage.context()
        journal = Journal(context.database, self.stage.run_id, actor, [payload.stream], epochs={})
        journal.open()
        work = journal.unit_of_work()
        work.send(payload)
        self.executor.context.bus.publish(journal.commit(work, {}))
        context.close()
        while self.executor.offsets[payload.stream].number == 0:
            self.executor.step()

    def publish(self, events: Events) -> None:
        """Publish events, and let the executor consume them one batch after the other."""
        payloads = to_payloads(events, ["A", "B"])
        self.executor.context.bus.publish((p.stream, p.seq, p.seq, encode(p)) for p in payloads)
        while self.executor.seq < int(events["seq"][-1]):
            self.executor.step()
        self.executor._commit_offsets()

    def rows(self, table: type[Any], after: int, column: str) -> list[Any]:
        found = sa.select(table).where(table.run_id == self.stage.run_id, getattr(table, column) > after)
        with self.stage.database.connect() as connection:
            return list(connection.execute(found))


@pytest.fixture
def run(stage: Stage) -> Iterator[Run]:
    made = Run(stage)
    made.start()
    yield made
    made.kill()


def _market() -> Events:
    market = Market()
    for i, sol in enumerate(TRADES):
        market.trade(i * 2.0, "AB"[i % 2], sol)
    market.trade(2.0 * AFTER + DEAD_AFTER_S + 60.0, "B")
    return market.events()


@pytest.mark.parametrize("events_after_halt", [0, 10])
def test_no_order_is_sent_after_a_halt_that_a_kill_follows(run: Run, events_after_halt: int) -> None:
    events = _market()
    run.publish(events[:1])
    run.publish(events[1:2])
    assert run.executor._snapshots.completed == 1, "the only snapshot is older than all that follows"
    run.send("portfolio", allocations(FLIPS, usd={each.spec_id: 500.0 for each in FLIPS}, seq=2))
    run.publish(events[2:HALT])
    assert run.rows(OrderRow, BEFORE, "decided_seq"), "the strategies trade"
    run.send("market_data", command("halt", seq=HALT))
    if events_after_halt:
        run.publish(events[HALT : HALT + events_after_halt])
    run.kill()

    run.start()
    assert run.executor.context.snapshot_file("executor").is_file()
    assert run.executor.offsets[ALLOCATIONS].number == run.executor.offsets[COMMANDS].number == 1
    (desk,) = run.executor.desks.values()
    assert desk.state.halted
    held = desk.state.held()
    assert held
    run.publish(events[HALT + events_after_halt : AFTER])
    refused = run.rows(RefusalRow, HALT + events_after_halt, "seq")
    assert {row.reason for row in refused} == {"halted"}
    assert run.rows(OrderRow, HALT, "decided_seq") == []

    # A token dies: its holding is closed in the books, without an order to the chain, which a halt does not forbid.
    run.publish(events[AFTER:])
    closed = run.rows(OrderRow, HALT, "decided_seq")
    assert closed
    assert {row.reason for row in closed} <= set(SETTLED)
    assert {(row.spec_id, row.token) for row in closed} <= set(held)
