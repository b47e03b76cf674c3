"""Consistency: what the records of a run must say of each other, whatever its events were."""

from collections.abc import Iterator
from pathlib import Path

import orjson
from sqlalchemy import Connection, and_, func, select

from memesnipe.storage.event_log import damage, logged
from memesnipe.storage.runs import FINISHED, Cursor, read_cursor
from memesnipe.storage.schema import Message, Run, StreamOffsetRow
from memesnipe.storage.schema_control import Command, Control
from memesnipe.trading.messages import (
    COMMANDS,
    CONTROLS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
)
from memesnipe.verification.comparison import differences, name_of
from memesnipe.verification.rederivation import ConsumedOffsets, Key, Records

TRANSIENT = (SIMULATION_RESULTS, "executor_progress")  # old ones leave the database
_HEARD_BY_THE_END = {
    "executor": CONTROLS,
    "position": (FILLS, SIMULATION_RESULTS, COMMANDS),
    "portfolio": (POSITION_UPDATES,),
}


def inconsistencies(connection: Connection, run_id: int, event_log: Path) -> Iterator[str]:
    """Where messages, controls, commands, positions in the streams and the event log contradict each other."""
    positions = {
        (row.actor, row.stream): row.position
        for row in connection.execute(select(StreamOffsetRow).where(StreamOffsetRow.run_id == run_id))
    }
    yield from _of_messages(connection, run_id)
    yield from _of_controls(connection, run_id, positions)
    yield from _of_commands(connection, run_id)
    cursor = read_cursor(connection, run_id)
    finished = connection.scalar(select(Run.status).where(Run.run_id == run_id)) == FINISHED
    yield from _of_log(event_log, cursor, positions, finished=finished)
    yield from _of_positions(connection, run_id, cursor, positions, finished=finished)


def _of_messages(connection: Connection, run_id: int) -> Iterator[str]:
    """Numbers have no gap, and every message begins with the event that its row names."""
    first, last = func.min(Message.number), func.max(Message.number)
    numbers = select(Message.stream, first.label("first"), last.label("last"), func.count().label("kept"))
    query = numbers.where(Message.run_id == run_id).group_by(Message.stream).order_by(Message.stream)
    for row in connection.execute(query):
        if row.first != 1 and row.stream not in TRANSIENT:
            yield f"messages {row.stream}: begin with {row.first}"
        if row.kept != row.last - row.first + 1:
            yield f"messages {row.stream}: {row.kept} of those from {row.first} to {row.last} are there"
    begins = Message.payload.regexp_match(func.concat('^\\{"seq":', Message.seq, "[,}]"))
    wrong = select(Message.stream, Message.number, Message.seq).where(Message.run_id == run_id, ~begins)
    for stream, number, seq in connection.execute(wrong.order_by(Message.stream, Message.number)):
        yield f"messages {stream}/{number}: seq is recorded as {seq}, and that is not what it says"


def _of_controls(connection: Connection, run_id: int, positions: dict[tuple[str, str], int]) -> Iterator[str]:
    """All that the executor has taken in was obeyed, once, in order, and not before it was said."""
    same = and_(Message.run_id == Control.run_id, Message.stream == Control.stream, Message.number == Control.entry)
    query = select(Control.number, Control.stream, Control.entry, Control.effective_seq, Message.seq.label("said_seq"))
    found = connection.execute(query.outerjoin(Message, same).where(Control.run_id == run_id).order_by(Control.number))
    applied = dict.fromkeys(CONTROLS, 0)
    number = seq = 0
    for row in found:
        what = f"controls {row.number}: {row.stream}/{row.entry}"
        if row.number != number + 1:
            yield f"controls: after {number} comes {row.number}"
        if row.entry != applied.get(row.stream, 0) + 1:
            yield f"{what} was obeyed where {row.stream}/{applied.get(row.stream, 0) + 1} comes next"
        if row.effective_seq < seq:
            yield f"{what} was obeyed after event {row.effective_seq}, and the one before it after {seq}"
        if row.said_seq is None:
            yield f"{what} was obeyed, but never said"
        elif row.effective_seq < row.said_seq or (row.stream == COMMANDS and row.effective_seq != row.said_seq):
            yield f"{what} was obeyed after event {row.effective_seq}, but said after {row.said_seq}"
        number, seq, applied[row.stream] = row.number, row.effective_seq, row.entry
    for stream, last in applied.items():
        taken_in = positions.get(("executor", stream), 0)
        if last != taken_in:
            yield f"controls: {stream} was taken in up to {taken_in}, but obeyed up to {last}"
    if seq > positions.get(("executor", "events"), 0):
        yield f"controls {number}: was obeyed after event {seq}, which the executor has not taken in"


