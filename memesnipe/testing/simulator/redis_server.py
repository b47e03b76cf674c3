"""A Redis server in memory: the commands that the bus uses, with the replies of a real server."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

Id = tuple[int, int]
Raw = tuple[bytes, dict[bytes, bytes]]


@dataclass(slots=True)
class Stream:
    """The entries of one stream in order, and the highest id that it ever had."""

    ids: list[Id] = field(default_factory=list)
    fields: list[dict[bytes, bytes]] = field(default_factory=list)
    last: Id = (0, 0)

    def between(self, first: int, stop: int) -> list[Raw]:
        """Return the entries at these indices."""
        return [(b"%d-%d" % self.ids[i], self.fields[i]) for i in range(first, min(stop, len(self.ids)))]


class RedisServer:
    """The data of one server, and its commands; each is atomic."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.values: dict[str, Any] = {}
        self.starts = 1  # a connection is lost when the server starts again
        # Called with stream, number, seq and data of each entry that a script appends.
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self.on_entry: Callable[[str, int, int, bytes], None] = lambda *_: None

    def wake_on(self, keys: Iterable[str], wake: Callable[[], None]) -> None:
        """Call ``wake`` when an entry is appended to one of these streams."""
        for key in keys:
            self._waiting.setdefault(key, []).append(wake)

    def copy(self) -> dict[str, Any]:
        """Return the data, as a server writes it to disk."""
        return _copied(self.values)

    def restart(self, values: dict[str, Any]) -> None:
        """Start again with the data of an earlier `copy`."""
        self.values = _copied(values)
        self.starts += 1

    def stream(self, key: str) -> Stream | None:
        """Return a stream; None where the key is absent.

        Raises:
            redis.ResponseError: the key holds another type of value.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, Stream):
            raise redis.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value

    def set(self, key: str, value: Any, *, nx: bool = False, ex: int | None = None) -> bool | None:  # noqa: ARG002
        """SET; the expiry is not simulated, because only heartbeats have one."""
        if nx and key in self.values:
            return None
        self.values[key] = _bytes(value)
        return True

    def get(self, key: str) -> Any:
        """GET."""
        return self.values.get(key)

    def mget(self, keys: Iterable[str]) -> list[Any]:
        """MGET."""
        return [self.values.get(key) for key in keys]

    def hset(self, key: str, name: str, value: str) -> int:
        """HSET."""
        self.values.setdefault(key, {})[name] = value.encode()
        return 1

    def hget(self, key: str, name: str) -> Any:
        """HGET."""
        return self.values.get(key, {}).get(name)

    def type(self, key: str) -> bytes:
        """TYPE."""
        value = self.values.get(key)
        return b"none" if value is None else b"stream" if isinstance(value, Stream) else b"string"

    def delete(self, *keys: str) -> int:
        """DEL."""
        return sum(self.values.pop(key, None) is not None for key in keys)

    def xlen(self, key: str) -> int:
        """XLEN."""
        stream = self.stream(key)
        return len(stream.ids) if stream else 0

    def xrange(self, key: str, *, count: int) -> list[Raw]:
        """XRANGE from the first entry."""
        stream = self.stream(key)
        return stream.between(0, count) if stream else []

    def xrevrange(self, key: str, *, count: int) -> list[Raw]:
        """XREVRANGE from the last entry."""
        stream = self.stream(key)
        return stream.between(max(0, len(stream.ids) - count), len(stream.ids))[::-1] if stream else []

    def xadd(
        self, key: str, fields: Mapping[bytes, bytes], *, maxlen: int | None = None, approximate: bool = True
    ) -> bytes:
        """XADD with an id that the server assigns. A length is exact."""
        assert maxlen is None or not approximate  # noqa: S101 - the bus asks for nothing else
        stream = self._made(key)
        stream.last = (stream.last[0], stream.last[1] + 1)
        stream.ids.append(stream.last)
        stream.fields.append(dict(fields))
        if maxlen is not None:
            self._cut(stream, len(stream.ids) - maxlen)
        return b"%d-%d" % stream.last

    def xdel(self, key: str, *ids: bytes) -> int:
        """XDEL."""
        stream = self.stream(key)
        gone = {_id(i) for i in ids}
        if stream is None:
            return 0
        kept = [i for i, entry in enumerate(stream.ids) if entry not in gone]
        count = len(stream.ids) - len(kept)
        stream.ids, stream.fields = [stream.ids[i] for i in kept], [stream.fields[i] for i in kept]
        return count

    def xtrim(self, key: str, *, minid: str, approximate: bool) -> int:
        """XTRIM by id. An approximate one keeps some of the entries that it may remove."""
        stream = self.stream(key)
        if stream is None:
            return 0
        count = bisect_left(stream.ids, _id(minid))
        return self._cut(stream, self._rng.randint(0, count) if approximate else count)

    def _cut(self, stream: Stream, count: int) -> int:
        count = max(0, count)
        del stream.ids[:count], stream.fields[:count]
        return count

    def xread(self, after: Mapping[str, str], *, count: int) -> list[tuple[bytes, list[Raw]]]:
        """XREAD without waiting."""
        reply = []
        for key, last in after.items():
            stream = self.stream(key)
            if stream is not None and stream.ids and stream.ids[-1] > (position := _id(last)):
                first = bisect_right(stream.ids, position)
                reply.append((key.encode(), stream.between(first, first + count)))
        return reply

    def publish(self, keys: list[str], argv: list[Any]) -> list[Any]:
        """Run the script `memesnipe.bus.publish.PUBLISH`; a test compares it with the script on a real server."""
        writer, mark, emptied, targets = argv[0], argv[1], int(argv[2]), int(argv[3])
        if writer and self.hget(keys[0], writer) != _bytes(mark):
            return [b"gone"]
        names = keys[1 + emptied : 1 + emptied + targets]
        for name, length in zip(names, argv[4 : 4 + targets], strict=True):
            if length != "" and self.xlen(name) != int(length):
                return [b"changed"]
        self.delete(*keys[1 : 1 + emptied])
        for at in range(4 + targets, len(argv), 4):
            name = names[int(argv[at]) - 1]
            if not self._append(name, _id(argv[at + 1]), argv[at + 2], argv[at + 3]):
                self.delete(name)
                return [b"blocked", name.encode()]
        return [b"done", [self.xlen(name) for name in names]]

    def _append(self, name: str, identifier: Id, seq: int, data: bytes) -> bool:
        """Append an entry; return whether it is in the stream now."""
        stream = self._made(name)
        if identifier <= stream.last:
            at = bisect_left(stream.ids, identifier)
            return at < len(stream.ids) and stream.ids[at] == identifier
        self.on_entry(name, identifier[0], seq, data)
        stream.ids.append(identifier)
        stream.fields.append({b"seq": b"%d" % seq, b"data": data})
        stream.last = identifier
        return True

    def _made(self, key: str) -> Stream:
        """Return the stream to append to, and wake the processes that wait for its entries."""
        for wake in self._waiting.pop(key, ()):
            wake()
        if self.stream(key) is None:
            self.values[key] = Stream()
        made: Stream = self.values[key]
        return made


def _copied(values: dict[str, Any]) -> dict[str, Any]:
    copies: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Stream):
            copies[key] = Stream(list(value.ids), list(value.fields), value.last)
        else:
            copies[key] = value.copy() if isinstance(value, dict) else value
    return copies


def _id(text: str | bytes) -> Id:
    number, _, rest = (text if isinstance(text, str) else text.decode()).partition("-")
    return int(number), int(rest or 0)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
