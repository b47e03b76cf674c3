"""A flatten outside of lockstep is applied where the desks are: it waits for neither market_data nor an arena."""

import pytest
import sqlalchemy as sa

from memesnipe.clock import SystemClock
from memesnipe.engine.orders import ENTRIES
from memesnipe.feeds.choice import FeedChoice
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import APPLIED_COMMANDS, COMMANDS, EVENTS
from memesnipe.roles.sharded_executor import ShardedExecutor
from memesnipe.storage.commands import enqueue, pending_commands
from memesnipe.storage.runs import ARENA_SHARDS, begin_run
from memesnipe.storage.schema import OrderRow
from memesnipe.storage.schema_control import CommandRow, ControlRow
from tests.payloads import command, event
from tests.roles.conftest import Stage
from tests.roles.test_executor_venue import CheckedChain, LiveRun

pytestmark = pytest.mark.timeout(200)

AT = 120  # events that were consumed before the flatten


def request(database: sa.Engine, run_id: int, name: CommandName) -> int:
    with database.begin() as connection:
        return enqueue(connection, run_id, name)


def controls(database: sa.Engine, run_id: int) -> list[tuple[str, int, int]]:
    """Return stream, number and event of the controls that are commands."""
    row = ControlRow
    query = sa.select(row.stream, row.entry, row.effective_seq).where(row.run_id == run_id)
    with database.connect() as connection:
        found = connection.execute(query.where(row.stream.in_((COMMANDS, APPLIED_COMMANDS))).order_by(row.number))
        return [tuple(one) for one in found]


def test_it_sells_without_market_data_and_an_earlier_halt_that_arrives_later_does_not_end_it(
    stage: Stage, database: sa.Engine
) -> None:
    run = LiveRun(stage, CheckedChain(database), speed=1.0)
    run.run(0, AT)
    held = {*run.executor.desks[Account.LIVE].state.held()}
    halted, flattened = (request(database, stage.run_id, name) for name in (CommandName.HALT, CommandName.FLATTEN))
    with database.connect() as connection:
        of_market_data = pending_commands(connection, stage.run_id, with_flattens=False)
    assert [one.command_id for one in of_market_data] == [halted]

    while not run.executor.desks[Account.LIVE].state.flattening:  # it looks four times a second
        run.settle(AT)  # no event arrives
    rows = run.rows(OrderRow).values()
    sold = [row for row in rows if row["account"] == Account.LIVE and row["reason"] == "flatten"]
    pending = run.executor.desks[Account.LIVE].state.pending
    assert sold and {(order.spec_id, order.token) for order in pending if order.side not in ENTRIES} >= held
    assert {row["order_id"] for row in sold} <= {*run.chain.submissions}
    with database.connect() as connection:
        row = connection.execute(sa.select(CommandRow).where(CommandRow.command_id == flattened)).one()
    assert (row.seq, row.outcome) == (AT, f"done after event {AT}")
    assert controls(database, stage.run_id) == [(APPLIED_COMMANDS, 1, AT)]

    run.control(COMMANDS, AT, encode(command("halt", seq=AT, command_id=halted)))
    run.settle(AT)
    assert run.executor.desks[Account.LIVE].state.flattening, "what was asked for last stands"
    run.executor.close()
    run.executor = run.start()  # the recovery derives the same again
    run.run(AT)
    state = run.executor.desks[Account.LIVE].state
    assert state.flattening and state.held() == []
    assert controls(database, stage.run_id) == [(APPLIED_COMMANDS, 1, AT), (COMMANDS, 1, AT)]


class StoppableClock(SystemClock):
    """The machine's clock, until it is stopped."""

    stopped_at_s: float | None = None

    def monotonic_s(self) -> float:
        return super().monotonic_s() if self.stopped_at_s is None else self.stopped_at_s


def test_a_later_reset_that_is_read_before_the_next_look_ends_it(stage: Stage, database: sa.Engine) -> None:
    clock = StoppableClock()
    run = LiveRun(stage, CheckedChain(database), speed=1.0, clock=clock)
    run.run(0, AT)
    clock.stopped_at_s = clock.monotonic_s()
    run.settle(AT)  # the last look
    request(database, stage.run_id, CommandName.FLATTEN)
    reset = request(database, stage.run_id, CommandName.RISK_RESET)
    run.control(COMMANDS, AT, encode(command("risk_reset", seq=AT, command_id=reset)))
    run.settle(AT)
    state = run.executor.desks[Account.LIVE].state
    assert not state.halted and not state.flattening
    assert controls(database, stage.run_id) == [(APPLIED_COMMANDS, 1, AT), (COMMANDS, 1, AT)]


def test_it_does_not_wait_for_an_arena_that_answers_nothing(
    stage: Stage, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memesnipe.roles.sharded_executor.BLOCK_MS", 1)
    stage.run_id = begin_run(database, "test:silent", FeedChoice("list", 1.0).to_dict(), {ARENA_SHARDS: 2}).run_id

    def opened() -> ShardedExecutor:
        made: ShardedExecutor = stage.start(ShardedExecutor)
        made.open()
        return made

    executor = opened()
    executor.context.bus.publish(list(map(event, range(1, 6))))
    request(database, stage.run_id, CommandName.FLATTEN)
    executor.step()
    assert executor.desks[Account.PAPER].state.flattening
    executor.close()
    again = opened()  # its snapshot has the flatten
    again.step()
    assert again.desks[Account.PAPER].state.flattening and again.offsets[EVENTS].number == 0
    assert controls(database, stage.run_id) == [(APPLIED_COMMANDS, 1, 0)]
