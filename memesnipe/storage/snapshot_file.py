"""Snapshot files: parts, each a header and arrays, in one file, which is replaced atomically after its last part."""

import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

_MAGIC: Final = b"memesnipe-snapshot-2\n"


@dataclass(frozen=True, slots=True)
class SnapshotPart:
    """A part of a snapshot: bytes for the header, and arrays of any dtype by name."""

    header: bytes
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


class SnapshotWriter:
    """Writes a snapshot part by part; the previous file stays until the last part is written.

    No file stays open between two parts: a copy may be abandoned at any of them. Each part is on the disk when `add`
    returns, so the caller is slowed down to the speed of the disk instead of filling the memory for files.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._temporary = path, path.with_suffix(".writing")
        self._has_begun = False
        self._checksum = 0

    def add(self, part: SnapshotPart, *, is_last: bool = False) -> None:
        """Write a part; after the last one replace the previous snapshot. A crash leaves that one or this one."""
        self._temporary.parent.mkdir(parents=True, exist_ok=True)
        with self._temporary.open("ab" if self._has_begun else "wb") as file:
            if not self._has_begun:
                file.write(_MAGIC)
                self._has_begun = True
            self._write(file, part, is_last=is_last)
            # Each part by itself: PostgreSQL and Redis on the same disk would wait while hundreds of MB are synced.
            file.flush()
            os.fsync(file.fileno())
        if is_last:
            self._temporary.replace(self._path)

    def _write(self, file: IO[bytes], part: SnapshotPart, *, is_last: bool) -> None:
        raw: list[Any] = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in part.arrays.values()]
        for data in (part.header, *raw):
            self._checksum = zlib.crc32(data, self._checksum)
        described = [
            [name, np.lib.format.dtype_to_descr(array.dtype), list(array.shape), len(data)]
            for (name, array), data in zip(part.arrays.items(), raw, strict=True)
        ]
        index = {"header": len(part.header), "arrays": described, "checksum": self._checksum, "last": is_last}
        file.write(orjson.dumps(index) + b"\n" + part.header)
        for data in raw:
            file.write(data)


def read_snapshot(path: Path) -> list[SnapshotPart] | None:
    """Return the parts of a snapshot; None if the file is absent or damaged."""
    parts, checksum, is_last = [], 0, False
    try:
        with path.open("rb") as file:
            if file.readline() != _MAGIC:
                return None
            while not is_last:
                index = orjson.loads(file.readline())
                header = file.read(index["header"])
                checksum = zlib.crc32(header, checksum)
                arrays = {}
                for name, descr, shape, size in index["arrays"]:
                    raw = bytearray(file.read(size))
                    checksum = zlib.crc32(raw, checksum)
                    arrays[name] = np.frombuffer(raw, _dtype(descr)).reshape(shape)
                if checksum != index["checksum"]:
                    return None
                parts.append(SnapshotPart(header, arrays))
                is_last = index["last"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return parts


def _dtype(descr: Any) -> np.dtype[Any]:
    """Return a dtype from its form in JSON, which has lists where numpy requires tuples."""
    if isinstance(descr, str):
        return np.dtype(descr)
    return np.dtype([(name, _dtype(fmt), *map(tuple, shape)) for name, fmt, *shape in descr])
