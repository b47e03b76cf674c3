"""The journal: the effects and the stream offsets of an actor, committed in one transaction.

After a crash at any point an actor finds in its journal a state in which every entry up to an offset had its effect
exactly once, and the outbox: every message to other actors, published or not. A commit requires the actor's lease, so
of two processes that run as one actor only one has effects.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import Engine, Executable, Select, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.protocol.payload import EncodedEntry, Payload, encode
from memesnipe.protocol.streams import EVENTS
from memesnipe.storage.lease import EPOCHS_OF_THIS_PROCESS, IS_HELD, Epochs, Lease
from memesnipe.storage.schema import Base, FeedCursorRow, MessageRow, SnapshotRow, StreamOffsetRow


# Building a statement takes longer than running it, and every commit needs the same statements.
@cache
def _insert(table: type[Base]) -> Insert:
    return insert(table)


@cache
def _upsert(table: type[Base], columns: tuple[str, ...], adding: tuple[str, ...]) -> Insert:
    """Return an upsert of ``columns``: existing values are overwritten, or added to (those in ``adding``)."""
    keys = [column.name for column in table.__table__.primary_key.columns]  # type: ignore[attr-defined]
    statement = insert(table)
    old, new = table.__table__.columns, statement.excluded
    changed = {name: old[name] + new[name] if name in adding else new[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@cache
def _last_number(run_id: int, stream: str) -> Select[Any]:
    number: Any = func.max(MessageRow.number)
    return select(number).where(MessageRow.run_id == run_id, MessageRow.stream == stream)


@cache
def _last_written(run_id: int, streams: tuple[str, ...]) -> Select[Any]:
    """Return the query of the last number of several streams, as one row."""
    written: dict[str, Select[Any]] = {stream: _last_number(run_id, stream) for stream in streams}
    if EVENTS in written:
        written[EVENTS] = select(FeedCursorRow.seq).where(FeedCursorRow.run_id == run_id)
    return select(*(statement.scalar_subquery() for statement in written.values()))


@cache
def _offsets_of(run_id: int, stream: str) -> Select[str, int]:
    """Return the query of the readers' offsets in a stream."""
    offset = StreamOffsetRow
    return select(offset.actor, offset.number).where(offset.run_id == run_id, offset.stream == stream)


@cache
def _advance(columns: tuple[str, ...]) -> Executable:
    """Return the statement that advances the cursor of the feed while the lease is held."""
    values: dict[str, Any] = {column: bindparam(f"b_{column}") for column in columns}
    return update(FeedCursorRow).where(FeedCursorRow.run_id == bindparam("b_run"), IS_HELD).values(values)


@dataclass(slots=True)
class StreamOffset:
    """An offset in a stream: number and event of the last entry consumed, and the count of entries consumed."""

    number: int = 0
    seq: int = 0
    consumed: int = 0


