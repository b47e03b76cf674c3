"""Detection of a file's layout from the names of its columns; names of more than one meaning are never guessed."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from memesnipe.errors import TapeError, did_you_mean, printable
from memesnipe.tapes.sources.catalogue import COMMON, COMMON_CANDLES, LAYOUTS
from memesnipe.tapes.sources.layout import CANDLES, CONSTANTS, PRICES, SWAPS, TWO_SIDED, Layout, Source
from memesnipe.tapes.sources.mapping import example

_SHOWN: Final = 200  # characters of the columns in a message
KNOWN: Final = frozenset(
    [name for layout in LAYOUTS for name in layout.columns]
    + [s.column for fields in (COMMON, COMMON_CANDLES) for sources in fields.values() for s in sources]
)
_SIDES: Final = frozenset({"side", "sol_amount", "token_amount"})


def choose_layout(columns: Collection[str], mapped: Mapping[str, Source]) -> Layout:
    """Return the layout of a file, whose fields name only columns of the file.

    Args:
        columns: names of the file's columns, in lower case.
        mapped: the fields that the user chose.

    Raises:
        TapeError: the columns match no layout, or several; the message has an example of ``--map``.
    """
    for name, source in mapped.items():
        if not source.constant and source.column not in columns:
            near = did_you_mean(source.column, columns)
            raise TapeError(
                f"has no column {printable(source.column)[:40]!r} (--map {name}){near}; {_columns(columns)}"
            )
    exact = _exact(columns)
    if exact is not None and exact.refusal and not mapped:
        raise TapeError(exact.refusal)
    if exact is None or exact.refusal:
        layout = _common(columns, mapped)
    else:
        layout = exact if not _replaces(exact, mapped) else _with_kind_of(exact, _common(columns, mapped))
    mapped = {name: _named_unit(name, source) for name, source in mapped.items()}
    fields = {**_in_unit_of(mapped, layout.fields), **{name: (source,) for name, source in mapped.items()}}
    present = {name: tuple(s for s in sources if s.constant or s.column in columns) for name, sources in fields.items()}
    chosen = replace(layout, fields={name: sources for name, sources in present.items() if sources})
    _check(chosen, replace(layout, fields=fields).required, columns)
    return chosen


def _in_unit_of(
    mapped: Mapping[str, Source], fields: Mapping[str, tuple[Source, ...]]
) -> Mapping[str, tuple[Source, ...]]:
    """Return the fields with the prices of candles in the unit that the user chose for one of them."""
    unit = next((source.unit for name, source in mapped.items() if name in PRICES and source.unit), "")
    if not unit:
        return fields
    prices = {name: tuple(replace(s, unit=unit) for s in sources) for name, sources in fields.items() if name in PRICES}
    return {**fields, **prices}


def _exact(columns: Collection[str]) -> Layout | None:
    found = [layout for layout in LAYOUTS if set(layout.columns) <= set(columns)]
    if len(found) > 1:
        names = " and ".join(sorted({layout.name for layout in found}))
        raise TapeError(f"has the columns of {names}: remove those of one")
    return found[0] if found else None


def _with_kind_of(layout: Layout, common: Layout) -> Layout:
    """Return a layout with its columns for time, trader and the like, and what is traded read as in another one."""
    kinds = {*_SIDES, *TWO_SIDED[1:], *CANDLES[2:], "mint"}
    return replace(layout, fields={**common.fields, **{n: s for n, s in layout.fields.items() if n not in kinds}})


def _named_unit(field: str, source: Source) -> Source:
    """Return the user's source of a side with the unit that the name of its column says."""
    says = field == "side" and not source.unit and any(s.column == source.column and s.unit for s in COMMON["side"])
    return replace(source, unit="is_buy") if says else source


def _replaces(layout: Layout, mapped: Mapping[str, Source]) -> bool:
    """Return whether the user's fields are of another kind than the layout's."""
    kinds = (_SIDES, frozenset(TWO_SIDED[1:]), frozenset(CANDLES[2:]))
    own = next(kind for kind, of in zip(kinds, (SWAPS, TWO_SIDED, CANDLES), strict=True) if of == layout.required)
    return any(not kind.isdisjoint(mapped) for kind in kinds if kind is not own)


def _common(columns: Collection[str], mapped: Mapping[str, Source]) -> Layout:
    """Return a layout of the columns whose names have one meaning."""
    if not frozenset(TWO_SIDED[1:]).isdisjoint(mapped):
        shared = {name: sources for name, sources in COMMON.items() if name not in {*SWAPS[1:], "quote"}}
        fields: Mapping[str, tuple[Source, ...]] = {**shared, **dict.fromkeys(TWO_SIDED[1:], ())}
    else:
        has_high = "high" in mapped or any(source.column in columns for source in COMMON_CANDLES["high"])
        fields = COMMON_CANDLES if has_high and _SIDES.isdisjoint(mapped) else COMMON
    for name in (*SWAPS, *CANDLES[2:]):
        found = [s.column for s in fields.get(name, ()) if s.column in columns]
        if len(found) > 1 and name not in mapped:
            names = " or ".join(found)
            raise TapeError(f"has several columns for {name}: {names}; choose one: {example({name: found[0]})}")
    return Layout("candles" if "open" in fields else "common names", (), fields)


def _check(layout: Layout, required: tuple[str, ...], columns: Collection[str]) -> None:
    """Raise an error that names the fields without a column, with an example of the option that names them."""
    missing = [name for name in required if name not in layout.fields]
    if not missing:
        return
    found = {name: str(layout.fields[name][0]) for name in required if name in layout.fields}
    wanted = {name: "@ADDRESS" if name == "mint" and name in CONSTANTS else "COLUMN" for name in missing}
    shown = "" if not found else f" (found: {', '.join(f'{k} in {printable(v)[:40]}' for k, v in found.items())})"
    signed = " (or side=COLUMN:sign for amounts that are positive for purchases)" if "side" in missing else ""
    known = f"as {layout.name} it " if layout.columns else ""
    raise TapeError(
        f"{known}lacks {' and '.join(missing)}{shown}; name the column{'s' * (len(missing) > 1)}: "
        f"{example(wanted)}{signed}; {_columns(columns)}"
    )


def _columns(columns: Collection[str]) -> str:
    text = printable(", ".join(columns))
    return f"its columns are {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}"
