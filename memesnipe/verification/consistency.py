"""Consistency: checks of the records of a run against each other, whatever its events were."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, and_, func, select

from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.streams import (
    APPLIED_COMMANDS,
    CONSUMED_TO_THE_END,
    CONTROLS,
    EVENTS,
    STREAMS,
)
from memesnipe.storage.event_log import count_events, damaged_ranges
from memesnipe.storage.messages import read_messages
from memesnipe.storage.runs import FINISHED, Cursor, read_cursor, read_published
from memesnipe.storage.schema import MessageRow, RunRow, StreamOffsetRow
from memesnipe.storage.schema_control import ControlRow
from memesnipe.verification.applied_commands import OF_USERS, command_inconsistencies
from memesnipe.verification.comparison import name_of
from memesnipe.verification.rederivation import ConsumedOffsets, Key, Records

Offsets = dict[tuple[str, str], int]  # (actor, stream) -> number of the last entry consumed


def inconsistencies(connection: Connection, run_id: int, event_log: Path) -> Iterator[str]:
    """Yield one line for each contradiction among messages, controls, commands, stream offsets and the event log."""
    offsets = {
        (row.actor, row.stream): row.number
        for row in connection.execute(select(StreamOffsetRow).where(StreamOffsetRow.run_id == run_id))
    }
    yield from _of_messages(connection, run_id)
    yield from _of_controls(connection, run_id, offsets)
    yield from command_inconsistencies(connection, run_id)
    cursor = read_cursor(connection, run_id)
    finished = connection.scalar(select(RunRow.status).where(RunRow.run_id == run_id)) == FINISHED
    yield from _of_log(event_log, cursor, offsets, finished=finished)
    yield from _of_offsets(connection, run_id, cursor, offsets, finished=finished)


def _of_messages(connection: Connection, run_id: int) -> Iterator[str]:
    """Check that numbers have no gap, and that every message has the type of its stream and the seq of its row."""
    first, last = func.min(MessageRow.number), func.max(MessageRow.number)
    numbers = select(MessageRow.stream, first.label("first"), last.label("last"), func.count().label("kept"))
    query = numbers.where(MessageRow.run_id == run_id).group_by(MessageRow.stream).order_by(MessageRow.stream)
    for row in list(connection.execute(query)):
        stream = STREAMS.get(row.stream)
        if stream is None:
            yield f"messages {row.stream}: there is no such stream"
            continue
        if row.first != 1 and not stream.transient:
            yield f"messages {row.stream}: begin with {row.first}"
        if row.kept != row.last - row.first + 1:
            yield f"messages {row.stream}: {row.kept} of those from {row.first} to {row.last} exist"
        for message in read_messages(connection, run_id, row.stream):
            if message.payload is None:
                yield f"messages {row.stream}/{message.number}: {message.error}"
            elif message.payload.seq != message.seq:
                yield f"messages {row.stream}/{message.number}: its row has seq {message.seq}, its payload another"


def _of_controls(connection: Connection, run_id: int, offsets: Offsets) -> Iterator[str]:
    """Check that every consumed control was applied once, in order, and not before it was published."""
    same = and_(
        MessageRow.run_id == ControlRow.run_id,
        MessageRow.stream == ControlRow.stream,
        MessageRow.number == ControlRow.entry,
    )
    query = select(
        *(ControlRow.number, ControlRow.stream, ControlRow.entry, ControlRow.effective_seq),
        MessageRow.seq.label("published_seq"),
    )
    query = query.outerjoin(MessageRow, same).where(ControlRow.run_id == run_id).order_by(ControlRow.number)
    applied = dict.fromkeys(CONTROLS, 0)
    number = seq = commands = 0
    for row in connection.execute(query):
        what = f"controls {row.number}: {row.stream}/{row.entry}"
        if row.number != number + 1:
            yield f"controls: {number} is followed by {row.number}"
        commands += row.stream in OF_USERS
        # The desks number all commands that they apply; those that no other stream has are controls by this number.
        expected = commands if row.stream == APPLIED_COMMANDS else applied.get(row.stream, 0) + 1
        if row.entry != expected:
            yield f"{what} was applied where {row.stream}/{expected} is next"
        if row.effective_seq < seq:
            yield f"{what} was applied after event {row.effective_seq}, and the one before it after {seq}"
        if row.published_seq is None:
            yield f"{what} was applied, but never published"
        elif row.effective_seq < row.published_seq or (
            row.stream in OF_USERS and row.effective_seq != row.published_seq
        ):
            yield f"{what} was applied after event {row.effective_seq}, but belongs to {row.published_seq}"
        number, seq = row.number, row.effective_seq
        if row.stream != APPLIED_COMMANDS:
            applied[row.stream] = row.entry
    for stream, last in applied.items():
        consumed = offsets.get(("executor", stream), 0)
        if last != consumed:
            yield f"controls: {stream} was consumed up to {consumed}, but applied up to {last}"
    if seq > offsets.get(("executor", EVENTS), 0):
        yield f"controls {number}: was applied after event {seq}, which the executor has not consumed"


def _of_log(event_log: Path, cursor: Cursor, offsets: Offsets, *, finished: bool) -> Iterator[str]:
    """Check that the log has every published event, undamaged. An open run's log may be ahead of the commits."""
    count = count_events(event_log)
    if count < cursor.seq or (finished and count > cursor.seq):
        yield f"{event_log.name} has {count:g} events, and {cursor.seq} were published"
    yield from damaged_ranges(event_log, cursor.seq)
    for (actor, stream), number in sorted(offsets.items()):
        if stream == EVENTS and number > cursor.seq:
            yield f"stream_offsets {actor}/{stream}: {number} of {cursor.seq} events were consumed"
    consumed = offsets.get(("executor", EVENTS), 0)
    if finished and consumed < cursor.seq:
        yield f"the run is finished, but the executor has consumed {consumed} of {cursor.seq} events"


