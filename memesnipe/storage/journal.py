"""The journal: what an actor did and how far it has read, committed as one.

An actor that dies anywhere finds in its journal a state in which every entry up to a position had its effect once,
and every message it owes to others (the outbox), whether they were sent or not. Who commits must hold the actor's
lease, so of two that run, one has effects.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import Engine, Executable, Select, delete, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from memesnipe.protocol.payload import Payload, encode
from memesnipe.protocol.streams import EVENTS
from memesnipe.storage.lease import Lease
from memesnipe.storage.schema import Base, FeedCursorRow, MessageRow, SnapshotRow, StreamOffsetRow


# Making a statement takes longer than running it, and every commit needs the same ones.
@cache
def _insert(table: type[Base]) -> Insert:
    return insert(table)


@cache
def _upsert(table: type[Base], columns: tuple[str, ...], adding: tuple[str, ...]) -> Insert:
    """Insert rows of these columns besides the run; what is there already is overwritten, or (``adding``) added to."""
    keys = [column.name for column in table.__table__.primary_key.columns]  # type: ignore[attr-defined]
    statement = insert(table)
    old, new = table.__table__.columns, statement.excluded
    changed = {name: old[name] + new[name] if name in adding else new[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


# (stream, number, seq, JSON): what the bus publishes
Sent = tuple[str, int, int, bytes]


@dataclass(slots=True)
class StreamOffset:
    """How far a stream was read: the last entry's number and event, and how many were taken in."""

    number: int = 0
    seq: int = 0
    consumed: int = 0


