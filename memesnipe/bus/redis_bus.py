"""Redis streams. Entries are numbered by their only writer, so publishing twice is publishing once."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from memesnipe.bus.merge import Entry, StreamGapError, merge
from memesnipe.bus.streams import ACTORS, ALL, EVENT_STREAMS, EVENTS, HEARTBEAT_KEY
from memesnipe.errors import InputError

READ_LIMIT = 4_096  # entries of each stream in one read
_HEARTBEAT_EXPIRY_S = 4
_WRITERS_KEY = "memesnipe:writers"  # writer -> its mark
_INSTALLATION_KEY = "memesnipe:installation"
_PROGRESS_KEY = "memesnipe:progress:{}"  # a stream of one entry, replaced whenever a reader of that stream commits

# The check and the writing are one step in Redis: between them it may lose its data, and what is then written into the
# empty streams would hide what is missing below. An entry that is there already is left as it is.
_PUBLISH = """
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
local anew = tonumber(ARGV[3])
for i = 2, anew + 1 do redis.call('DEL', KEYS[i]) end
for i = anew + 2, #KEYS do
  local at = 4 + 3 * (i - anew - 2)
  local reply = redis.pcall('XADD', KEYS[i], ARGV[at], 'seq', ARGV[at + 1], 'data', ARGV[at + 2])
  if type(reply) == 'table' and not string.find(reply.err, 'equal or smaller', 1, true) then return reply end
