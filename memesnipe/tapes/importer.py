"""The import of recorded swaps: converts a file to a tape, and reports all rejected rows and assumptions."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from memesnipe.errors import TapeError
from memesnipe.market.events import LAMPORTS_PER_SOL, PRICE, Events, empty
from memesnipe.market.validation import validate
from memesnipe.tapes.chain_order import ASCENDING, chain_order, file_order
from memesnipe.tapes.columns import Reasons
from memesnipe.tapes.duplicates import find_duplicates
from memesnipe.tapes.layouts import Swaps
from memesnipe.tapes.pools import LAST_TRADES, assume_pools
from memesnipe.tapes.sol_price import SolPrice, sol_price_of
from memesnipe.tapes.sources.left_out import LeftOut
from memesnipe.tapes.sources.preview import SHOWN, preview
from memesnipe.tapes.sources.swaps_file import SwapsFile, read_swaps
from memesnipe.tapes.sources.translation import Options
from memesnipe.tapes.table import DELIMITERS
from memesnipe.tapes.tape import Tape

DEFAULT_SOL_USD: Final = 200.0
_SHOWN_ROWS: Final = 5  # in the message about a file without a usable row
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_EVENT_COLUMNS: Final = (
    "ts", "slot", "side", "venue", "trader", "sol_lamports", "token_raw", "pool_sol_lamports", "pool_token_raw",
    "real_sol_lamports", "real_token_raw", "supply_raw", "lp_fee_bps", "protocol_fee_bps", "creator_fee_bps",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """A tape, and the account of its import: rejected rows by reason, duplicate rows, assumed pools, the layout."""

    tape: Tape
    rejected: dict[str, int]
    duplicates: int
    assumed_pools: int
    order: str
    time_unit: str
    layout: str
    units: dict[str, str]
    left_out: LeftOut
    preview: list[str]


def import_swaps(
    path: Path,
    sol_usd: float | str | None = None,
    *,
    decimals: int | None = None,
    columns: str | None = None,
    candles: bool = False,
    now_ns: int | None = None,
) -> Imported:
    """Import a file of swaps: delimited text, JSON or Parquet, plain or compressed.

    Args:
        path: the file.
        sol_usd: the price of SOL in USD, or the path of a file with a price series; None for the default.
        decimals: decimals of every token if the file has no such column; None for those of pump.fun.
        columns: the user's choice of columns and units, as for ``--map``.
        candles: whether candles may be turned into trades.
        now_ns: the clock, for tests.

    Raises:
        InputError: the file cannot be read, no layout matches its columns, a unit is in doubt, or no row is usable.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    price = sol_price_of(None if sol_usd is None else str(sol_usd), DEFAULT_SOL_USD, now_ns)
    file = read_swaps(path, columns, Options(decimals, candles, price, now_ns))
    swaps, left_out = file.swaps, LeftOut(file.table)
    kept, rows, duplicates, by = _distinct(path, file, left_out)
    kept, rows, order = _ordered(kept, rows)
    late = Reasons(np.zeros(len(kept), dtype=np.int32))
    assumptions = swaps.assumptions | {"sol_usd": dict(price.assumption)}
    pools = _complete(kept, swaps, late, assumptions)
    tape = _tape(kept, swaps.mints, price, late)
    left_out.add(late, rows)
    rejected, unit = left_out.counts(), assumptions["time_unit"]
    if not len(tape.events):
        raise _no_usable_swap(path, left_out)
    assumptions |= _file_assumptions(file.table.delimiter, order, duplicates, by, rejected)
    shown = preview(kept[late.is_good].head(SHOWN), swaps.mints, tape.events["sol_usd"])
    tape, units = Tape(tape.events, tape.mints, assumptions), {"ts": unit} | file.units
    return Imported(tape, rejected, duplicates, pools, order, unit, file.layout, units, left_out, shown)


def _distinct(path: Path, file: SwapsFile, left_out: LeftOut) -> tuple[pd.DataFrame, Ints, int, str]:
    """Return the usable swaps without duplicates, their rows in the file, and the duplicates' number and columns."""
    swaps = file.swaps
    left_out.add(swaps.reasons if file.early is None else file.early, np.arange(len(file.table)))
    if file.early is not None:
        left_out.add(swaps.reasons, file.rows)
    kept, compared = _usable(swaps, file.compared)
    if kept.empty:
        raise _no_usable_swap(path, left_out)
    rows = file.rows[swaps.reasons.is_good]
    is_repeat, by = find_duplicates(compared, kept)
    left_out.add_duplicates(rows[is_repeat], by)
    return kept[~is_repeat].reset_index(drop=True), rows[~is_repeat], int(is_repeat.sum()), by


