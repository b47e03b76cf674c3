"""JSON as columns of strings: a list of records, a reply that has one inside, or one record per line."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from memesnipe.errors import TapeError
from memesnipe.tapes.table import Table

NOT_A_RECORD: Final = "the row is not a JSON object"
_MAX_COLUMNS: Final = 500
_MAX_DEPTH: Final = 8
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_WRAPPERS: Final = frozenset({"raw", "message", "data"})  # of recorded messages: the message itself as text
_OHLCV: Final = ("time", "open", "high", "low", "close", "volume")


def read_json(path: Path, text: bytes) -> Table:
    """Read a JSON file; nested names are joined with points, in lower case.

    Raises:
        TapeError: it is neither JSON nor JSON by lines, or has no list of records or several.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _table(path, _lines(path, text, error))
    return _table(path, _records(path, document))


def _lines(path: Path, text: bytes, error: Exception) -> Iterator[Mapping[str, Any] | None]:
    """Yield the record of each line, None for a line that is none; empty lines are skipped."""
    found = False
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        found = found or isinstance(record, dict)
        yield record if isinstance(record, dict) else None
    if not found:
        raise TapeError(f"{path} is neither JSON nor one JSON object per line: {error.args[0]}")


def _records(path: Path, document: Any) -> Iterator[Mapping[str, Any] | None]:
    """Yield the records of a document: those of its only list of objects, or the document itself."""
    lists = list(_lists(document, ()))
    if len(lists) > 1:
        shown = " and ".join(sorted(ascii(".".join(names))[1:-1][:40] for names, _ in lists)[:3])
        raise TapeError(f"{path} has several lists of records ({shown}): write one list per file")
    if not lists:
        if not isinstance(document, dict):
            raise TapeError(f"{path} has no list of records")
        yield document
        return
    (names, records) = lists[0]
    for record in records:
        if isinstance(record, dict):
            yield record
        elif not isinstance(record, list) or len(record) != len(_OHLCV):
            yield None
        elif names:  # of GeckoTerminal, whose reply names the token
            yield {"ohlcv": dict(zip(_OHLCV, record, strict=True)), "meta": document.get("meta")}
        else:
            yield dict(zip(_OHLCV, record, strict=True))


def _lists(value: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield the outermost lists of objects, and lists of candles, with their names."""
    if isinstance(value, list):
        kinds = (list,) if names and names[-1] == "ohlcv_list" else (dict, list) if not names else (dict,)
        kind = next((kind for kind in kinds if sum(isinstance(item, kind) for item in value) * 2 > len(value)), None)
        if kind is not None:
            yield names, [item if isinstance(item, kind) else None for item in value]
    elif isinstance(value, dict) and len(names) < _MAX_DEPTH:
        for name, item in value.items():
            yield from _lists(item, (*names, name))


def _table(path: Path, records: Iterable[Mapping[str, Any] | None]) -> Table:
    columns: dict[str, list[str]] = {}
    bad = []
    for count, record in enumerate(records):
        bad.append(record is None)
        size = 0
        for name, text in _values(record or {}):
            column = columns.get(name)
            if column is None:
                column = columns[name] = [""] * count
            if len(column) > count:
                raise TapeError(f"{path} has a record with two values of one name, as in capital and small letters")
            column.append(text)
            size += 1
        if len(columns) > _MAX_COLUMNS:
            raise TapeError(f"{path} has more than {_MAX_COLUMNS} different names in its records")
        if size < len(columns):
            for column in columns.values():
                if len(column) == count:
                    column.append("")
    texts = {name: pc.utf8_trim_whitespace(pa.array(column, pa.string())) for name, column in columns.items()}
    width = len(texts)
    return Table(
        texts, np.full(len(bad), width), width, ",", ",".join(texts), {NOT_A_RECORD: np.array(bad, dtype=bool)}
    )


def _values(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Return the names and texts of a record's values."""
    if _SCALARS.issuperset(map(type, record.values())) and not record.keys() & _WRAPPERS:  # most records: faster
        return [(key.lower(), value if type(value) is str else _text(value)) for key, value in record.items()]
    return _flat("", record, 0)


def _flat(prefix: str, record: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of a record's values; lists are left out."""
    for key, value in record.items():
        name = prefix + key.lower()
        if isinstance(value, str):
            message = _message(value) if name in _WRAPPERS else None
            if message is not None:
                yield from _flat("", message, depth + 1)
            else:
                yield name, value
        elif isinstance(value, dict):
            if depth < _MAX_DEPTH:
                yield from _flat(name + ".", value, depth + 1)
        elif not isinstance(value, list):
            yield name, _text(value)


def _message(text: str) -> Mapping[str, Any] | None:
    """Return the message that a recorder stored as text, or None."""
    if not text.startswith("{"):
        return None
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


def _text(value: bool | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
