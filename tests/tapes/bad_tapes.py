"""Tapes that the writer would reject: complete and sealed files with invalid content."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memesnipe.tapes.checksum import UNSEALED, seal


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    """Rewrite a tape with a changed table and a valid seal."""
    table = change(pq.read_table(path))
    metadata = {k: v for k, v in (table.schema.metadata or {}).items() if k != b"seal"} | {b"seal": UNSEALED.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd", write_page_checksum=True)
    seal(path)


def with_value(name: str, row: int, value: Any) -> Callable[[Any], Any]:
    """Return a change of one value."""

    def change(table: Any) -> Any:
        column = table.column(name)
        values = column.to_pylist() if name == "mint" else column.to_numpy().copy()
        values[row] = value
        return with_column(name, pa.array(values, column.type))(table)

    return change


def with_column(name: str, column: Any) -> Callable[[Any], Any]:
    """Return a change of a whole column, possibly to another type."""
    return lambda table: table.set_column(table.schema.get_field_index(name), name, column)


def flipped(content: bytes, bit: int) -> bytes:
    """Return the bytes with one bit flipped."""
    changed = np.frombuffer(content, dtype=np.uint8).copy()
    changed[bit // 8] ^= 1 << bit % 8
    return changed.tobytes()
