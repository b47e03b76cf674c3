"""Finds a secret that a run has left in files, processes, Redis, PostgreSQL or replies, in all its encodings."""

import base64
import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import Engine, text

from memesnipe import base58

_CHUNK: Final = 500
_TABLES: Final = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND has_table_privilege(oid, 'SELECT')
"""
_SHORTEST: Final = 16  # bytes of a secret text: shorter ones would be found by chance
_SMALL: Final = 127  # numbers up to this are one byte in msgpack


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret where it does not belong.

    Args:
        secret: its name.
        encoding: in which it was found.
        place: where.
    """

    secret: str
    encoding: str
    place: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and the byte strings that reveal it, by encoding."""

    name: str
    patterns: dict[str, bytes]


def keypair_secret(name: str, keypair: bytes) -> Secret:
    """Return the secret of a keypair of 64 bytes: its secret half alone, and the whole, in all encodings."""
    if len(keypair) != 64:
        raise ValueError("a keypair has 64 bytes")
    found = {f"half, {encoding}": pattern for encoding, pattern in _encodings(keypair[:32]).items()}
    # In every other encoding the whole contains the half.
    found["whole, base58"] = base58.encode(keypair).encode()
    return Secret(name, found)


def text_secret(name: str, value: str) -> Secret:
    """Return a secret that is text, such as a token; in hex or base64 it is revealed too."""
    raw = value.encode()
    if len(raw) < _SHORTEST:
        raise ValueError("a secret text has 16 bytes or more")
    return Secret(name, {"text": raw} | {f"text, {key}": each for key, each in _base64(raw).items()})


def _encodings(raw: bytes) -> dict[str, bytes]:
    """Return what reveals these bytes."""
    numbers = [str(byte) for byte in raw]
    return {
        "raw": raw,
        "hex": raw.hex().encode(),
        "upper hex": raw.hex().upper().encode(),
        "base58": base58.encode(raw).encode(),
        "JSON": json.dumps(list(raw), separators=(",", ":"))[1:-1].encode(),
        "JSON with spaces": ", ".join(numbers).encode(),
        "numbers in lines": "\n".join(numbers).encode(),
        "escaped text": "".join(f"\\x{byte:02x}" for byte in raw).encode(),
        "repr": repr(raw)[2:-1].encode(),
        "repr in JSON": json.dumps(repr(raw))[3:-2].encode(),
        "pickled list": b"".join(b"K" + bytes([byte]) for byte in raw),
        "msgpack list": b"".join((b"\xcc" if byte > _SMALL else b"") + bytes([byte]) for byte in raw),
        **_base64(raw),
    }


def _base64(raw: bytes) -> dict[str, bytes]:
    """Return the middle of the bytes' base64 at each alignment, in both alphabets."""
    found = {}
    for before in range(3):
        # Characters that also depend on neighbours are left out.
        usable = raw[(3 - before) % 3 :]
        usable = usable[: len(usable) // 3 * 3]
        found[f"base64 after {before}"] = base64.b64encode(usable)
        found[f"url base64 after {before}"] = base64.urlsafe_b64encode(usable)
    return found


class SecretScan:
    """Looks for secrets, and counts what it has looked at.

    Args:
        secrets: what must not be found.
    """

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = tuple(secrets)
        self.findings: list[Finding] = []
        self.looked: dict[str, int] = {}  # bytes, by kind of place

    def bytes(self, kind: str, place: str, content: "bytes | mmap.mmap") -> None:
        """Look into bytes."""
        self.looked[kind] = self.looked.get(kind, 0) + len(content)
        for secret in self._secrets:
            for encoding, pattern in secret.patterns.items():
                if content.find(pattern) >= 0:
                    self.findings.append(Finding(secret.name, encoding, f"{kind} {place}"))

    def folder(self, kind: str, folder: Path, except_for: Iterable[Path] = ()) -> None:
        """Look into every file below a folder, and its name; links are not followed.

        Args:
            kind: of the place.
            folder: to look into.
            except_for: the files in which the secrets belong.
        """
        left_out = {path.resolve() for path in except_for}
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or path.resolve() in left_out or not path.is_file():
                continue
            self.bytes(f"{kind} names", str(path), str(path).encode())
            self.file(kind, path)

    def file(self, kind: str, path: Path) -> None:
        """Look into a file."""
        try:
            with path.open("rb") as file:
                if path.stat().st_size:
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                        self.bytes(kind, str(path), content)
        except FileNotFoundError:
            return  # a running system removes files
        except (OSError, ValueError):
            self.bytes(kind, str(path), path.read_bytes())  # it cannot be mapped, or was emptied meanwhile

    def processes(self, pids: Iterable[int]) -> None:
        """Look into the command line and the environment of processes."""
        for pid in pids:
            try:
                process = psutil.Process(pid)
                command, environment = process.cmdline(), process.environ()
            except psutil.NoSuchProcess:
                continue
            self.bytes("command line", str(pid), "\0".join(command).encode())
            content = "\0".join(f"{name}={value}" for name, value in environment.items())
            self.bytes("environment", str(pid), content.encode())

    def redis(self, client: Any) -> None:
        """Look into every key of a `redis.Redis` that decodes nothing, and its value."""
        for key in client.scan_iter(count=_CHUNK):
            self.bytes("redis", "a key", bytes(key))
            for part in _values(client, key):
                self.bytes("redis", repr(key), part)

    def postgres(self, database: Engine) -> None:
        """Look into every row of every table that the user may read, as text and as binary data."""
        with database.connect() as connection:
            tables = connection.execute(text(_TABLES))
            for (table,) in list(tables):
                rows = connection.execution_options(yield_per=_CHUNK).execute(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
                for (row,) in rows:
                    content = row.encode()
                    self.bytes("postgres", table, content)
                    for raw in _hex_values(row):  # of columns of bytes
                        self.bytes("postgres", table, raw)


def _values(client: Any, key: bytes) -> Iterator[bytes]:
    """Yield the parts of a key's value."""
    kind = client.type(key)
    match kind:
        case b"string":
            yield client.get(key) or b""
        case b"stream":
            for identity, fields in client.xrange(key):
                yield identity
                yield from (part for pair in fields.items() for part in pair)
        case b"hash":
            yield from (part for pair in client.hgetall(key).items() for part in pair)
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"set":
            yield from client.smembers(key)
        case b"zset":
            yield from client.zrange(key, 0, -1)
        case b"none":
            return  # it has expired meanwhile
        case _:
            raise ValueError(f"{key!r} has the unknown type {kind!r}")


def _hex_values(row: str) -> Iterator[bytes]:
    """Yield the values of columns of bytes in a row as text."""
    for part in row.split("\\\\x")[1:]:
        digits = part[: next((i for i, c in enumerate(part) if c not in "0123456789abcdef"), len(part))]
        yield bytes.fromhex(digits[: len(digits) // 2 * 2])