def _of_offsets(
    connection: Connection, run_id: int, cursor: Cursor, offsets: Offsets, *, finished: bool
) -> Iterator[str]:
    """Check that no actor consumed an unpublished message, and that a finished run consumed all due messages."""
    published = read_published(connection, run_id, cursor.seq)
    for (actor, stream), number in sorted(offsets.items()):
        last = published.get(stream, (0, 0))[0]
        if stream != EVENTS and number > last:
            yield f"stream_offsets {actor}/{stream}: {number} of {last} messages were consumed"
    for actor, streams in CONSUMED_TO_THE_END.items() if finished else ():
        for stream in streams:
            consumed, expected = offsets.get((actor, stream), 0), published.get(stream, (0, 0))[1]
            if consumed < expected:
                yield f"the run is finished, but {actor} has consumed {consumed} of {expected} messages of {stream}"


def trade_inconsistencies(records: Records, consumed: ConsumedOffsets) -> Iterator[str]:
    """Yield one line for each order or position that does not follow from the trades."""
    held: dict[Key, int] = {}
    for (order_id,), trade in records.trades.items():
        order = records.orders.get((order_id,))
        expected = OrderStatus.FAILED if trade["failure"] else OrderStatus.LANDED
        if order is None or order["status"] not in (expected, OrderStatus.RECONCILED):
            yield f"trades {order_id}: its order is {order['status'] if order else 'missing'}, not {expected}"
        sign = {"buy": 1, "sell": -1}.get(trade["side"], 0)
        key = (trade["account"], trade["spec_id"], trade["token"])
        held[key] = held.get(key, 0) + sign * trade["token_raw"]
    if len(records.trades) > consumed.fills:
        return  # an unfinished run: some trades are not booked yet
    for key, token_raw in held.items():
        position = records.positions.get(key)
        if position is None or position["token_raw"] != token_raw:
            yield f"positions {name_of(key)}: the trades add up to {token_raw} raw tokens"
