"""The columns of a tape: conversion of records to Arrow and back.

A column has the values of the kinds of event with that field, and 0 in the other rows; the column ``mint`` has the
address of the event's token, and is empty for an event of the whole market.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from memesnipe.market.events import EVENT, FIELDS, NO_TOKEN, Events, empty
from memesnipe.market.record_rules import ASSIGNED_BY_A_RUN
from memesnipe.market.token_index import TokenIndex

COLUMNS: Final = tuple(name for name in EVENT.names or () if name not in ASSIGNED_BY_A_RUN)
TYPES: Final[dict[str, Any]] = {"mint": pa.string()} | {name: pa.from_numpy_dtype(EVENT[name]) for name in COLUMNS}


def _kinds_with(name: str) -> NDArray[np.bool_]:
    """Return a mask over the codes of kinds with a field, shape (256,)."""
    has_field = np.zeros(256, dtype=bool)
    has_field[[kind for kind, fields in FIELDS.items() if name in fields]] = True
    return has_field


_KINDS_WITH: Final = {name: _kinds_with(name) for name in COLUMNS}
_OF_EVERY_KIND: Final = frozenset(name for name in COLUMNS if all(name in fields for fields in FIELDS.values()))


def to_table(events: Events, mints: list[str]) -> Any:
    """Return the events as an Arrow table with the columns of TYPES."""
    kinds, tokens = events["kind"], events["token"]
    named = pa.array([*mints, ""], pa.string())  # the last one for events without a token
    of_token = np.where(tokens == NO_TOKEN, len(mints), tokens)
    columns: dict[str, Any] = {"mint": named.take(pa.array(of_token))}
    for name in COLUMNS:
        values = np.ascontiguousarray(events[name])
        columns[name] = values if name in _OF_EVERY_KIND else np.where(_KINDS_WITH[name][kinds], values, 0)
    return pa.table(columns, schema=pa.schema(list(TYPES.items())))


def to_events(batch: Any, index: TokenIndex) -> Events:
    """Return the events of a record batch with the columns of TYPES, without seq and flags."""
    events = empty(batch.num_rows)
    kinds = np.from_dlpack(batch.column("kind"))  # `to_numpy` loads pandas
    for name in COLUMNS:
        values = np.from_dlpack(batch.column(name))
        has_field = _KINDS_WITH[name][kinds]
        if name in _OF_EVERY_KIND or has_field.all():
            events[name] = values
        elif has_field.any():  # the fields of different kinds overlap
            events[name][has_field] = values[has_field]
    events["token"] = index.of_column(batch.column("mint"))
    return events


def schema_error(schema: Any) -> str | None:
    """Return how the columns of a file differ from those of a tape; None if they do not."""
    for name, expected in TYPES.items():
        found = [field.type for field in schema if field.name == name]
        if not found:
            return f"the column {name} is missing"
        if len(found) > 1:
            return f"there are {len(found)} columns {name}"
        if found[0] != expected:
            return f"the column {name} is {found[0]}: must be {expected}"
    others = [field.name for field in schema if field.name not in TYPES]
    return f"the column {others[0]!r} is not a column of a tape" if others else None


def null_error(batch: Any) -> tuple[int, str] | None:
    """Return the first row with a missing value and a message with its column; None if there is none."""
    for name in TYPES:
        column = batch.column(name)
        if column.null_count:
            return int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]), f"{name} is missing"
    return None