@dataclass(slots=True)
class UnitOfWork:
    """What an actor wants done about what it read; nothing happens until it is committed."""

    statements: list[tuple[Executable, list[dict[str, Any]]]] = field(default_factory=list)
    messages: list[tuple[str, int, bytes]] = field(default_factory=list)
    snapshot: tuple[int, bytes] | None = None
    _run_id: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.statements and not self.messages and self.snapshot is None

    def add(self, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows; one that is there already fails the commit, for no effect happens twice."""
        if rows:
            self.statements.append((_insert(table), self._keyed(rows)))

    def put(self, table: type[Base], rows: Sequence[dict[str, Any]], *, adding: Sequence[str] = ()) -> None:
        """Insert rows; those that are there already are overwritten. All rows have the same columns.

        Args:
            table: with a primary key.
            rows: without the run.
            adding: columns that are added to what is there, rather than written over it.
        """
        if not rows:
            return
        self.statements.append((_upsert(table, tuple(rows[0]), tuple(adding)), self._keyed(rows)))

    def _keyed(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"run_id": self._run_id, **row} for row in rows]

    def change(self, statement: Executable, rows: Sequence[dict[str, Any]] = ()) -> None:
        """Do anything else; once, or once for each row of values of its parameters."""
        self.statements.append((statement, list(rows)))

    def send(self, payload: Payload) -> None:
        """Publish a message on its stream once the unit of work is committed."""
        self.messages.append((payload.stream, payload.seq, encode(payload)))


@dataclass(frozen=True, slots=True)
class Unpublished:
    """What the streams lack: the messages, and the streams that must be emptied first, which hold others above them."""

    messages: Iterator[Sent]
    rebuild: list[str]


class Journal:
    """One actor's journal in one run."""

    def __init__(self, engine: Engine, run_id: int, actor: str, writes: Iterable[str]) -> None:
        self.run_id = run_id
        self._engine = engine
        self._actor = actor
        self._numbers = dict.fromkeys(writes, 0)
        self._committed: dict[str, StreamOffset] = {}  # what is known of the positions in the database
        self._lease = Lease(engine, run_id, actor)

    def open(self) -> None:
        """Take the lease, and learn what was sent before.

        Raises:
            LeaseLostError: another one has taken this actor's place.
        """
        self._lease.take()
        with self._engine.connect() as connection:
            for stream in self._numbers:
                self._numbers[stream] = connection.scalar(self._last_number(stream)) or 0

    def _last_number(self, stream: str) -> Select[Any]:
        return select(func.max(MessageRow.number)).where(MessageRow.run_id == self.run_id, MessageRow.stream == stream)

    def positions(self, streams: Iterable[str]) -> dict[str, StreamOffset]:
        """How far each stream has been read."""
        positions = {stream: StreamOffset() for stream in streams}
        query = select(StreamOffsetRow).where(
            StreamOffsetRow.run_id == self.run_id, StreamOffsetRow.actor == self._actor
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                positions[row.stream] = StreamOffset(row.number, row.seq, row.consumed)
        return positions

    def snapshot(self) -> tuple[int, bytes]:
        """The last state that was kept, and the number of the last event in it; (0, b"") at first."""
        query = select(SnapshotRow.seq, SnapshotRow.state).where(
            SnapshotRow.run_id == self.run_id, SnapshotRow.actor == self._actor
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return (row.seq, row.state) if row else (0, b"")

    def numbers_after(self, work: UnitOfWork) -> dict[str, int]:
        """The number of the last message of each stream that this actor writes, these effects included."""
        numbers = dict(self._numbers)
        for stream, _, _ in work.messages:
            numbers[stream] += 1
        return numbers

    def unit_of_work(self) -> UnitOfWork:
        """A blank list of effects for this run."""
        return UnitOfWork(_run_id=self.run_id)

    def commit(self, work: UnitOfWork, positions: Mapping[str, StreamOffset]) -> list[Sent]:
        """Do it all or nothing; what was sent is numbered and given back, to be published.

        Raises:
            LeaseLostError: another one has taken this actor's place; nothing was done.
        """
        numbers = dict(self._numbers)
        sent: list[Sent] = []
        for stream, seq, payload in work.messages:
            numbers[stream] += 1
            sent.append((stream, numbers[stream], seq, payload))
        final = self.unit_of_work()
        final.add(
            MessageRow,
            [{"stream": s, "number": n, "seq": seq, "payload": p.decode()} for s, n, seq, p in sent],
        )
        if work.snapshot:
            seq, state = work.snapshot
            final.put(SnapshotRow, [{"actor": self._actor, "seq": seq, "state": state}])
        final.put(
            StreamOffsetRow,
            [
                {
                    "actor": self._actor,
                    "stream": s,
                    "number": p.number,
                    "seq": p.seq,
                    "consumed": p.consumed,
                }
                for s, p in positions.items()
                if p != self._committed.get(s)
            ],
        )
        with self._engine.begin() as connection:
            self._lease.assert_held(connection)
            for statement, rows in (*work.statements, *final.statements):
                connection.execute(statement, rows or None)
        self._numbers = numbers
        self._committed |= {stream: replace(position) for stream, position in positions.items()}
        return sent

    def renew(self) -> None:
        """Keep the lease while there is nothing to commit.

        Raises:
            LeaseLostError: another one has taken this actor's place.
        """
        self._lease.renew()

    def first_unread(self, stream: str, readers: Iterable[str]) -> int:
        """The number of the first message of a stream that some reader has not taken in."""
        query = select(StreamOffsetRow.actor, StreamOffsetRow.number).where(
            StreamOffsetRow.run_id == self.run_id, StreamOffsetRow.stream == stream
        )
        with self._engine.connect() as connection:
            read = {row.actor: row.number for row in connection.execute(query)}
        return min((read.get(reader, 0) for reader in readers), default=self._numbers[stream]) + 1

    def missing(self, positions: Mapping[str, StreamOffset]) -> str:
        """In words the first entry that its writer has committed and that has not been taken in; "" where none is."""
        written: dict[str, Any] = {stream: self._last_number(stream) for stream in positions}
        if EVENTS in positions:
            written[EVENTS] = select(FeedCursorRow.seq).where(FeedCursorRow.run_id == self.run_id)
        query = select(*(statement.scalar_subquery() for statement in written.values()))
        with self._engine.connect() as connection:
            last = dict(zip(written, connection.execute(query).one(), strict=True))
        for stream, position in positions.items():
            if (last[stream] or 0) > position.number:
                return f"entry {position.number + 1:,} of {stream}, which was written and does not come"
        return ""

    def unpublished(self, held: Mapping[str, range], readers: Mapping[str, Iterable[str]]) -> Unpublished:
        """What someone has yet to read and Redis lacks, which holds these numbers of each stream."""
        first: dict[str, int] = {}
        rebuild: list[str] = []
        for stream, numbers in held.items():
            unread = self.first_unread(stream, readers.get(stream, ()))
            if self._goes_on(stream, numbers, unread, is_read=stream in readers):
                first[stream] = numbers.stop
            else:
                first[stream] = unread
                rebuild.append(stream)
        return Unpublished(self._messages(first), rebuild)

    def _goes_on(self, stream: str, numbers: range, unread: int, *, is_read: bool) -> bool:
        """Whether what Redis holds can stay: it begins before what is unread, and what comes next is still known."""
        if not numbers or numbers.start > unread or numbers.stop > self._numbers[stream] + 1:
            return False
        return not is_read or numbers.stop >= unread

    def _messages(self, first: Mapping[str, int]) -> Iterator[Sent]:
        with self._engine.connect() as connection:
            for stream, number in first.items():
                query = (
                    select(MessageRow.number, MessageRow.seq, MessageRow.payload)
                    .where(MessageRow.run_id == self.run_id, MessageRow.stream == stream, MessageRow.number >= number)
                    .order_by(MessageRow.number)
                )
                for row in connection.execute(query):
                    yield stream, row.number, row.seq, row.payload.encode()

    def forget(self, stream: str, first_kept: int) -> None:
        """Drop the messages of a stream before ``first_kept``."""
        old = delete(MessageRow).where(
            MessageRow.run_id == self.run_id, MessageRow.stream == stream, MessageRow.number < first_kept
        )
        with self._engine.begin() as connection:
            connection.execute(old)
