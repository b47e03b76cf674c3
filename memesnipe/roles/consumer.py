"""The base of the four roles that read streams: read, handle, commit, publish; recovery is the same for all."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from memesnipe.bus.merge import Entry, StreamGapError
from memesnipe.protocol.payload import Follows
from memesnipe.protocol.streams import ALLOCATIONS, EVENT_STREAMS, EVENTS, STREAMS, reads_of, writes_of
from memesnipe.roles.activity import WORKING
from memesnipe.roles.context import Context
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.telemetry.metrics import ActorMetrics

BLOCK_MS = 100
_TRIM_EVERY = 100  # commits
# Offsets of entries without an effect are committed with the next commit. Until then a crash would have these entries
# read again, and other actors do not see them as consumed, so the delay is bounded by time and number.
_UNCOMMITTED_S = 0.1
_UNCOMMITTED = 1_000  # entries
_TRACED = ("executor", "position")  # the roles of the order path
_MISSING_CHECK_S = 2.0  # between two checks for committed entries that have not arrived


class Consumer:
    """One reader of streams.

    Its state is that of the last snapshot, advanced over the events since. A commit includes a snapshot whenever
    entries other than events were consumed, so events alone restore the state.
    """

    name: str

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        self.context, self.clock = context, context.clock
        self.metrics = metrics
        self.reads, self.writes = reads_of(self.name, context.arenas), writes_of(self.name)
        self.log = context.log(self.name)
        self.journal = context.journal(self.name, self.writes)
        self.traces = context.traces(self.name) if self.name in _TRACED else None
        self._started_s = 0.0  # of the current step
        self.offsets: dict[str, StreamOffset] = {}  # of consumed entries; the committed ones may lag slightly
        self._announced: dict[str, int] = {}
        self._commits = 0
        self._committed_at = self._missing_checked_at = 0.0
        self._uncommitted = 0  # entries
        self._needs_snapshot = False  # whether the uncommitted entries include others than events

    @property
    def seq(self) -> int:
        """The highest event number of the consumed entries."""
        return max((offset.seq for offset in self.offsets.values()), default=0)

    def open(self) -> None:
        """Recover the state of the last commit, and publish its unpublished messages.

        Raises:
            LeaseLostError: this process was replaced, and its successor still renews the lease.
        """
        bus = self.context.bus
        self.journal.open()  # first: without the lease this process must not take over the streams
        bus.begin(self.context.installation, self.context.run_id, self.name, self.context.stream_key)
        self.offsets = self.journal.offsets(self.reads)
        unpublished = self.journal.unpublished(
            {stream: bus.stored(stream) for stream in self.writes}, self.context.readers
        )
        bus.publish(unpublished.messages, unpublished.rebuild)
        self.recover()
        self.log.info("opened", run=self.context.run_id, seq=self.seq)

    def step(self) -> None:
        """Read the available entries, and commit their effects together with the new offsets."""
        found = self.read()
        entries = self.with_dependencies(found)
        if not entries:
            if found:  # the entries depend on other streams, which are being republished
                self.clock.sleep(BLOCK_MS / 1000)
            else:
                self.context.bus.assert_complete()
                self.journal.renew()
                self.idle()
                self._commit_offsets()
            self._check_missing()
            return
        self.context.activity.set_waiting_for("")
        started = self._started_s = self.clock.monotonic_s()
        self.context.activity.set(WORKING)
        offsets = self._advanced(entries)
        work = self.journal.unit_of_work()
        self.handle(entries, work)
        self._uncommitted += len(entries)
        self._needs_snapshot |= any(entry.stream not in EVENT_STREAMS for entry in entries)
        if work.is_empty and self._uncommitted < _UNCOMMITTED and started - self._committed_at < _UNCOMMITTED_S:
            self.offsets = offsets
            return
        self.add_snapshot(work, offsets)
        self.commit(work, offsets)
        self.metrics.set("seq", self.seq)
        self.metrics.observe("commit_seconds", self.clock.monotonic_s() - started)

    def read(self) -> list[Entry]:
        """Return the next entries in order; wait up to `BLOCK_MS` if there are none."""
        return self.context.bus.read({s: p.number for s, p in self.offsets.items()}, BLOCK_MS)

    def idle(self) -> None:
        """Do what is due while no entry arrives; nothing by default."""

    def _check_missing(self) -> None:
        """Check whether committed entries have not arrived, and report them as awaited."""
        now = self.clock.monotonic_s()
        if now - self._missing_checked_at > _MISSING_CHECK_S:
            self._missing_checked_at = now
            self.context.activity.set_waiting_for(self.journal.missing(self.offsets))

    def _commit_offsets(self) -> None:
        """Commit the offsets of entries without an effect."""
        if self._uncommitted:
            work = self.journal.unit_of_work()
            self.add_snapshot(work, self.offsets)
            self.commit(work, self.offsets)

    def with_dependencies(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries before the first one that depends on entries which have not arrived.

        Streams are published by different actors. After a loss of Redis they are republished one by one.
        """
        consumed = {stream: offset.number for stream, offset in self.offsets.items()}
        for i, entry in enumerate(entries):
            if isinstance(entry.payload, Follows):
                after = entry.payload.after.items()
                if any(consumed.get(stream, number) < number for stream, number in after):
                    return entries[:i]
            consumed[entry.stream] = entry.number
        return entries

    def after_events(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries before the first message that precedes the event it belongs to."""
        consumed = self.offsets[EVENTS].number
        for i, entry in enumerate(entries):
            if entry.stream in EVENT_STREAMS:
                consumed = entry.number
            elif entry.seq > consumed:
                return entries[:i]
        return entries

    def commit(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Commit, then publish the messages of the commit."""
        outgoing = self.journal.commit(work, offsets)
        self.offsets = offsets
        self.context.bus.publish(outgoing)
        for stream in (ALLOCATIONS, EVENTS):  # the feed may wait for these two
            if stream in offsets and offsets[stream].number > self._announced.get(stream, 0):
                self.context.bus.announce_progress(stream)
                self._announced[stream] = offsets[stream].number
        self._committed_at, self._uncommitted, self._needs_snapshot = self.clock.monotonic_s(), 0, False
        self._commits += 1
        if self._commits % _TRIM_EVERY == 0:
            self._trim()

    def _trim(self) -> None:
        """Trim the oldest entries that all readers have consumed."""
        bus = self.context.bus
        for stream in self.writes:
            unread = self.journal.first_unread(stream, self.context.readers.get(stream, ()))
            first_kept = min(unread, bus.last_number(stream) - STREAMS[stream].keep)
            bus.trim([stream], first_kept)
            if STREAMS[stream].transient:
                self.journal.delete_before(stream, first_kept)

    def _advanced(self, entries: list[Entry]) -> dict[str, StreamOffset]:
        """Return the offsets after these entries.

        Raises:
            StreamGapError: an entry does not follow the previous one of its stream.
        """
        offsets = {stream: replace(offset) for stream, offset in self.offsets.items()}
        for entry in entries:
            stream = EVENTS if entry.stream in EVENT_STREAMS and EVENTS in offsets else entry.stream
            offset = offsets[stream]
            # A stream with one kind of event has gaps where the other kinds are; no other stream has gaps.
            if stream not in EVENT_STREAMS and entry.number != offset.number + 1:
                raise StreamGapError(f"{stream}: entry {offset.number} is followed by {entry.number}")
            offset.number, offset.seq = entry.number, max(offset.seq, entry.seq)
            offset.consumed += 1
        for stream, offset in offsets.items():
            self.metrics.add("entries", offset.consumed - self.offsets[stream].consumed, stream=stream)
        return offsets

    def add_snapshot(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Add a snapshot to the commit where events alone would not restore the state."""
        if work.snapshot is None and self._needs_snapshot:
            work.snapshot = (self._event_offset(offsets), self.dump())

    def _event_offset(self, offsets: dict[str, StreamOffset]) -> int:
        return max((p.number for s, p in offsets.items() if s == EVENTS or s in EVENT_STREAMS), default=0)

    def recover(self) -> None:
        """Restore the state of the last commit; its effects were committed then."""
        saved_seq, state = self.journal.snapshot()
        if state:
            self.load(state)
        self.catch_up(saved_seq)

    def catch_up(self, saved_seq: int) -> None:
        """Advance the state over the committed events since the snapshot."""

    def replay(self, after: int, apply: Callable[[list[Entry]], None]) -> None:
        """Pass the committed events after event ``after`` to ``apply``."""
        last = self._event_offset(self.offsets)
        for entries in self.context.bus.events_between(after + 1, last):
            apply(entries)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Apply the entries, and add their effects to the unit of work."""
        raise NotImplementedError

    def dump(self) -> bytes:
        """Return the state."""
        raise NotImplementedError

    def load(self, state: bytes) -> None:
        """Continue from a state of `dump`."""
        raise NotImplementedError

    def wall_span_ns(self) -> tuple[int, int]:
        """Return the beginning of the current step and the present, by the machine's clock, for spans."""
        now_ns = self.clock.now_ns()
        return now_ns - int((self.clock.monotonic_s() - self._started_s) * 1e9), now_ns

    def close(self) -> None:
        """Send the spans that are waiting, and close the connections."""
        if self.traces is not None:
            self.traces.close()
        self.context.close()


def runs_of_events(entries: Iterable[Entry]) -> Iterator[list[Entry] | Entry]:
    """Yield the entries in their order: consecutive events as one list, every other entry alone."""
    for are_events, run in groupby(entries, lambda entry: entry.stream in EVENT_STREAMS):
        if are_events:
            yield list(run)
        else:
            yield from run
