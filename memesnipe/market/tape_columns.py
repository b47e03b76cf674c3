"""The columns of a tape: records to Arrow and back.

A column holds the values of the kinds of event that carry the field, and 0 in the other rows; the column ``mint`` is
the address of the event's token, and empty for an event of the whole market.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from memesnipe.market.events import EVENT, FIELDS, NO_TOKEN, Events, empty
from memesnipe.market.record_rules import ASSIGNED_BY_A_RUN

COLUMNS: Final = tuple(name for name in EVENT.names or () if name not in ASSIGNED_BY_A_RUN)
TYPES: Final[dict[str, Any]] = {"mint": pa.string()} | {name: pa.from_numpy_dtype(EVENT[name]) for name in COLUMNS}


def _carriers(name: str) -> NDArray[np.bool_]:
    """For each code of a kind, whether records of it carry the field; shape (256,)."""
    carries = np.zeros(256, dtype=bool)
    carries[[kind for kind, fields in FIELDS.items() if name in fields]] = True
    return carries


_CARRIED_BY: Final = {name: _carriers(name) for name in COLUMNS}
_OF_EVERY_KIND: Final = frozenset(name for name in COLUMNS if all(name in fields for fields in FIELDS.values()))


@dataclass(slots=True)
class TokenIndex:
    """Token indices in order of the first appearance of their mints."""

    mints: list[str] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)

    def of(self, column: Any) -> NDArray[np.int32]:
        """The token of each row of a column of mints."""
        encoded = column.dictionary_encode()  # in order of first appearance
        tokens = [self._token(mint) for mint in encoded.dictionary.to_pylist()]
        chosen: NDArray[np.int32] = np.array(tokens, dtype=np.int32)[encoded.indices.to_numpy()]
        return chosen

    def _token(self, mint: str) -> int:
        if not mint:
            return NO_TOKEN
        if mint not in self._index:
            self._index[mint] = len(self.mints)
            self.mints.append(mint)
        return self._index[mint]


def to_table(events: Events, mints: list[str]) -> Any:
    """The events as an Arrow table with the columns of TYPES."""
    kinds = events["kind"]
    named = np.array([*mints, ""], dtype=object)  # NO_TOKEN is -1 and so finds the empty one
    columns: dict[str, Any] = {"mint": pa.array(named[events["token"]], pa.string())}
    for name in COLUMNS:
        values = np.ascontiguousarray(events[name])
        columns[name] = values if name in _OF_EVERY_KIND else np.where(_CARRIED_BY[name][kinds], values, 0)
    return pa.table(columns, schema=pa.schema(list(TYPES.items())))


def to_events(batch: Any, index: TokenIndex) -> Events:
    """The events of a record batch with the columns of TYPES; numbered by nobody yet."""
    events = empty(batch.num_rows)
    kinds = batch.column("kind").to_numpy()
    for name in COLUMNS:
        values = batch.column(name).to_numpy()
        carried = _CARRIED_BY[name][kinds]
        if name in _OF_EVERY_KIND or carried.all():
            events[name] = values
        elif carried.any():  # kinds overlap in their bytes
            events[name][carried] = values[carried]
    events["token"] = index.of(batch.column("mint"))
    return events


def schema_error(schema: Any) -> str | None:
    """How the columns of a file differ from those of a tape, in words; None where they do not."""
    for name, expected in TYPES.items():
        found = [field.type for field in schema if field.name == name]
        if not found:
            return f"the column {name} is missing"
        if len(found) > 1:
            return f"there are {len(found)} columns {name}"
        if found[0] != expected:
            return f"the column {name} is {found[0]}: must be {expected}"
    others = [field.name for field in schema if field.name not in TYPES]
    return f"the column {others[0]!r} is none of a tape" if others else None


def null_error(batch: Any) -> tuple[int, str] | None:
    """The first row that lacks a value, and its column; None where every row has all of them."""
    for name in TYPES:
        column = batch.column(name)
        if column.null_count:
            return int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]), f"{name} is missing"
    return None
