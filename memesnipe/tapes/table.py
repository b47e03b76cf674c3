"""Delimited text as columns of strings. The header determines the delimiter; rows of another width are kept."""

import csv
import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from memesnipe.errors import TapeError, first_line

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
# Bytes read by one thread: those of Arrow may still be starting when a command ends at once with an error, and then
# abort the process (apache/arrow issue 34314, open).
ONE_THREAD = 1 << 20
_MAX_LINE = 1 << 20
_SEPARATOR_LINE = re.compile(rb"^sep=.[ \t]*\r?\n")  # Excel's; the header determines the delimiter all the same
_SHOWN = 200  # characters of a header in a message
_SPACES = tuple(bytes([code]) for code in range(128) if chr(code).isspace() and chr(code) not in "\r\n")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of trimmed strings, each shape (n,), by lower-case name; and the number of fields of each row."""

    columns: dict[str, Any]
    widths: NDArray[np.int64]  # shape (n,): fields of each row without trailing empty ones beyond the header
    header_width: int
    delimiter: str
    header: str = ""
    bad: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)  # rows that are no records, by reason

    def __len__(self) -> int:
        return len(self.widths)


def read_table(
    path: Path,
    text: bytes,
    layouts: Sequence[Sequence[str]],
    *,
    known: Collection[str] = (),
    accepts: Callable[[list[str]], bool] = lambda _: False,
) -> Table:
    """Read delimited text whose header has all names of one of the layouts.

    Args:
        path: the file of the text, for messages.
        text: the text in UTF-8.
        layouts: required column names of each layout; of equal matches messages refer to the last one.
        known: further names of columns that the delimiter is derived from.
        accepts: whether a header that matches no layout is accepted too.

    Raises:
        TapeError: the header is missing, matches no layout or names a column twice, or quotes do not close.
    """
    stripped = _SEPARATOR_LINE.sub(b"", text.lstrip(b"\r\n \t"))
    line, _, body = stripped.partition(b"\n")
    if len(line) > _MAX_LINE:
        raise TapeError(f"{path} is not a CSV file: its first line has {len(line)} bytes")
    if b"\r" in line.rstrip(b"\r"):  # lines that end with a single carriage return
        lines = stripped.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return read_table(path, lines, layouts, known=known, accepts=accepts)
    header = line.decode().rstrip("\r")
    if not header:
        raise TapeError(f"{path} has no rows: it is empty")
    delimiter, names = _header(path, header, known={*known, *(name for layout in layouts for name in layout)})
    if not any(set(layout) <= set(names) for layout in layouts) and not accepts(names):
        raise TapeError(f"{path} {header_error(header, names, layouts)}")
    for name in names:
        if name and names.count(name) > 1:
            raise TapeError(f"{path} names the column {name[:40]!r} twice in its header")
    names += [""] * (_extra_fields(body, delimiter, len(names)))
    unique = [name or f"\0{i}" for i, name in enumerate(names)]  # columns without a name are dropped
    table = _read_fast(body, delimiter, unique)
    if table is None:
        table = _read_leniently(path, body, delimiter, unique)
    columns, widths = table
    named = {name: column for name, column in columns.items() if not name.startswith("\0")}
    return Table(named, widths, len(names), delimiter, header)


def _header(path: Path, line: str, known: set[str]) -> tuple[str, list[str]]:
    found: dict[str, list[str]] = {}
    for delimiter in DELIMITERS:
        try:
            fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error as error:
            raise TapeError(f"{path} is not a CSV file: {error}") from error
        found[delimiter] = [field.strip().lower() for field in fields]
    delimiter = max(DELIMITERS, key=lambda d: len(known.intersection(found[d])))
    return delimiter, found[delimiter]


def header_error(line: str, names: list[str], layouts: Sequence[Sequence[str]]) -> str:
    """Return why a header matches no layout: the columns missing of the nearest one."""
    nearest = max(reversed(layouts), key=lambda layout: len(set(layout).intersection(names)) / len(layout))
    missing = [name for name in nearest if name not in names]
    text = line.strip()
    shown = ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")[1:-1]
    if text.startswith(("[", "{")):  # not shown: it may be the file of a wallet
        shown = "JSON"
    if len(missing) < len(nearest):
        return f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)} (its header: {shown})"
    if all(name in text.lower() for name in nearest):
        return f"has an unknown column separator, none of {', '.join(DELIMITERS.values())} (its header: {shown})"
    return f"has no header: its first line must name the columns {', '.join(nearest)}, but is {shown}"


def _extra_fields(body: bytes, delimiter: str, width: int) -> int:
    """Return the number of empty fields of the first row beyond the header, from delimiters at the line's end."""
    first = body[: 1 << 16].lstrip(b"\r\n").split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
    fields = first.split(delimiter)
    extra = fields[width:]
    return len(extra) if '"' not in first and not any(field.strip() for field in extra) else 0


def _read_fast(body: bytes, delimiter: str, names: list[str]) -> tuple[dict[str, Any], NDArray[np.int64]] | None:
    """Read the columns with Arrow; return None if a row has another width or quotes are unusual."""
    quoted = b'"' in body
    if not body.strip() or (quoted and delimiter.encode() + b' "' in body):
        return None
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=len(body) > ONE_THREAD),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, OSError):
        return None
    if quoted and body.count(b'"') % 2:
        return None  # an unclosed quote includes later rows
    columns = {name: table.column(name).combine_chunks() for name in names}
    if not body.isascii() or any(space in body for space in _SPACES):
        columns = {name: pc.utf8_trim_whitespace(column) for name, column in columns.items()}
    return columns, np.full(table.num_rows, len(names))


def _read_leniently(
    path: Path, body: bytes, delimiter: str, names: list[str]
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Read the columns row by row, with any width and spaces before quotes."""
    width, rows, widths = len(names), [], []
    has_unclosed = body.count(b'"') % 2 == 1  # then a quote may include later rows; strict reading reports the row
    text = io.StringIO(body.decode(), newline="")
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=has_unclosed)
    try:
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            while len(row) > width and not row[-1].strip():
                row.pop()
            widths.append(len(row))
            rows.append([*row[:width], *[""] * (width - len(row))])
    except csv.Error as error:
        raise TapeError(f"{path} is not a CSV file: row {reader.line_num}: {first_line(error)}") from error
    transposed = zip(*rows, strict=True) if rows else ([] for _ in names)
    columns = {
        name: pc.utf8_trim_whitespace(pa.array(column, pa.string()))
        for name, column in zip(names, transposed, strict=True)
    }
    return columns, np.array(widths, dtype=np.int64)