def _of_commands(connection: Connection, run_id: int) -> Iterator[str]:
    """What was given its place is what everyone was told, and the other way round."""
    query = select(Command).where(Command.run_id == run_id, Command.seq.is_not(None))
    placed = {
        (row.command_id,): {"seq": row.seq, "name": row.name, "spec_id": row.spec_id, "reason": row.reason}
        for row in connection.execute(query)
    }
    told: dict[Key, dict[str, object]] = {}
    messages = select(Message.seq, Message.payload).where(Message.run_id == run_id, Message.stream == COMMANDS)
    for seq, payload in connection.execute(messages.order_by(Message.number)):
        said = orjson.loads(payload)
        key = (said["command_id"],)
        if key in told:
            yield f"commands {name_of(key)}: was given its place twice"
        told[key] = {"seq": seq, **{name: said[name] for name in ("name", "spec_id", "reason")}}
    yield from differences("commands", placed, told)


def _of_log(event_log: Path, cursor: Cursor, positions: dict[tuple[str, str], int], *, finished: bool) -> Iterator[str]:
    """The log has every event that was published, undamaged. While the run goes on it is ahead of what is committed."""
    held = logged(event_log)
    if held < cursor.seq or (finished and held > cursor.seq):
        yield f"{event_log.name} has {held:g} events, and {cursor.seq} were published"
    yield from damage(event_log, cursor.seq)
    for (actor, stream), position in sorted(positions.items()):
        if stream == "events" and position > cursor.seq:
            yield f"consumer_positions {actor}/{stream}: {position} of {cursor.seq} events were taken in"
    taken_in = positions.get(("executor", "events"), 0)
    if finished and taken_in < cursor.seq:
        yield f"the run is finished, but the executor has come to event {taken_in} of {cursor.seq}"


def _of_positions(
    connection: Connection, run_id: int, cursor: Cursor, positions: dict[tuple[str, str], int], *, finished: bool
) -> Iterator[str]:
    """Nobody has heard what was not said; and when the run is finished, those who act on it have heard it all."""
    # Behind the last event a person may still ask for something, and the breaker answers: it changes nothing any more.
    unpublished = func.max(Message.number).filter(
        Message.stream.not_in((COMMANDS, RISK_EVENTS)) | (Message.seq < cursor.seq)
    )
    query = select(Message.stream, func.max(Message.number).label("last"), unpublished.label("unpublished"))
    said = {
        row.stream: (row.last, row.unpublished or 0)
        for row in connection.execute(query.where(Message.run_id == run_id).group_by(Message.stream))
    }
    for (actor, stream), position in sorted(positions.items()):
        last = said.get(stream, (0, 0))[0]
        if not stream.startswith("events") and position > last:
            yield f"consumer_positions {actor}/{stream}: {position} of {last} messages were taken in"
    for actor, streams in _HEARD_BY_THE_END.items() if finished else ():
        for stream in streams:
            subscribed, due = positions.get((actor, stream), 0), said.get(stream, (0, 0))[1]
            if subscribed < due:
                yield f"the run is finished, but {actor} has taken in {subscribed} of {due} messages of {stream}"


def trade_inconsistencies(books: Records, reach: ConsumedOffsets) -> Iterator[str]:
    """Where orders and positions are not what the trades make of them."""
    held: dict[tuple[str, int], int] = {}
    for (order_id,), trade in books.trades.items():
        order = books.orders.get((order_id,))
        expected = "failed" if trade["failure"] else "landed"
        if order is None or order["status"] != expected:
            yield f"trades {order_id}: its order is {order['status'] if order else 'missing'}, not {expected}"
        sign = {"buy": 1, "sell": -1}.get(trade["side"], 0)
        key = (trade["spec_id"], trade["token"])
        held[key] = held.get(key, 0) + sign * trade["token_raw"]
    if len(books.trades) > reach.fills:
        return  # an unfinished run: some trades are still to be booked
    for key, token_raw in held.items():
        position = books.positions.get(key)
        if position is None or position["token_raw"] != token_raw:
            yield f"positions {name_of(key)}: the trades add up to {token_raw} raw tokens"