def _ordered(swaps: pd.DataFrame, rows: Ints) -> tuple[pd.DataFrame, Ints, str]:
    """Return the swaps in chain order, their rows in the file, and a description of the file's order."""
    order, ordered_by = file_order(swaps)
    swaps, rows = swaps.iloc[order].reset_index(drop=True), rows[order]
    order = chain_order(swaps)
    return swaps.iloc[order].reset_index(drop=True), rows[order], ordered_by


def _no_usable_swap(path: Path, left_out: LeftOut) -> TapeError:
    reasons = "; ".join(
        f"{reason} ({_rows(count, left_out.rows(reason, _SHOWN_ROWS))})"
        for reason, count in list(left_out.counts().items())[:3]
    )
    shown = f"; {left_out.first()}" if reasons else ""
    return TapeError(f"{path} has no usable swap: {reasons or 'it has no rows'}{shown}")


def _rows(count: int, numbers: list[int]) -> str:
    """Return which rows of a file have a reason: their number, and the first of them, counted from 1."""
    shown = ", ".join(f"{number:,}" for number in numbers)
    if count == 1:
        return f"row {shown}"
    return f"{count:,} rows: {shown}{', ...' if count > len(numbers) else ''}"


def _usable(swaps: Swaps, columns: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the usable rows: as numbers, and as the strings of the file."""
    good = swaps.reasons.is_good
    if good.all():
        return swaps.frame, dict(columns)
    return swaps.frame[good], {name: column.filter(pa.array(good)) for name, column in columns.items()}


def _complete(kept: pd.DataFrame, swaps: Swaps, late: Reasons, assumptions: dict[str, Any]) -> int:
    """Assume pools if the file has none; return their number."""
    if swaps.has_reserves:
        return 0
    assumed = assume_pools(kept, late)
    assumptions["pools"] = {
        "pools": assumed.pools, "chained": assumed.chained, "outliers": assumed.outliers,
        "too_small_for_a_price": assumed.too_small, "median_of": LAST_TRADES,
    }  # fmt: skip
    return assumed.pools


def _file_assumptions(delimiter: str, order: str, duplicates: int, by: str, rejected: dict[str, int]) -> dict[str, Any]:
    """Return the assumptions about reading the file that differ from the defaults."""
    assumptions: dict[str, Any] = {"order": order} if order != ASCENDING else {}
    if delimiter != ",":
        assumptions["delimiter"] = DELIMITERS[delimiter]
    if duplicates:
        assumptions["duplicates"] = {"rows": duplicates, "by": by}
    if rejected:
        assumptions["rejected"] = rejected
    return assumptions


def _tape(swaps: pd.DataFrame, mints: list[str], price: SolPrice, late: Reasons) -> Tape:
    """Return the usable rows as a tape; rows that the live pipeline would reject get a reason too."""
    sol_usd = price.at(swaps["ts"].to_numpy(), late)
    while True:
        good = np.flatnonzero(late.is_good)
        events, names = _events(swaps.iloc[good], mints, sol_usd[good])
        findings = validate(events, names)
        if not findings.is_bad.any():
            return Tape(events, names)
        for code in np.unique(findings.codes[findings.is_bad]):
            of_category = np.flatnonzero(findings.codes == code)
            bad = np.zeros(len(swaps), dtype=bool)
            bad[good[of_category]] = True
            late.reject(bad, f"{findings.category(int(of_category[0]))}: {findings.message(int(of_category[0]))}")


def _events(swaps: pd.DataFrame, mints: list[str], sol_usd: Floats) -> tuple[Events, list[str]]:
    """Return the price events of the rows in their order, and the mints in order of appearance."""
    events = empty(len(swaps))
    for name in _EVENT_COLUMNS:
        events[name] = swaps[name].to_numpy()
    events["kind"] = PRICE
    events["seq"] = np.arange(1, len(swaps) + 1)
    token, seen = pd.factorize(swaps["mint"].to_numpy())
    events["token"] = token
    events["sol_usd"] = sol_usd
    usd_per_lamport = sol_usd / LAMPORTS_PER_SOL
    whole_tokens = events["pool_token_raw"] / 10.0 ** swaps["decimals"].to_numpy()
    with np.errstate(divide="ignore"):  # an assumed pool may have less than one raw token; validation rejects its price
        events["price_usd"] = events["pool_sol_lamports"] * usd_per_lamport / whole_tokens
    events["volume_usd"] = events["sol_lamports"] * usd_per_lamport
    events["liquidity_usd"] = events["real_sol_lamports"] * usd_per_lamport
    return events, [mints[i] for i in seen]
