"""The executor applies a command at its position among the events, in whatever order streams are republished."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest
import sqlalchemy as sa

from memesnipe.config.home import installation_of
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import COMMANDS
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.storage.runs import begin_run
from memesnipe.storage.schema_control import ControlRow
from memesnipe.telemetry.metrics import ActorMetrics
from tests.payloads import command
from tests.support import Market
from tests.verification.small_run import SmallRuns


@pytest.mark.timeout(120)
def test_a_command_waits_for_the_events_before_it(
    tmp_path: Path, database: sa.Engine, empty_redis: Callable[[], str]
) -> None:
    small = SmallRuns(tmp_path, database, empty_redis())
    run_id = begin_run(database, "replay:command", small.choice.to_dict(), small.settings.deciding).run_id
    context = Context(tmp_path, run_id)
    context.bus.take_over(installation_of(tmp_path), run_id)
    executor = Executor(context, ActorMetrics("executor"))
    executor.open()
    context.bus.publish([(COMMANDS, 1, 3, encode(command("halt", seq=3)))])
    executor.step()
    assert executor.offsets[COMMANDS].number == 0

    market = Market()
    for i in range(6):
        market.trade(i)
    events = market.events()
    published = [(payload.stream, payload.seq, payload.seq, encode(payload)) for payload in to_payloads(events, ["A"])]
    context.bus.publish(published[:4])
    executor.step()
    # Others go no further than the executor says it is: it says so also where events come seldom, but without a pause.
    executor._published_seq, executor._published_at = 4, perf_counter()
    context.bus.publish(published[4:5])
    executor.step()
    assert executor._published_seq == 4
    executor._published_at -= 2.0
    context.bus.publish(published[5:])
    executor.step()
    assert executor._published_seq == 6
    executor.close()
    with database.connect() as connection:
        applied = sa.select(ControlRow.stream, ControlRow.entry, ControlRow.effective_seq).where(
            ControlRow.run_id == run_id
        )
        assert connection.execute(applied).all() == [(COMMANDS, 1, 3)]
