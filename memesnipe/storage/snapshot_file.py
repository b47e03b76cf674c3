"""Snapshot files: a header and arrays in one file, which is replaced atomically."""

import os
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

_MAGIC: Final = b"memesnipe-snapshot-1\n"


def write_snapshot(path: Path, header: bytes, arrays: dict[str, NDArray[Any]]) -> None:
    """Replace a snapshot; a crash leaves the old file or the new one.

    Args:
        path: of the file.
        header: bytes, which `read_snapshot` returns unchanged.
        arrays: contiguous arrays of any dtype, by name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    checksum = zlib.crc32(header)
    contents = []
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        checksum = zlib.crc32(raw, checksum)
        contents.append((name, array, raw))
    index = {
        "header": len(header),
        "arrays": [[name, np.lib.format.dtype_to_descr(a.dtype), list(a.shape), len(raw)] for name, a, raw in contents],
        "checksum": checksum,
    }
    temporary = path.with_suffix(".writing")
    with temporary.open("wb") as file:
        file.write(_MAGIC + orjson.dumps(index) + b"\n" + header)
        for _, _, raw in contents:
            file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_snapshot(path: Path) -> tuple[bytes, dict[str, NDArray[Any]]] | None:
    """Return header and arrays of a snapshot; None if the file is absent or damaged."""
    try:
        with path.open("rb") as file:
            if file.readline() != _MAGIC:
                return None
            index = orjson.loads(file.readline())
            header = file.read(index["header"])
            checksum = zlib.crc32(header)
            arrays = {}
            for name, descr, shape, size in index["arrays"]:
                raw = bytearray(file.read(size))
                checksum = zlib.crc32(raw, checksum)
                arrays[name] = np.frombuffer(raw, _dtype(descr)).reshape(shape)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return (header, arrays) if checksum == index["checksum"] else None


def _dtype(descr: Any) -> np.dtype[Any]:
    """Return a dtype from its form in JSON, which has lists where numpy requires tuples."""
    if isinstance(descr, str):
        return np.dtype(descr)
    return np.dtype([(name, _dtype(fmt), *map(tuple, shape)) for name, fmt, *shape in descr])
