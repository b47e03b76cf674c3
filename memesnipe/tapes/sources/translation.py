"""Translation of a table with any layout to the columns of the plain layout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.errors import TapeError, printable
from memesnipe.tapes.columns import Reasons, are_odd, strings, with_decimal_points
from memesnipe.tapes.layouts import PUMP_DECIMALS, Form
from memesnipe.tapes.sol_price import SolPrice
from memesnipe.tapes.sources.candles import NOT_ASKED, trades_of
from memesnipe.tapes.sources.layout import PRICES, Layout, Source
from memesnipe.tapes.sources.mapping import example
from memesnipe.tapes.sources.stamps import whole_stamps
from memesnipe.tapes.sources.two_sided import decimals_of, has_text, one_sided, reject_other_quotes
from memesnipe.tapes.sources.units import amounts, infer_units
from memesnipe.tapes.sources.words import read_as_amms, sides, venues
from memesnipe.tapes.table import Table

_TEXTS: Final = frozenset(
    {"ts", "mint", "side", "bought_mint", "sold_mint", "venue", "trader", "quote", "signature", "position"}
)
_PLAIN: Final = (
    "mint", "side", "sol_amount", "token_amount", "v_sol", "v_tok", "venue", "trader", "slot", "seq", "decimals",
)  # fmt: skip
_SMALLEST: Final = frozenset({"lamports", "raw"})
_VENUES_NOTED: Final = 6


@dataclass(slots=True)
class Translated:
    """Columns of the plain layout, each shape (n,), how they are written, and the row of the file of each.

    `reasons` are those of the file's rows; of candles a new object for the trades made of them.
    """

    columns: dict[str, Any]
    form: Form
    reasons: Reasons
    units: dict[str, str]
    rows: NDArray[np.int64]
    compared: dict[str, Any]  # the columns that show duplicates
    decimals: int | None  # of every token, if no column has them
    assumptions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """The user's options for a file, and the price of SOL."""

    decimals: int | None
    candles: bool
    sol: SolPrice
    now_ns: int


def translate(table: Table, layout: Layout, reasons: Reasons, options: Options) -> Translated:
    """Translate a table.

    Args:
        table: the file.
        layout: its layout, with columns of the file only.
        reasons: updated with the rows that cannot be translated.
        options: the user's options.

    Raises:
        TapeError: a unit is in doubt, or candles were not asked for.
    """
    columns, units = _gathered(table, layout)
    assumptions: dict[str, Any] = {}
    columns, with_commas = _with_points(columns, layout, table.delimiter, reasons)
    if with_commas:
        assumptions["decimal_mark"] = "comma"
    name = layout.fields["ts"][0].column
    columns["ts"], converted = whole_stamps(columns["ts"], name, units.get("ts", ""), reasons)
    form = Form(shown={"ts_ns": name}, time_unit="ns" if converted else units.get("ts", ""), time_label=converted)
    if "open" in layout.fields:
        return _of_candles(table, columns, units, reasons, options, form, assumptions)
    refuse_candles(options)
    shown = {name: sources[0].column for name, sources in layout.fields.items() if sources[0].column}
    columns, units = _with_sides(columns, units, shown, reasons)
    if "quote" in columns:
        reject_other_quotes(columns["quote"], f"the quote ({shown['quote']})", reasons)
    if "venue" in columns:
        _note_amms(columns["venue"], layout.other_venues_are_amms, assumptions)
        columns["venue"] = venues(columns["venue"], layout.other_venues_are_amms)
    decimals = _derive_decimals(columns, units, options.decimals, assumptions)
    units |= _inferred(columns, units, shown, reasons, decimals)
    _number(table, layout, columns)
    plain: dict[str, Any] = {"ts_ns": columns["ts"]} | {name: columns[name] for name in _PLAIN if name in columns}
    units = {name: unit for name, unit in units.items() if name in columns and name in {"ts", *_PLAIN}}
    smallest = {name: unit for name, unit in units.items() if unit in _SMALLEST}
    form = Form(smallest, {**shown, **form.shown}, form.time_unit, form.time_label)
    identity: dict[str, Any] = {name: columns[name] for name in ("signature", "position") if name in columns}
    compared = identity if "signature" in identity else table.columns
    return Translated(plain, form, reasons, units, np.arange(len(table)), compared, decimals, assumptions)


