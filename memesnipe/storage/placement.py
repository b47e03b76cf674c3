"""Allocations that no event has been assigned to yet, in a run whose arenas have processes of their own."""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.streams import ALLOCATIONS, decoder_of
from memesnipe.storage.schema import MessageRow

_PENDING: Final = (
    select(MessageRow.payload)
    .where(
        MessageRow.run_id == bindparam("run"),
        MessageRow.stream == ALLOCATIONS,
        MessageRow.number > bindparam("placed"),
    )
    .order_by(MessageRow.number)
)


def pending_allocations(connection: Connection, run_id: int, placed: int) -> list[AllocationMessage]:
    """Return the allocations after number ``placed``, in order."""
    decode = decoder_of(ALLOCATIONS)
    found = connection.scalars(_PENDING, {"run": run_id, "placed": placed})
    return [decode(payload.encode()) for payload in found]
