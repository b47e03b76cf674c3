"""Redis streams. The only writer of a stream numbers its entries, so publishing an entry again has no effect."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import redis

from memesnipe.bus.connection import Connect, connect_redis
from memesnipe.bus.entry_mac import MAX_MAC, EntryMac, number_of
from memesnipe.bus.merge import Entry, ForeignEntryError, StreamGapError, merge
from memesnipe.bus.publish import BLOCKED, DONE, PUBLISH, arguments_of, change_of
from memesnipe.bus.server_check import INSTALLATION_KEY, check_owner, check_server
from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.protocol.heartbeat import ACTORS, ARENAS, HEARTBEAT_KEY, Heartbeat, decode_heartbeat, encode_heartbeat
from memesnipe.protocol.payload import EncodedEntry
from memesnipe.protocol.streams import EVENT_STREAMS, EVENTS, STREAMS, decoder_of

READ_LIMIT = 4_096  # entries of each stream in one read
_HEARTBEAT_EXPIRY_S = 4
_CHECK_EVERY_S = 1.0  # between two checks of the streams that this actor writes
_WRITERS_KEY = "memesnipe:writers"  # writer -> its mark
_PROGRESS_KEY = "memesnipe:progress:{}"  # a stream of one entry, replaced whenever a reader of that stream commits

# An entry as Redis returns it: id and fields
Raw = tuple[bytes, dict[bytes, bytes]]


class Bus:
    """One actor's connection to the streams. It never reconnects: after a loss the actor opens a new `Bus`."""

    def __init__(self, url: str, clock: Clock = SYSTEM_CLOCK, connect: Connect = connect_redis) -> None:
        self._clock = clock
        self._connected = False
        self._writer, self._mark = "", ""
        self._announcements: dict[str, Any] = {}  # stream -> id of the last announcement received
        self._entry_mac = EntryMac()
        self._lengths: dict[str, int] = {}  # of the streams that this actor writes, after its last write
        self._next_check = 0.0
        self._redis = connect(url, self._connect_once)
        self._append: Any = self._redis.register_script(PUBLISH)

    def _connect_once(self, connection: Any) -> None:
        """Connect the first time only: Redis may lose entries while unreachable, which only a new `Bus` detects.

        Raises:
            redis.ConnectionError: the connection was lost.
        """
        if self._connected:
            raise redis.ConnectionError("the connection to Redis was lost")
        connection.on_connect()
        self._connected = True

    def begin(self, installation: str, run_id: int, actor: str, key: bytes = b"") -> None:
        """Store this writer's mark: while it is unchanged, Redis has its data and no other process is this writer.

        Args:
            installation: the id of the MemeSnipe folder to which the Redis database belongs.
            run_id: the run.
            actor: the actor that writes.
            key: of the run; entries that were written without it are foreign.

        Raises:
            redis.ConnectionError: the Redis at this address belongs to another installation.
        """
        self._redis.set(INSTALLATION_KEY, installation, nx=True)
        if self._redis.get(INSTALLATION_KEY) != installation.encode():
            raise redis.ConnectionError("this Redis database belongs to another MemeSnipe folder")
        self._writer, self._mark = f"{run_id}:{actor}", secrets.token_hex(8)
        self._redis.hset(_WRITERS_KEY, self._writer, self._mark)
        self._entry_mac, self._lengths = EntryMac(key), {}

    def assert_complete(self) -> None:
        """Check that Redis has lost none of its data since `begin`, even if the connection was not lost.

        Raises:
            redis.ConnectionError: entries are missing and must be published again; a stream has foreign entries; or
                another process has replaced this writer.
        """
        self._next_check = self._clock.monotonic_s() + _CHECK_EVERY_S
        streams = list(self._lengths)
        known = [self._writer, self._mark, 0, len(streams), *self._lengths.values()]
        if self._append([_WRITERS_KEY, *streams], known)[0] != DONE:
            self._raise_loss()

    def _raise_loss(self) -> NoReturn:
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.hget(_WRITERS_KEY, self._writer)
        for stream in self._lengths:
            pipeline.xlen(stream)
        mark, *lengths = pipeline.execute()
        if mark not in (None, self._mark.encode()):
            raise redis.ConnectionError(f"another {self._writer.partition(':')[2]} has replaced this one")
        for (stream, expected), length in zip(self._lengths.items(), lengths, strict=True):
            if mark is not None and length != expected:
                raise redis.ConnectionError(change_of(stream, expected, length))
        raise redis.ConnectionError("Redis has lost its data")

    def publish(self, outgoing: Iterable[EncodedEntry], rebuild: Sequence[str] = ()) -> None:
        """Append entries in order and atomically; entries that exist already are left unchanged.

        Args:
            outgoing: the entries.
            rebuild: streams that are emptied first, because no entry can be inserted before existing ones.

        Raises:
            redis.ConnectionError: Redis has lost data since `begin`, or another process has replaced this writer, and
                nothing was written; or a foreign entry blocks one of the entries, and its stream was deleted.
        """
        entries = list(outgoing)
        if not entries and not rebuild:
            return
        targets, keys, arguments = arguments_of(entries, rebuild, self._lengths, self._entry_mac)
        outcome, *more = self._append([_WRITERS_KEY, *keys], [self._writer, self._mark, *arguments])
        if outcome == BLOCKED:
            raise redis.ConnectionError(
                f"{more[0].decode()}: a foreign entry blocked an entry of this run; the stream was deleted"
            )
        if outcome != DONE:
            self._raise_loss()
        for stream in rebuild:
            self._lengths[stream] = 0
        self._lengths |= zip(targets, more[0], strict=True)

    def last_number(self, stream: str) -> int:
        """Return the number of the last entry of a stream; 0 if the stream is empty or absent."""
        last: Any = self._redis.xrevrange(stream, count=1)
        return number_of(last[0][0]) if last else 0

    def extents(self, streams: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return the length of each stream and the number of its last entry; (0, 0) for an absent one."""
        pipeline: Any = self._redis.pipeline(transaction=False)
        for stream in streams:
            pipeline.xlen(stream).xrevrange(stream, count=1)
        replies = pipeline.execute()
        last = (number_of(found[0][0]) if found else 0 for found in replies[1::2])
        return dict(zip(streams, zip(replies[0::2], last, strict=True), strict=True))

    def stored(self, stream: str) -> range:
        """Return the numbers of a stream's entries; none if there is a gap between them, or the last is foreign."""
        self._delete_other_types(stream)
        pipeline: Any = self._redis.pipeline(transaction=True)
        pipeline.xrange(stream, count=1).xrevrange(stream, count=1).xlen(stream)
        first, last, count = pipeline.execute()
        if not count:
            return range(0)
        numbers = range(number_of(first[0][0]), number_of(last[0][0]) + 1)
        if len(numbers) != count or not self._entry_mac.matches(stream, *last[0]):
            return range(0)
        self._lengths[stream] = count
        return numbers

    def stored_events(self, first: int) -> range:
        """Trim the events before ``first``, and return the numbers of the others; none as for `stored`."""
        self._delete_other_types(*EVENT_STREAMS)
        pipeline: Any = self._redis.pipeline(transaction=True)
        for stream in EVENT_STREAMS:
            pipeline.xtrim(stream, minid=f"{first}-0", approximate=False)
            pipeline.xlen(stream).xrevrange(stream, count=1)
        replies = pipeline.execute()
        numbers = range(first, first + sum(replies[1::3]))
        ends = {stream: found[0] for stream, found in zip(EVENT_STREAMS, replies[2::3], strict=True) if found}
        last = max((number_of(raw[0]) for raw in ends.values()), default=0)
        if (
            not numbers
            or numbers[-1] != last
            or not all(self._entry_mac.matches(stream, *raw) for stream, raw in ends.items())
        ):
            return range(first, first)
        self._lengths |= zip(EVENT_STREAMS, replies[1::3], strict=True)
        return numbers

    def _delete_other_types(self, *streams: str) -> None:
        """Delete the keys of streams that hold another type of value."""
        for stream in streams:
            if self._redis.type(stream) not in (b"stream", b"none"):
                self._redis.delete(stream)

    def read(self, offsets: Mapping[str, int], block_ms: int) -> list[Entry]:
        """Return the entries after ``offsets`` (stream -> number of the last entry read), merged.

        All streams are read in one command, so the reply is a consistent snapshot of them.

        Args:
            offsets: the streams to read.
            block_ms: the longest wait for an entry, in milliseconds.

        Raises:
            ForeignEntryError: a stream has entries written without the run's key; they are removed.
            redis.ConnectionError: the streams that this actor writes are not complete any more.
        """
        if self._writer and self._clock.monotonic_s() >= self._next_check:  # an actor that never waits must check too
            self.assert_complete()
        after: dict[Any, Any] = {
            name: f"{number}-{MAX_MAC}"
            for stream, number in offsets.items()
            for name in (EVENT_STREAMS if stream == EVENTS else (stream,))
        }
        reply: Any = self._redis.xread(after, count=READ_LIMIT)
        if not reply:
            # A blocking read returns the entries of the first stream that has any, so it only serves to wait.
            self._redis.xread(after, count=1, block=block_ms)
            reply = self._redis.xread(after, count=READ_LIMIT) or []
        found = {stream.decode(): entries for stream, entries in reply}
        return merge({s: self._entries(s, found[s]) for s in after if s in found}, READ_LIMIT)

    def _entries(self, stream: str, found: Sequence[Raw]) -> list[Entry]:
        """Return the entries of a reply; remove those that were written without the key of the run.

        Raises:
            ForeignEntryError: some were removed.
        """
        # A bus without `begin` only observes, and has no key to check with.
        foreign = [raw[0] for raw in found if not self._entry_mac.matches(stream, *raw)] if self._writer else []
        if not foreign:
            return [_entry(stream, *raw) for raw in found]
        self._redis.xdel(stream, *foreign)
        raise ForeignEntryError(
            f"{stream}: entry {foreign[0].decode()} is foreign and was removed, with {len(foreign) - 1} more"
        )

    def announce_progress(self, stream: str) -> None:
        """Wake the processes that wait for readers of a stream. This is only a hint: the offsets are in PostgreSQL."""
        self._redis.xadd(_PROGRESS_KEY.format(stream), {b"": b""}, maxlen=1, approximate=False)

    def wait_for_progress(self, stream: str, timeout_s: float) -> None:
        """Wait at most ``timeout_s`` seconds for the next announcement by a reader of a stream."""
        key = _PROGRESS_KEY.format(stream)
        reply: Any = self._redis.xread(
            {key: self._announcements.get(stream, "0-0")}, block=max(int(timeout_s * 1e3), 1)
        )
        if reply:
            self._announcements[stream] = reply[0][1][-1][0]

    def events_between(self, first: int, last: int) -> Iterator[list[Entry]]:
        """Yield the events numbered ``first`` to ``last`` in batches; wait for those that are not republished yet.

        Raises:
            StreamGapError: an event is missing, and later ones are present.
        """
        offset = first - 1
        while offset < last:
            entries = self.read({EVENTS: offset}, block_ms=200)
            for number, entry in enumerate(entries, start=offset + 1):
                if entry.number != number:
                    raise StreamGapError(f"{EVENTS}: entry {number - 1} is followed by {entry.number}")
            wanted = entries[: last - offset]
            if wanted:
                offset = wanted[-1].number
                yield wanted

    def trim(self, streams: Sequence[str], first_kept: int) -> None:
        """Trim the entries before ``first_kept`` in one request; Redis may keep some of them."""
        if first_kept <= 1:
            return
        pipeline: Any = self._redis.pipeline(transaction=False)
        for stream in streams:
            pipeline.xtrim(stream, minid=f"{first_kept}-0", approximate=True)
        for stream, trimmed in zip(streams, pipeline.execute(), strict=True):
            if stream in self._lengths:
                self._lengths[stream] -= trimmed

    def take_over(self, installation: str, run_id: int) -> None:
        """Prepare this Redis database for a run: delete the streams of another run, all marks and all heartbeats.

        Raises:
            InputError: the database belongs to another installation, or its server may drop data.
        """
        check_server(self._redis)
        self._redis.set(INSTALLATION_KEY, installation, nx=True)
        check_owner(self._redis, installation)
        if self._redis.get("memesnipe:run") != str(run_id).encode():
            self._redis.delete(*STREAMS)
            self._redis.set("memesnipe:run", run_id)
        self._redis.delete(_WRITERS_KEY, *(HEARTBEAT_KEY.format(actor) for actor in (*ACTORS, *ARENAS)))

    def beat(self, actor: str, heartbeat: Heartbeat) -> None:
        """Write the heartbeat of an actor; it expires after 4 s."""
        self._redis.set(HEARTBEAT_KEY.format(actor), encode_heartbeat(heartbeat), ex=_HEARTBEAT_EXPIRY_S)

    def is_any_actor(self, state: str) -> bool:
        """Return whether the heartbeat of any actor has this state."""
        found: Any = self._redis.mget([HEARTBEAT_KEY.format(actor) for actor in ACTORS])
        heartbeats = [decode_heartbeat(data) for data in found if data]
        return any(heartbeat is not None and heartbeat.state == state for heartbeat in heartbeats)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _entry(stream: str, identifier: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(stream, number_of(identifier), int(fields[b"seq"]), decoder_of(stream)(fields[b"data"]))
