"""The shell of the four actors that read streams: read, handle, commit, publish; and recover the same way always."""

import time
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import ClassVar

from memesnipe.bus.merge import Entry, StreamGapError
from memesnipe.protocol.payload import Follows
from memesnipe.protocol.streams import ALLOCATIONS, EVENT_STREAMS, EVENTS, READERS, STREAMS, reads_of, writes_of
from memesnipe.roles.activity import WORKING
from memesnipe.roles.context import Context
from memesnipe.storage.journal import Journal, StreamOffset, UnitOfWork
from memesnipe.telemetry.metrics import ActorMetrics

BLOCK_MS = 100
_TIDY_EVERY = 100  # commits
# Entries that led to nothing have their positions committed with what comes next. Until then they would be read again
# after a crash, and others cannot see that they were taken in, so it must not take long.
_UNCOMMITTED_S = 0.1
_UNCOMMITTED = 1_000  # entries
_LOOK_S = 2.0  # between two looks at what was written, while nothing comes


class Consumer:
    """One reader of streams.

    Its state is what its last snapshot says, moved over the events since. A snapshot is kept whenever something
    other than events was taken in, so those events alone bring it back.
    """

    name: ClassVar[str]

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        self.context = context
        self.metrics = metrics
        self.reads, self.writes = reads_of(self.name), writes_of(self.name)
        self.log = context.log(self.name)
        self.journal = Journal(context.database, context.run_id, self.name, self.writes)
        self.positions: dict[str, StreamOffset] = {}  # of what was taken in; what is committed may be a little behind
        self._announced: dict[str, int] = {}
        self._commits = 0
        self._committed_at = self._looked_at = 0.0
        self._uncommitted = 0  # entries
        self._must_keep = False  # whether there are others than events among them

    @property
    def seq(self) -> int:
        """The last event that this actor knows of."""
        return max((position.seq for position in self.positions.values()), default=0)

    def open(self) -> None:
        """Come back to where the last commit left off, and send what is still owed."""
        bus = self.context.bus
        self.journal.open()  # first, so that one which stands by does not take the streams from who is at work
        bus.begin(self.context.installation, self.context.run_id, self.name, self.context.stream_key)
        self.positions = self.journal.positions(self.reads)
        unpublished = self.journal.unpublished({stream: bus.held(stream) for stream in self.writes}, READERS)
        bus.publish(unpublished.messages, unpublished.rebuild)
        self.recover()
        self.log.info("opened", run=self.context.run_id, seq=self.seq)

    def step(self) -> None:
        """Read what there is, and commit what is to be done about it together with the new positions."""
        found = self.read()
        entries = self.with_dependencies(found)
        if not entries:
            if found:  # it waits for other streams, which are being published again
                time.sleep(BLOCK_MS / 1000)
            else:
                self.context.bus.assert_whole()
                self.journal.renew()
                self.idle()
                self._settle()
            self._look_for_missing()
            return
        self.context.activity.awaits("")
        started = perf_counter()
        self.context.activity.at(WORKING)
        positions = self._moved(entries)
        work = self.journal.unit_of_work()
        self.handle(entries, work)
        self._uncommitted += len(entries)
        self._must_keep |= any(entry.stream not in EVENT_STREAMS for entry in entries)
        if work.is_empty and self._uncommitted < _UNCOMMITTED and started - self._committed_at < _UNCOMMITTED_S:
            self.positions = positions
            return
        self.keep_state(work, positions)
        self.commit(work, positions)
        self.metrics.record_commit(self.seq, perf_counter() - started)

    def read(self) -> list[Entry]:
        """The entries that come next, in order; none where there are none for a while."""
        return self.context.bus.read({s: p.number for s, p in self.positions.items()}, BLOCK_MS)

    def idle(self) -> None:
        """Nothing came for a while."""

    def _look_for_missing(self) -> None:
        """Nothing comes: see whether that is because there is nothing, or what was written has not come."""
        now = perf_counter()
        if now - self._looked_at > _LOOK_S:
            self._looked_at = now
            self.context.activity.awaits(self.journal.missing(self.positions))

    def _settle(self) -> None:
        """Commit the positions of entries that led to nothing."""
        if self._uncommitted:
            work = self.journal.unit_of_work()
            self.keep_state(work, self.positions)
            self.commit(work, self.positions)

    def with_dependencies(self, entries: list[Entry]) -> list[Entry]:
        """The entries up to the first whose message says that others come before it which are not here.

        Streams are published by different actors. After Redis has lost them they come back one by one.
        """
        known = {stream: position.number for stream, position in self.positions.items()}
        for i, entry in enumerate(entries):
            after = entry.payload.after if isinstance(entry.payload, Follows) else {}
            if any(known.get(stream, number) < number for stream, number in after.items()):
                return entries[:i]
            known[entry.stream] = entry.number
        return entries

    def commit(self, work: UnitOfWork, positions: dict[str, StreamOffset]) -> None:
        """Commit, then publish what was sent."""
        sent = self.journal.commit(work, positions)
        self.positions = positions
        self.context.bus.publish(sent)
        for stream in (ALLOCATIONS, EVENTS):  # for which the feed may wait
            if stream in positions and positions[stream].number > self._announced.get(stream, 0):
                self.context.bus.announce_progress(stream)
                self._announced[stream] = positions[stream].number
        self._committed_at, self._uncommitted, self._must_keep = perf_counter(), 0, False
        self._commits += 1
        if self._commits % _TIDY_EVERY == 0:
            self._tidy()

    def _tidy(self) -> None:
        """Let the oldest entries go, as far as all readers have taken them in."""
        bus = self.context.bus
        for stream in self.writes:
            unread = self.journal.first_unread(stream, READERS.get(stream, ()))
            first_kept = min(unread, bus.last_number(stream) - STREAMS[stream].keep)
            bus.trim(stream, first_kept)
            if STREAMS[stream].transient:
                self.journal.forget(stream, first_kept)

    def _moved(self, entries: list[Entry]) -> dict[str, StreamOffset]:
        """The positions after these entries; refuses entries that do not follow what was read."""
        positions = {stream: replace(position) for stream, position in self.positions.items()}
        for entry in entries:
            stream = EVENTS if entry.stream in EVENT_STREAMS and EVENTS in positions else entry.stream
            position = positions[stream]
            # One kind of event alone has gaps where the other kinds are; everything else has none.
            if stream not in EVENT_STREAMS and entry.number != position.number + 1:
                raise StreamGapError(f"{stream}: after entry {position.number} comes {entry.number}")
            position.number, position.seq = entry.number, max(position.seq, entry.seq)
            position.consumed += 1
            self.metrics.add_entries(stream, 1)
        return positions

    def keep_state(self, work: UnitOfWork, positions: dict[str, StreamOffset]) -> None:
        """Have a snapshot committed where the events alone would not bring the state back."""
        if work.snapshot is None and self._must_keep:
            work.snapshot = (self._event_position(positions), self.dump())

    def _event_position(self, positions: dict[str, StreamOffset]) -> int:
        return max((p.number for s, p in positions.items() if s == EVENTS or s in EVENT_STREAMS), default=0)

    def recover(self) -> None:
        """Bring the core to where the last commit was; what it did on the way was committed then."""
        saved_seq, state = self.journal.snapshot()
        if state:
            self.load(state)
        self.catch_up(saved_seq)

    def catch_up(self, saved_seq: int) -> None:
        """Move the core over the events since its snapshot."""

    def replay(self, after: int, take: Callable[[list[Entry]], None]) -> None:
        """Give the events after ``after`` that were committed already to ``take``."""
        last = self._event_position(self.positions)
        for entries in self.context.bus.events_between(after + 1, last):
            take(entries)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Move the core over the entries, and say what is to be done."""
        raise NotImplementedError

    def dump(self) -> bytes:
        """The core's state."""
        raise NotImplementedError

    def load(self, state: bytes) -> None:
        """Take the state of `dump` over."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of connections."""
        self.context.close()
