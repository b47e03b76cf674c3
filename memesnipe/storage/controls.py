"""The controls of a run: what the executor was told, and after which event it obeyed."""

import orjson
from sqlalchemy import Connection, and_, func, select

from memesnipe.storage import schema, schema_control
from memesnipe.trading.replay import Control, Messages


def count_controls(connection: Connection, run_id: int) -> int:
    """How many controls were obeyed."""
    found = connection.scalar(
        select(func.max(schema_control.Control.number)).where(schema_control.Control.run_id == run_id)
    )
    return found or 0


def read_controls(connection: Connection, run_id: int, after: int = 0) -> tuple[list[Control], Messages]:
    """The controls numbered above ``after``, in the order in which they were obeyed, and what they said.

    A control whose message is gone is among them, so that whoever obeys it again fails instead of passing it over.
    """
    told, message = schema_control.Control, schema.Message
    same = and_(message.run_id == told.run_id, message.stream == told.stream, message.number == told.entry)
    query = (
        select(told.stream, told.entry, told.effective_seq, message.payload)
        .outerjoin(message, same)
        .where(told.run_id == run_id, told.number > after)
        .order_by(told.number)
    )
    found = list(connection.execute(query))
    controls = [Control(row.stream, row.entry, row.effective_seq) for row in found]
    said = {(row.stream, row.entry): orjson.loads(row.payload) for row in found if row.payload is not None}
    return controls, said
