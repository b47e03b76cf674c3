"""Checks of the manual commands of a run: requested, published, and applied by the desks."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from memesnipe.protocol.messages import CommandMessage
from memesnipe.protocol.streams import APPLIED_COMMANDS, COMMANDS
from memesnipe.storage.messages import read_messages
from memesnipe.storage.schema_control import CommandRow, ControlRow
from memesnipe.verification.comparison import differences, name_of
from memesnipe.verification.rederivation import Key, MessageKey

OF_USERS: Final = (COMMANDS, APPLIED_COMMANDS)  # the streams of the controls that are commands
_FIELDS: Final = ("name", "spec_id", "reason", "account", "token")

Content = dict[str, object]


def command_inconsistencies(connection: Connection, run_id: int) -> Iterator[str]:
    """Yield one line for each contradiction among the commands of users, those published, and those applied."""
    query = select(CommandRow).where(CommandRow.run_id == run_id, CommandRow.seq.is_not(None))
    assigned: dict[Key, Content] = {
        (row.command_id,): {"seq": row.seq} | _content(row) for row in connection.execute(query)
    }
    of_streams = {stream: _published(connection, run_id, stream) for stream in OF_USERS}
    published: dict[Key, Content] = {}
    for command in (*of_streams[COMMANDS].values(), *_own(connection, run_id, of_streams[APPLIED_COMMANDS])):
        key = (command.command_id,)
        if key in published:
            yield f"commands {name_of(key)}: was published twice"
        published[key] = {"seq": command.seq} | _content(command)
    yield from differences("commands", assigned, published)
    yield from _of_applied(connection, run_id, of_streams)


def _own(connection: Connection, run_id: int, applied: dict[MessageKey, CommandMessage]) -> Iterator[CommandMessage]:
    """Yield the commands that the desks have taken themselves, so that no other stream has them."""
    query = select(ControlRow.entry).where(ControlRow.run_id == run_id, ControlRow.stream == APPLIED_COMMANDS)
    for entry in connection.scalars(query.order_by(ControlRow.number)):
        if (APPLIED_COMMANDS, entry) in applied:  # otherwise reported with the controls
            yield applied[APPLIED_COMMANDS, entry]


def _of_applied(
    connection: Connection, run_id: int, of_streams: dict[str, dict[MessageKey, CommandMessage]]
) -> Iterator[str]:
    """Check that the applied commands are those of the controls; earlier versions published none."""
    applied = of_streams[APPLIED_COMMANDS]
    if not applied:
        return
    query = select(ControlRow).where(ControlRow.run_id == run_id, ControlRow.stream.in_(OF_USERS))
    expected: dict[Key, Content] = {}
    for number, row in enumerate(connection.execute(query.order_by(ControlRow.number)), start=1):
        command = of_streams[row.stream].get((row.stream, row.entry))
        if command is not None:
            expected[APPLIED_COMMANDS, number] = {"seq": row.effective_seq, "id": command.command_id} | _content(
                command
            )
    found: dict[Key, Content] = {
        key: {"seq": command.seq, "id": command.command_id} | _content(command) for key, command in applied.items()
    }
    yield from differences("applied commands", found, expected)


def _published(connection: Connection, run_id: int, stream: str) -> dict[MessageKey, CommandMessage]:
    """Return the commands of a stream; those that cannot be read are reported with the messages."""
    return {
        (stream, message.number): message.payload
        for message in read_messages(connection, run_id, stream)
        if message.payload is not None
    }


def _content(command: object) -> Content:
    return {name: str(getattr(command, name)) for name in _FIELDS}
