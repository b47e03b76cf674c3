"""Parquet as columns of strings."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from memesnipe.errors import TapeError, first_line
from memesnipe.tapes.table import ONE_THREAD, Table

MAGIC: Final = b"PAR1"
_EXACT: Final = 2.0**53  # integers below are exact as floats
_MAX_DEPTH: Final = 8
_TAPE: Final = b"memesnipe-tape-"  # the format in the metadata of a tape begins with it, in every version


def read_parquet(path: Path, data: bytes) -> Table:
    """Read a Parquet file; names of nested columns are joined with points, in lower case.

    Raises:
        TapeError: it is damaged, or two columns have one name, or it is a tape.
    """
    try:
        threads = len(data) > ONE_THREAD
        file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=threads)
        if (file.schema_arrow.metadata or {}).get(b"format", b"").startswith(_TAPE):
            raise TapeError(f"{path} is a tape already, not a file of swaps: use it as it is, as in `--tape {path}`")
        table = file.read(use_threads=threads)
        for _ in range(_MAX_DEPTH):
            if not any(pa.types.is_struct(field.type) for field in table.schema):
                break
            table = table.flatten()
        columns: dict[str, Any] = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            text = _text(column)
            if text is None:
                continue
            if name.lower() in columns:
                raise TapeError(f"{path} has two columns with the name {ascii(name.lower())[:40]}")
            columns[name.lower()] = text
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise TapeError(f"{path}: the Parquet data is truncated or damaged: {first_line(error)}") from error
    width = len(columns)
    return Table(columns, np.full(table.num_rows, width), width, ",", ",".join(columns))


def _text(column: Any) -> Any:
    """Return a column as trimmed strings, "" for no value; None if its type has no text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
    elif pa.types.is_floating(column.type):
        column = _integers(column)
    elif pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return None
    text = column.cast(pa.string()).combine_chunks() if column.num_chunks else pa.array([], pa.string())
    if isinstance(text, pa.ChunkedArray):
        text = pa.concat_arrays(text.chunks) if text.num_chunks else pa.array([], pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(text, ""))


def _integers(column: Any) -> Any:
    """Return a column of floats that are all whole as integers, so that none is written with an exponent."""
    values = pc.fill_null(column, 0.0).to_numpy()
    if np.all(np.isfinite(values)) and np.all(values == np.rint(values)) and np.all(np.abs(values) < _EXACT):
        return column.cast(pa.int64())
    return column
