"""`--map` on a file of the raw layout: other columns in the place of some of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from memesnipe.errors import InputError, TapeError, did_you_mean, printable
from memesnipe.tapes.sources.layout import Source
from memesnipe.tapes.sources.words import sides
from memesnipe.tapes.table import Table

# The columns of the raw layout by field, and the units that another column may be in.
_COLUMNS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "ts": ("block_time", ()), "slot": ("block_num", ()), "mint": ("token_address", ()),
    "trader": ("wallet_address", ()), "side": ("is_buy", ("word", "is_buy")),
    "sol_amount": ("amount_in_sol", ("lamports",)), "token_amount": ("amount_in_token", ("raw",)),
    "v_sol": ("virtual_sol_reserves", ("lamports",)), "v_tok": ("virtual_token_reserves", ("raw",)),
    "decimals": ("decimals", ()), "signature": ("transaction_signature", ()),
}  # fmt: skip


def with_replaced(table: Table, mapped: Mapping[str, Source]) -> Table:
    """Return a table of the raw layout with the user's columns in the place of its own.

    Raises:
        InputError: a field or a unit is none of the raw layout.
        TapeError: the table has no such column.
    """
    columns = dict(table.columns)
    for field, source in mapped.items():
        if field not in _COLUMNS:
            fields = ", ".join(_COLUMNS)
            raise InputError(f"--map {field}: the raw layout has no such field; its fields are {fields}")
        name, units = _COLUMNS[field]
        if source.unit and source.unit not in units:
            allowed = " or ".join(units) or "none: the magnitude shows the unit"
            raise InputError(f"--map {field}: {source.unit} is no unit of the raw layout there; its units: {allowed}")
        if not source.constant and source.column not in table.columns:
            near = did_you_mean(source.column, table.columns)
            raise TapeError(f"has no column {printable(source.column)[:40]!r} (--map {field}){near}")
        column = pa.repeat(source.constant, len(table)) if source.constant else table.columns[source.column]
        columns[name] = _is_buy(column, source) if field == "side" else column
    return replace(table, columns=columns)


def _is_buy(column: "pa.Array", source: Source) -> "pa.Array":
    """Return words of sides as true and false."""
    if source.unit == "is_buy" or source.column == "is_buy":
        return column
    words = sides(column, "word")
    return pc.if_else(pc.equal(words, "buy"), "true", pc.if_else(pc.equal(words, "sell"), "false", ""))
