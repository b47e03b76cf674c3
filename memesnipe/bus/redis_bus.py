"""Redis streams. Entries are numbered by their only writer, so publishing twice is publishing once."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from memesnipe.bus.merge import Entry, merge
from memesnipe.bus.streams import ACTORS, ALL, EVENT_STREAMS, EVENTS, HEARTBEAT_KEY
from memesnipe.errors import InputError

READ_LIMIT = 4_096  # entries of each stream in one read
_ALREADY_THERE = "equal or smaller than the target stream top item"
_HEARTBEAT_EXPIRY_S = 4
_LIFE_KEY = "memesnipe:life"
_INSTALLATION_KEY = "memesnipe:installation"

# What a writer hands over: (stream, number, seq, JSON)
Outgoing = tuple[str, int, int, bytes]


class Bus:
    """One actor's connection to the streams. Once lost it stays lost: the actor opens again with another."""

    def __init__(self, url: str) -> None:
        self._connected = False
        self._life: Any = None
        self._redis = redis.Redis.from_url(
            url, socket_timeout=10, retry=Retry(NoBackoff(), 0), redis_connect_func=self._connect_once
        )

    def _connect_once(self, connection: Any) -> None:
        """Connect, but never again: a Redis that was away may have lost entries, and only opening anew finds out."""
        if self._connected:
            raise redis.ConnectionError("the connection to Redis was lost")
        connection.on_connect()
        self._connected = True

    def begin(self, installation: str) -> None:
        """Remember which life of Redis this is; the first to ask names it.

        Raises:
            redis.ConnectionError: this is another installation's Redis, which has taken the port of ours.
        """
        self._redis.set(_INSTALLATION_KEY, installation, nx=True)
        if self._redis.get(_INSTALLATION_KEY) != installation.encode():
            raise redis.ConnectionError("the Redis at our address is that of another MemeSnipe folder")
        self._redis.set(_LIFE_KEY, secrets.token_hex(8), nx=True)
        self._life = self._redis.get(_LIFE_KEY)

    def assert_whole(self) -> None:
        """Fail if Redis has lost its data since `begin`, even if the connection was not lost.

        Raises:
            redis.ConnectionError: it has; what is missing must be published again.
        """
        if self._redis.get(_LIFE_KEY) != self._life:
            raise redis.ConnectionError("Redis has lost its data")

    def publish(self, outgoing: Iterable[Outgoing]) -> None:
        """Append entries in order, all at once; those that are there already are left as they are."""
        pipeline = self._redis.pipeline(transaction=True)
        for stream, number, seq, data in outgoing:
            pipeline.xadd(stream, {"seq": seq, "data": data}, id=f"{number}-0")
        for reply in pipeline.execute(raise_on_error=False):
            if isinstance(reply, Exception) and _ALREADY_THERE not in str(reply):
                raise reply

    def last_number(self, stream: str) -> int:
        """The number of the last entry of a stream; 0 when it is empty or not there."""
        last: Any = self._redis.xrevrange(stream, count=1)
        return _number(last[0][0]) if last else 0

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

    def events_between(self, first: int, last: int) -> Iterator[list[Entry]]:
        """The events numbered ``first`` to ``last``, waiting for those that are still to be republished."""
        position = first - 1
        while position < last:
            entries = [e for e in self.read({EVENTS: position}, block_ms=200) if e.seq <= last]
            if entries:
                position = entries[-1].seq
                yield entries

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
        self._redis.delete(*(HEARTBEAT_KEY.format(actor) for actor in ACTORS))

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
