"""The position role reads its streams in one order, in whatever order they are republished."""

import math
from collections.abc import Mapping

from memesnipe.bus.merge import Entry
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import APPLIED_COMMANDS, EVENTS, PROGRESS
from memesnipe.roles.position import PositionRole
from memesnipe.storage import views
from memesnipe.storage.actions import actions
from memesnipe.storage.command_submission import submit
from memesnipe.storage.rows import Page
from tests.payloads import applied, event, progress
from tests.roles.conftest import Stage


def test_an_applied_command_precedes_the_events_after_it_which_are_republished_later(stage: Stage) -> None:
    position = stage.start(PositionRole)
    position.open()
    bus, other = position.context.bus, stage.context()
    writer = other.bus
    writer.begin(other.installation, stage.run_id, "executor", other.stream_key)
    writer.publish([(APPLIED_COMMANDS, 1, 3, encode(applied("halt", seq=3))), progress(1, seq=5)])
    read, republished = bus.read, False

    def read_and_republish(offsets: Mapping[str, int], block_ms: int) -> list[Entry]:
        nonlocal republished
        found: list[Entry] = read(offsets, block_ms)
        if not republished:  # after a loss of Redis: the executor was first, and market data is next
            republished = True
            writer.publish(list(map(event, range(1, 6))))
        return found

    bus.read = read_and_republish
    found = [(entry.stream.partition(":")[0], entry.seq) for entry in position.read()]
    assert found == [
        (EVENTS, 1),
        (EVENTS, 2),
        (EVENTS, 3),
        (APPLIED_COMMANDS, 3),
        (EVENTS, 4),
        (EVENTS, 5),
        (PROGRESS, 5),
    ]
    other.close()


def test_a_command_that_changes_nothing_is_recorded_so(stage: Stage) -> None:
    position = stage.start(PositionRole)
    position.open()
    other = stage.context()
    other.bus.begin(other.installation, stage.run_id, "executor", other.stream_key)
    names = ("risk_reset", "halt", "halt", "risk_reset", "risk_reset")
    ids = [submit(stage.database, CommandName(name), reason="", deadline=math.inf).command_id for name in names]
    messages = [encode(applied(name, 1, command_id)) for name, command_id in zip(names, ids, strict=True)]
    other.bus.publish([event(1)])
    other.bus.publish([(APPLIED_COMMANDS, number, 1, message) for number, message in enumerate(messages, 1)])
    other.bus.publish([progress(1, seq=1)])
    other.close()

    def commands() -> list[dict[str, object]]:
        with stage.database.connect() as connection:
            return views.commands(connection, stage.run_id, 9)[::-1]

    while commands()[-1]["outcome"] is None:
        position.step()
    reset, halt = "nothing was halted, and no reset was needed", "trading was halted already"
    assert [(each["outcome"], each["effective"]) for each in commands()] == [
        (f"without effect: {reset}", False),
        ("done after event 1", True),
        (f"without effect: {halt}", False),
        ("done after event 1", True),
        (f"without effect: {reset}", False),
    ]
    with stage.database.connect() as connection:
        logged = actions(connection, stage.run_id, Page(9)).rows
    assert [each["effective"] for each in logged] == [False, True, False, True, False]