@dataclass(slots=True)
class UnitOfWork:
    """The effects of the entries that an actor consumed; nothing is executed before the commit."""

    statements: list[tuple[Executable, list[dict[str, Any]]]] = field(default_factory=list)
    messages: list[tuple[str, int, bytes]] = field(default_factory=list)
    snapshot: tuple[int, bytes] | None = None
    _run_id: int = 0

    @property
    def is_empty(self) -> bool:
        """Return whether there are no effects."""
        return not self.statements and not self.messages and self.snapshot is None

    def add(self, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows; an existing row fails the commit, because no effect may happen twice."""
        if rows:
            self.statements.append((_insert(table), self._keyed(rows)))

    def put(self, table: type[Base], rows: Sequence[dict[str, Any]], *, adding: Sequence[str] = ()) -> None:
        """Insert rows, or overwrite existing ones. All rows have the same columns.

        Args:
            table: with a primary key.
            rows: without the run id.
            adding: columns whose values are added to the existing ones instead of overwriting them.
        """
        if rows:
            self.statements.append((_upsert(table, tuple(rows[0]), tuple(adding)), self._keyed(rows)))

    def _keyed(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"run_id": self._run_id, **row} for row in rows]

    def change(self, statement: Executable, rows: Sequence[dict[str, Any]] = ()) -> None:
        """Execute another statement: once, or once for each row of parameter values."""
        self.statements.append((statement, list(rows)))

    def send(self, payload: Payload) -> None:
        """Publish a message on its stream once the unit of work is committed."""
        self.messages.append((payload.stream, payload.seq, encode(payload)))


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The messages that Redis lacks, and the streams to empty first, because their entries cannot be continued."""

    messages: Iterator[EncodedEntry]
    rebuild: list[str]


class Journal:
    """One actor's journal in one run."""

    def __init__(
        self,
        engine: Engine,
        run_id: int,
        actor: str,
        writes: Iterable[str],
        clock: Clock = SYSTEM_CLOCK,
        epochs: Epochs = EPOCHS_OF_THIS_PROCESS,
    ) -> None:
        self.run_id = run_id
        self._engine = engine
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")  # each statement is a transaction
        self._actor = actor
        self._numbers = dict.fromkeys(writes, 0)
        self._committed: dict[str, StreamOffset] = {}  # the last offsets that this journal committed
        self._lease = Lease(engine, run_id, actor, clock, epochs)

    def open(self) -> None:
        """Take the lease, and read the number of the last message of each stream.

        Raises:
            LeaseLostError: another process holds the lease of this actor.
        """
        self._lease.take()
        with self._engine.connect() as connection:
            for stream in self._numbers:
                self._numbers[stream] = connection.scalar(_last_number(self.run_id, stream)) or 0

    def offsets(self, streams: Iterable[str]) -> dict[str, StreamOffset]:
        """Return the offset in each stream."""
        offsets = {stream: StreamOffset() for stream in streams}
        query = select(StreamOffsetRow).where(
            StreamOffsetRow.run_id == self.run_id, StreamOffsetRow.actor == self._actor
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                offsets[row.stream] = StreamOffset(row.number, row.seq, row.consumed)
        return offsets

    def snapshot(self) -> tuple[int, bytes]:
        """Return the seq of the latest snapshot's last event, and its state; (0, b"") if there is no snapshot."""
        query = select(SnapshotRow.seq, SnapshotRow.state).where(
            SnapshotRow.run_id == self.run_id, SnapshotRow.actor == self._actor
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return (row.seq, row.state) if row else (0, b"")

    def numbers_after(self, work: UnitOfWork) -> dict[str, int]:
        """Return the number of the last message of each stream that this actor writes, those of ``work`` included."""
        numbers = dict(self._numbers)
        for stream, _, _ in work.messages:
            numbers[stream] += 1
        return numbers

    def unit_of_work(self) -> UnitOfWork:
        """Return an empty unit of work for this run."""
        return UnitOfWork(_run_id=self.run_id)

    def commit(self, work: UnitOfWork, offsets: Mapping[str, StreamOffset]) -> list[EncodedEntry]:
        """Commit effects and offsets in one transaction; return the messages with their numbers, for publishing.

        Raises:
            LeaseLostError: another process holds the lease of this actor; nothing was committed.
        """
        numbers = dict(self._numbers)
        outgoing: list[EncodedEntry] = []
        for stream, seq, payload in work.messages:
            numbers[stream] += 1
            outgoing.append((stream, numbers[stream], seq, payload))
        final = self.unit_of_work()
        final.add(
            MessageRow,
            [{"stream": s, "number": n, "seq": seq, "payload": p.decode()} for s, n, seq, p in outgoing],
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
                for s, p in offsets.items()
                if p != self._committed.get(s)
            ],
        )
        with self._engine.begin() as connection:
            self._lease.assert_held(connection)
            for statement, rows in (*work.statements, *final.statements):
                connection.execute(statement, rows or None)
        self._numbers = numbers
        self._committed |= {stream: replace(offset) for stream, offset in offsets.items()}
        return outgoing

    def advance(self, cursor: Mapping[str, Any]) -> None:
        """Commit the cursor of the feed alone, in one request instead of five; the lease is not extended.

        Raises:
            LeaseLostError: another process holds the lease of this actor; nothing was committed.
        """
        values = {f"b_{column}": value for column, value in cursor.items()}
        with self._single.begin() as connection:
            self._lease.execute_if_held(connection, _advance(tuple(cursor)), values)

    def renew(self) -> None:
        """Extend the lease while there is nothing to commit.

        Raises:
            LeaseLostError: another process holds the lease of this actor.
        """
        self._lease.renew()

    def first_unread(self, stream: str, readers: Iterable[str]) -> int:
        """Return the number of the first message of a stream that some reader has not consumed."""
        with self._engine.connect() as connection:
            read = {row.actor: row.number for row in connection.execute(_offsets_of(self.run_id, stream))}
        return min((read.get(reader, 0) for reader in readers), default=self._numbers[stream]) + 1

    def missing(self, offsets: Mapping[str, StreamOffset]) -> str:
        """Return as text the first entry that was committed by its writer and not consumed; "" if there is none."""
        with self._engine.connect() as connection:
            written = connection.execute(_last_written(self.run_id, tuple(offsets))).one()
        last = dict(zip(offsets, written, strict=True))
        for stream, offset in offsets.items():
            if (last[stream] or 0) > offset.number:
                return f"entry {offset.number + 1:,} of {stream}, which was written and has not arrived"
        return ""

    def unpublished(self, stored: Mapping[str, range], readers: Mapping[str, Iterable[str]]) -> Unpublished:
        """Return the messages that some reader has not consumed and that Redis, which has ``stored``, lacks."""
        first: dict[str, int] = {}
        rebuild: list[str] = []
        for stream, numbers in stored.items():
            unread = self.first_unread(stream, readers.get(stream, ()))
            if self._can_continue(stream, numbers, unread, is_read=stream in readers):
                first[stream] = numbers.stop
            else:
                first[stream] = unread
                rebuild.append(stream)
        return Unpublished(self._messages(first), rebuild)

    def _can_continue(self, stream: str, numbers: range, unread: int, *, is_read: bool) -> bool:
        """Return whether the entries in Redis can stay: the first unread is not before them, and the next is stored."""
        if not numbers or numbers.start > unread or numbers.stop > self._numbers[stream] + 1:
            return False
        return not is_read or numbers.stop >= unread

    def _messages(self, first: Mapping[str, int]) -> Iterator[EncodedEntry]:
        with self._engine.connect() as connection:
            for stream, number in first.items():
                query = (
                    select(MessageRow.number, MessageRow.seq, MessageRow.payload)
                    .where(MessageRow.run_id == self.run_id, MessageRow.stream == stream, MessageRow.number >= number)
                    .order_by(MessageRow.number)
                )
                for row in connection.execute(query):
                    yield stream, row.number, row.seq, row.payload.encode()

    def delete_before(self, stream: str, first_kept: int) -> None:
        """Delete the messages of a stream before ``first_kept``."""
        old = delete(MessageRow).where(
            MessageRow.run_id == self.run_id, MessageRow.stream == stream, MessageRow.number < first_kept
        )
        with self._engine.begin() as connection:
            connection.execute(old)
