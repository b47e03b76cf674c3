"""A file of swaps as a frame of integers, whatever its format and layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from memesnipe.errors import TapeError, printable
from memesnipe.tapes.columns import Reasons
from memesnipe.tapes.layouts import PLAIN, RAW, Swaps, rejected_rows, swaps_of, swaps_of_form
from memesnipe.tapes.sources.detection import KNOWN, choose_layout
from memesnipe.tapes.sources.layout import Source
from memesnipe.tapes.sources.mapping import parse_map
from memesnipe.tapes.sources.raw_map import with_replaced
from memesnipe.tapes.sources.reader import read_source
from memesnipe.tapes.sources.translation import Options, refuse_candles, translate
from memesnipe.tapes.table import Table

OTHER_POOL: Final = "the reserves imply another price than the trade"
_SAME_PRICE: Final = 2.0  # between a price after fees and one before, and between a pool of another form and this one
_DUST: Final = 1_000  # smaller amounts have a rounded price
_PLAIN_UNITS: Final = {"sol_amount": "sol", "token_amount": "whole"}
_RAW_UNITS: Final = {"sol_amount": "lamports", "token_amount": "raw"}


@dataclass(frozen=True, slots=True)
class SwapsFile:
    """The swaps of a file, how it was read, and for each swap the row of the file that it is from."""

    table: Table
    swaps: Swaps
    rows: NDArray[np.int64]
    compared: Mapping[str, Any]  # the columns that show duplicates
    layout: str
    units: dict[str, str]
    early: Reasons | None = None  # of the file's rows, if the swaps have reasons of their own


def read_swaps(path: Path, columns: str | None, options: Options) -> SwapsFile:
    """Read a file of swaps.

    Args:
        path: the file.
        columns: the user's choice of columns and units, as for ``--map``.
        options: the user's other options.

    Raises:
        InputError: the file cannot be read, no layout matches its columns, or a unit is in doubt.
    """
    mapped = parse_map(columns)
    table = read_source(path, {*KNOWN, *(s.column for s in mapped.values())}, lambda names: _is_known(names, mapped))
    if not len(table):
        raise TapeError(f"{path} has no usable swap: it has no rows")
    try:
        for units, layout in ((_RAW_UNITS, RAW), (_PLAIN_UNITS, PLAIN)):
            if mapped and layout is RAW and set(RAW) <= set(table.columns):
                table = with_replaced(table, mapped)
            elif mapped or not set(layout) <= set(table.columns):
                continue
            if set(layout) <= set(table.columns):
                refuse_candles(options)
                swaps = swaps_of(table, options.decimals, options.now_ns)
                name = "raw" if layout is RAW else "plain"
                return SwapsFile(table, swaps, np.arange(len(table)), table.columns, name, dict(units))
        return _translated(table, mapped, options)
    except TapeError as error:
        raise TapeError(f"{path}: {printable(str(error))}") from None


def _translated(table: Table, mapped: Mapping[str, Source], options: Options) -> SwapsFile:
    chosen = choose_layout(table.columns, mapped)
    reasons = rejected_rows(table)
    found = translate(table, chosen, reasons, options)
    swaps = swaps_of_form(found.columns, found.form, found.reasons, found.decimals, options.now_ns)
    columns = {name: printable(str(sources[0])) for name, sources in chosen.fields.items()}
    if swaps.has_reserves:
        found.reasons.reject(~_is_pool_of_trade(swaps.frame), OTHER_POOL)
    swaps.assumptions = {
        **swaps.assumptions,
        **found.assumptions,
        "layout": {"name": chosen.name, "units": found.units, "columns": columns},
    }
    early = None if found.reasons is reasons else reasons
    return SwapsFile(table, swaps, found.rows, found.compared, chosen.name, found.units, early)


def _is_pool_of_trade(swaps: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether the pool after each trade has about the price that the trade paid, shape (n,).

    A constant product pool that holds S SOL before a trade and T after it has a price of T / S times the mean price of
    the trade. Amounts too small for a price are accepted. Some sources record balances of a pool that prices by others.
    """
    sol, raw, after, pool_raw = (
        swaps[name].to_numpy(dtype=np.float64)
        for name in ("sol_lamports", "token_raw", "pool_sol_lamports", "pool_token_raw")
    )
    before = after - swaps["side"].to_numpy() * sol
    with np.errstate(all="ignore"):  # a pool of nothing has no price, and is none
        ratio = (after / pool_raw) / (sol / raw) * (before / after)
    fits = (ratio > 1 / _SAME_PRICE) & (ratio < _SAME_PRICE)
    return np.asarray(fits | (sol < _DUST) | (raw < _DUST))


def _is_known(names: list[str], mapped: Mapping[str, Source]) -> bool:
    """Return whether a header that is not one of our own layouts has names to choose a layout by."""
    if mapped:
        return True
    if len(set(RAW).intersection(names)) > len(RAW) // 2:  # a damaged file of the raw layout
        return False
    return len(KNOWN.intersection(names)) > 1