end
return 1
"""

# What a writer hands over: (stream, number, seq, JSON)
Outgoing = tuple[str, int, int, bytes]


class Bus:
    """One actor's connection to the streams. Once lost it stays lost: the actor opens again with another."""

    def __init__(self, url: str) -> None:
        self._connected = False
        self._writer, self._mark = "", ""
        self._heard: dict[str, Any] = {}  # of each stream the last announcement that `wait_for_progress` knows of
        self._redis = redis.Redis.from_url(
            url, socket_timeout=10, retry=Retry(NoBackoff(), 0), redis_connect_func=self._connect_once
        )
        self._append: Any = self._redis.register_script(_PUBLISH)

    def _connect_once(self, connection: Any) -> None:
        """Connect, but never again: a Redis that was away may have lost entries, and only opening anew finds out."""
        if self._connected:
            raise redis.ConnectionError("the connection to Redis was lost")
        connection.on_connect()
        self._connected = True

    def begin(self, installation: str, run_id: int, actor: str) -> None:
        """Leave our mark: as long as it stands, Redis has its data and nobody else writes in this actor's place.

        Raises:
            redis.ConnectionError: this is another installation's Redis, which has taken the port of ours.
        """
        self._redis.set(_INSTALLATION_KEY, installation, nx=True)
        if self._redis.get(_INSTALLATION_KEY) != installation.encode():
            raise redis.ConnectionError("the Redis at our address is that of another MemeSnipe folder")
        self._writer, self._mark = f"{run_id}:{actor}", secrets.token_hex(8)
        self._redis.hset(_WRITERS_KEY, self._writer, self._mark)

    def assert_whole(self) -> None:
        """Fail if Redis has lost its data since `begin`, even if the connection was not lost.

        Raises:
            redis.ConnectionError: it has, and what is missing must be published again; or another took our place.
        """
        found: Any = self._redis.hget(_WRITERS_KEY, self._writer)
        if found is None:
            raise redis.ConnectionError("Redis has lost its data")
        if found != self._mark.encode():
            raise redis.ConnectionError(f"another {self._writer.partition(':')[2]} writes in this one's place")

    def publish(self, outgoing: Iterable[Outgoing], anew: Sequence[str] = ()) -> None:
        """Append entries in order, all at once; those that are there already are left as they are.

        Args:
            outgoing: the entries.
            anew: streams that are emptied first, because no entry can be put below those that are there.

        Raises:
            redis.ConnectionError: since `begin` Redis has lost its data, or another took our place; nothing was done.
        """
        entries = list(outgoing)
        if not entries and not anew:
            return
        keys = [_WRITERS_KEY, *anew, *(stream for stream, *_ in entries)]
        fields = (value for _, number, seq, data in entries for value in (f"{number}-0", seq, data))
        if not self._append(keys, [self._writer, self._mark, len(anew), *fields]):
            self.assert_whole()
            raise redis.ConnectionError("Redis has lost its data")

    def last_number(self, stream: str) -> int:
        """The number of the last entry of a stream; 0 when it is empty or not there."""
        last: Any = self._redis.xrevrange(stream, count=1)
        return _number(last[0][0]) if last else 0

    def held(self, stream: str) -> range:
        """The numbers of a stream's entries; none where some are missing between them."""
        pipeline: Any = self._redis.pipeline(transaction=True)
        pipeline.xrange(stream, count=1).xrevrange(stream, count=1).xlen(stream)
        first, last, count = pipeline.execute()
        if not count:
            return range(0)
        numbers = range(_number(first[0][0]), _number(last[0][0]) + 1)
        return numbers if len(numbers) == count else range(0)

    def held_events(self, first: int) -> range:
        """The numbers of the events from ``first`` on; none where some are missing. Those before it are let go."""
        pipeline: Any = self._redis.pipeline(transaction=True)
        for stream in EVENT_STREAMS:
            pipeline.xtrim(stream, minid=f"{first}-0", approximate=False)
            pipeline.xlen(stream).xrevrange(stream, count=1)
        replies = pipeline.execute()
        numbers = range(first, first + sum(replies[1::3]))
        last = max((_number(found[0][0]) for found in replies[2::3] if found), default=0)
        return numbers if numbers and numbers[-1] == last else range(first, first)

    def read(self, positions: Mapping[str, int], block_ms: int) -> list[Entry]:
        """What comes after ``positions`` (the number of the last entry known of each stream), merged.

        All streams are read in one command, so the answer is one moment's view of them.
        """
        after: dict[Any, Any] = {
            name: f"{number}-0"
            for stream, number in positions.items()
            for name in (EVENT_STREAMS if stream == EVENTS else (stream,))
        }
        answer: Any = self._redis.xread(after, count=READ_LIMIT)
        if not answer:
            # A blocked read is woken by one stream and answers with that one alone, so it only serves to wait.
            self._redis.xread(after, count=1, block=block_ms)
            answer = self._redis.xread(after, count=READ_LIMIT) or []
        found = {stream.decode(): entries for stream, entries in answer}
        in_order = {s: [_entry(s, *raw) for raw in found[s]] for s in after if s in found}
        return merge(in_order, READ_LIMIT)

    def announce_progress(self, stream: str) -> None:
        """Wake whoever waits for readers of a stream. A hint and no more: how far they are is in PostgreSQL."""
        self._redis.xadd(_PROGRESS_KEY.format(stream), {b"": b""}, maxlen=1, approximate=False)

    def wait_for_progress(self, stream: str, timeout_s: float) -> None:
        """Wait until some reader of a stream has announced progress since the last time, at most so long."""
        key = _PROGRESS_KEY.format(stream)
        answer: Any = self._redis.xread({key: self._heard.get(stream, "0-0")}, block=max(int(timeout_s * 1e3), 1))
        if answer:
            self._heard[stream] = answer[0][1][-1][0]

    def events_between(self, first: int, last: int) -> Iterator[list[Entry]]:
        """The events numbered ``first`` to ``last``, waiting for those that are still to be republished.

        Raises:
            StreamGapError: one of them is missing, and others behind it are there.
        """
        position = first - 1
        while position < last:
            entries = self.read({EVENTS: position}, block_ms=200)
            for number, entry in enumerate(entries, start=position + 1):
                if entry.number != number:
                    raise StreamGapError(f"{EVENTS}: after entry {number - 1} comes {entry.number}")
            wanted = entries[: last - position]
            if wanted:
                position = wanted[-1].number
                yield wanted

    def trim(self, stream: str, first_kept: int) -> None:
        """Let go of the entries before ``first_kept``."""
        if first_kept > 1:
            self._redis.xtrim(stream, minid=f"{first_kept}-0", approximate=True)

    def take_over(self, installation: str, run_id: int) -> None:
        """Prepare this Redis database for a run: streams of another run go, and so does what actors said of it.

        Raises:
            InputError: the database belongs to another installation.
        """
        self._redis.set(_INSTALLATION_KEY, installation, nx=True)
        if self._redis.get(_INSTALLATION_KEY) != installation.encode():
            raise InputError(
                "REDIS_URL names a database that another MemeSnipe folder uses; choose another number, such as /1"
            )
        if self._redis.get("memesnipe:run") != str(run_id).encode():
            self._redis.delete(*ALL)
            self._redis.set("memesnipe:run", run_id)
        self._redis.delete(_WRITERS_KEY, *(HEARTBEAT_KEY.format(actor) for actor in ACTORS))

    def beat(self, actor: str, state: dict[str, Any]) -> None:
        """Say that an actor is alive, for the next few seconds."""
        self._redis.set(HEARTBEAT_KEY.format(actor), orjson.dumps(state), ex=_HEARTBEAT_EXPIRY_S)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _entry(stream: str, identifier: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(stream, _number(identifier), int(fields[b"seq"]), orjson.loads(fields[b"data"]))


def _number(identifier: bytes) -> int:
    return int(identifier.split(b"-")[0])
