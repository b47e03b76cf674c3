"""The controls of a run: the messages that the executor applied, each with the event after which it was applied."""

from sqlalchemy import Connection, and_, func, select

from memesnipe.storage import schema, schema_control
from memesnipe.trading.replay import Control


def count_controls(connection: Connection, run_id: int) -> int:
    """Return the number of controls applied."""
    found = connection.scalar(
        select(func.max(schema_control.ControlRow.number)).where(schema_control.ControlRow.run_id == run_id)
    )
    return found or 0


def read_controls(
    connection: Connection, run_id: int, after: int = 0
) -> tuple[list[Control], dict[tuple[str, int], bytes]]:
    """Return the controls numbered above ``after`` in the order in which they were applied, and their payloads as JSON.

    A control whose message is missing is returned without a payload, so that its replay fails instead of skipping it.
    """
    control, message = schema_control.ControlRow, schema.MessageRow
    same = and_(message.run_id == control.run_id, message.stream == control.stream, message.number == control.entry)
    query = (
        select(control.stream, control.entry, control.effective_seq, message.payload)
        .outerjoin(message, same)
        .where(control.run_id == run_id, control.number > after)
        .order_by(control.number)
    )
    found = list(connection.execute(query))
    controls = [Control(row.stream, row.entry, row.effective_seq) for row in found]
    payloads = {(row.stream, row.entry): row.payload.encode() for row in found if row.payload is not None}
    return controls, payloads
