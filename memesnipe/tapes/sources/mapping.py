"""`--map field=column[:unit],...`: the user's own choice of columns and units."""

from collections.abc import Mapping
from typing import Final

from memesnipe.errors import InputError, did_you_mean, printable
from memesnipe.tapes.sources.layout import CONSTANTS, FIELDS, Source

_SHOWN: Final = 60  # characters of the user's text in a message


def parse_map(text: str | None) -> dict[str, Source]:
    """Return the source of each field that the option names.

    A column's name may have points, spaces and colons, but no comma. ``field=@VALUE`` is a constant of all rows.

    Raises:
        InputError: the text has another form, or names an unknown field or unit.
    """
    sources: dict[str, Source] = {}
    for part in (text or "").split(",") if text else []:
        name, equals, source = (piece.strip() for piece in part.partition("="))
        if not equals or not source:
            raise InputError(f"--map {_shown(part)}: must be field=column or field=column:unit")
        if name not in FIELDS:
            raise InputError(
                f"--map {_shown(part)}: unknown field{did_you_mean(name, FIELDS)}; the fields are {', '.join(FIELDS)}"
            )
        if name in sources:
            raise InputError(f"--map: {name} is given twice")
        sources[name] = _source(name, source)
    return sources


def _source(field: str, text: str) -> Source:
    if text.startswith("@"):
        if field not in CONSTANTS or len(text) == 1:
            raise InputError(
                f"--map {field}={_shown(text)}: only {', '.join(CONSTANTS)} may be constants, as in @VALUE"
            )
        return Source("", constant=text[1:])
    column, colon, unit = text.rpartition(":")
    if not colon or not column:
        return Source(text.lower())
    if unit.lower() in FIELDS[field]:
        return Source(column.lower(), unit.lower())
    if not FIELDS[field]:
        return Source(text.lower())
    raise InputError(f"--map {field}={_shown(text)}: unknown unit; the units of {field} are {', '.join(FIELDS[field])}")


def _shown(text: str) -> str:
    return printable(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def example(fields: Mapping[str, str]) -> str:
    """Return an option that chooses these columns for these fields."""
    return "--map '" + ",".join(f"{name}={printable(column)}" for name, column in fields.items()) + "'"