def _note_amms(column: Any, others_are_amms: bool, assumptions: dict[str, Any]) -> None:
    """Note which venues are read as automated market makers, with the number of their rows."""
    found = read_as_amms(column, others_are_amms)
    if found:
        assumptions["amms"] = {printable(name)[:40]: rows for name, rows in list(found.items())[:_VENUES_NOTED]}
        others = sum(list(found.values())[_VENUES_NOTED:])
        assumptions["amms"] |= {"others": others} if others else {}


def refuse_candles(options: Options) -> None:
    """Raise an error if the user expects candles in a file of swaps."""
    if options.candles:
        raise TapeError("has swaps, not candles: omit --candles")


def _with_sides(
    columns: dict[str, Any], units: dict[str, str], shown: dict[str, str], reasons: Reasons
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the columns with the token, the side as a word and the amounts, and the units; `shown` is completed."""
    if "bought_mint" not in columns:
        _normalise_side(columns, units, shown)
        return columns, units
    shown |= {"sol_amount": "the amount of SOL", "token_amount": "the amount of tokens"}
    return {**columns, **one_sided(columns, reasons)}, {**units, **_side_units(units)}


def _gathered(table: Table, layout: Layout) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the column of each field, of several the first with a value in each row, and the units that are known."""
    columns: dict[str, Any] = {}
    units: dict[str, str] = {}
    for name, sources in layout.fields.items():
        same = [source for source in sources if source.unit == sources[0].unit]
        column = _column(table, same[0])
        for source in same[1:]:
            column = pc.if_else(pa.array(has_text(column)), column, _column(table, source))
        columns[name] = column
        if sources[0].unit:
            units[name] = sources[0].unit
    return columns, units


def _column(table: Table, source: Source) -> Any:
    return pa.repeat(source.constant, len(table)) if source.constant else table.columns[source.column]


def _with_points(
    columns: dict[str, Any], layout: Layout, delimiter: str, reasons: Reasons
) -> tuple[dict[str, Any], bool]:
    """Return the columns with decimal points; the columns of numbers are checked under their names in the file."""
    names = {name: layout.fields[name][0].column or name for name in columns if name not in _TEXTS}
    numbers, with_commas = with_decimal_points({names[name]: columns[name] for name in names}, delimiter, reasons)
    return {**columns, **{name: numbers[names[name]] for name in names}}, with_commas


def _side_units(units: Mapping[str, str]) -> dict[str, str]:
    """Return the units of SOL and tokens of trades with two sides, which are both whole or both in smallest units."""
    both = {units.get("bought_amount", ""), units.get("sold_amount", "")}
    if len(both) != 1:
        raise TapeError("has two sides in different units: name the same unit for bought_amount and sold_amount")
    unit = both.pop()
    return {"sol_amount": "lamports" if unit == "raw" else "sol", "token_amount": unit} if unit else {}


def _normalise_side(columns: dict[str, Any], units: dict[str, str], shown: Mapping[str, str]) -> None:
    """Set the sides as words; amounts whose sign is the side lose it."""
    unit = units.setdefault("side", "word")
    said, is_boolean = has_text(columns["side"]), strings(columns["side"], "(?i)^(true|false)$")
    if unit == "word" and is_boolean.any() and are_odd(int((said & ~is_boolean).sum()), int(is_boolean.sum())):
        name = printable(shown.get("side", "COLUMN"))[:40]
        raise TapeError(
            f"has only true and false in {name}: if true is a purchase, choose {example({'side': f'{name}:is_buy'})}"
        )
    columns["side"] = sides(columns["side"], unit)
    if unit in {"sign", "-sign"}:
        for name in ("sol_amount", "token_amount"):
            columns[name] = pc.replace_substring_regex(columns[name], "^-", "")


def _derive_decimals(
    columns: dict[str, Any], units: Mapping[str, str], given: int | None, assumptions: dict[str, Any]
) -> int | None:
    """Set the decimals of tokens that have raw and whole amounts, of others those given or assumed.

    Returns:
        The decimals of every token, None if the column was set or they are unknown.
    """
    if "decimals" in columns or "whole" not in columns or units.get("token_amount") != "raw":
        return given
    raw, whole = (amounts(name, name, "", columns[name]).values for name in ("token_amount", "whole"))
    derived = decimals_of(raw, whole, columns["mint"])
    known = ~np.isnan(derived)
    if not known.any():
        return given
    if given is not None and np.any(derived[known] != given):
        raise TapeError(f"has raw and whole amounts that show other decimals than --decimals {given}: omit it")
    others = PUMP_DECIMALS if given is None else given
    columns["decimals"] = pa.array(np.where(known, derived, others).astype(np.int64)).cast(pa.string())
    if not known.all():
        assumptions["decimals"] = {"value": others, "assumed": given is None}
    return None


def _inferred(
    columns: Mapping[str, Any], units: Mapping[str, str], shown: Mapping[str, str], reasons: Reasons, given: int | None
) -> Mapping[str, str]:
    """Return the units of the amounts; rows with a reason do not count."""
    good = pa.array(reasons.is_good)

    def of(name: str) -> Any:
        return amounts(name, shown.get(name, name), units.get(name, ""), columns[name].filter(good))

    decimals = _decimals(columns, given)
    decimals = decimals[reasons.is_good] if len(decimals) > 1 else decimals
    reserves = (of("v_sol"), of("v_tok")) if "v_sol" in columns and "v_tok" in columns else None
    mints = columns["mint"].filter(good)
    pump_share = float(strings(mints, "pump$").mean()) if len(mints) else 0.0
    return infer_units(of("sol_amount"), of("token_amount"), reserves, decimals, pump_share)


def _decimals(columns: Mapping[str, Any], given: int | None) -> NDArray[np.float64]:
    """Return the decimals of each row's token, shape (n,); shape (1,) if they are the same for all."""
    if "decimals" not in columns:
        return np.array([float(PUMP_DECIMALS if given is None else given)])
    values = amounts("decimals", "decimals", "", columns["decimals"]).values
    return np.clip(np.nan_to_num(values, nan=0.0), 0, 18)


def _number(table: Table, layout: Layout, columns: dict[str, Any]) -> None:
    """Set the number of each trade inside its slot, and its position inside its transaction, if the file has them."""
    parts = [table.columns[name] for name in layout.position if name in table.columns]
    if parts and "position" not in columns and any(has_text(part).any() for part in parts):
        columns["position"] = pc.binary_join_element_wise(*parts, "-") if len(parts) > 1 else parts[0]
    if "seq" in columns or not layout.order or not set(layout.order) <= set(table.columns):
        return
    keys = [table.columns[name] for name in layout.order]
    if all(strings(key, "^[0-9]{0,9}$").all() for key in keys):
        frame = pd.DataFrame(
            {
                name: pc.cast(pc.if_else(pa.array(has_text(key)), key, "0"), pa.int64()).to_numpy()
                for name, key in zip(layout.order, keys, strict=True)
            }
        )
        number = frame.groupby(list(frame.columns), sort=True).ngroup().to_numpy()
        columns["seq"] = pa.array(number.astype(np.int64)).cast(pa.string())


def _of_candles(
    table: Table,
    columns: dict[str, Any],
    units: dict[str, str],
    reasons: Reasons,
    options: Options,
    form: Form,
    assumptions: dict[str, Any],
) -> Translated:
    """Return the trades of candles; the unit of one price counts for those without one."""
    if not options.candles:
        raise TapeError(NOT_ASKED)
    unit = next((units[name] for name in PRICES if name in units), "")
    units = {**{name: unit for name in PRICES if unit}, **units}
    if "quote" in columns and unit == "sol":
        reject_other_quotes(columns["quote"], "the quote of the candles", reasons)
    decimals = np.broadcast_to(_decimals(columns, options.decimals), len(table))
    made = trades_of(columns, units, reasons, decimals, options.sol, options.now_ns, form.time_unit)
    chosen = pa.array(made.candle)
    if "venue" in columns:
        _note_amms(columns["venue"], others_are_amms=False, assumptions=assumptions)
        made.columns["venue"] = venues(columns["venue"].take(chosen), others_are_amms=False)
    if "decimals" in columns:
        made.columns["decimals"] = columns["decimals"].take(chosen)
    compared = {name: column.take(chosen) for name, column in table.columns.items()}
    compared["\0part"] = pa.array(made.part).cast(pa.string())
    assumptions["candles"] = dict(made.assumption)
    form = Form({"sol_amount": "lamports", "token_amount": "raw"}, {}, "ns", form.time_label or made.time_unit)
    own = Reasons(np.zeros(len(made.candle), dtype=np.int32))
    return Translated(made.columns, form, own, units, made.candle, compared, options.decimals, assumptions)
