"""Read the outbox: the messages of a run as typed payloads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from memesnipe.protocol.payload import ProtocolError
from memesnipe.protocol.streams import decoder_of
from memesnipe.storage.schema import MessageRow


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message: its payload, or None and the error if its JSON does not have the type of its stream."""

    number: int
    seq: int
    payload: Any
    error: str = ""


def read_messages(connection: Connection, run_id: int, stream: str) -> Iterator[StoredMessage]:
    """Yield the messages of one stream in their order."""
    query = select(MessageRow.number, MessageRow.seq, MessageRow.payload).where(
        MessageRow.run_id == run_id, MessageRow.stream == stream
    )
    decode = decoder_of(stream)
    for row in connection.execute(query.order_by(MessageRow.number)):
        try:
            yield StoredMessage(row.number, row.seq, decode(row.payload.encode()))
        except ProtocolError as error:
            yield StoredMessage(row.number, row.seq, None, str(error))
