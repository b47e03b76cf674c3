"""The position role reads its streams in one order, in whatever order they are republished."""

from collections.abc import Mapping

from memesnipe.bus.merge import Entry
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import APPLIED_COMMANDS, EVENTS, PROGRESS
from memesnipe.roles.position import PositionRole
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
