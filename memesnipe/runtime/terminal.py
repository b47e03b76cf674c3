"""How results are shown."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


@cache
def errors() -> "Console":
    """The terminal, or whatever standard error is: for progress, and for what is being done."""
    from rich.console import Console  # noqa: PLC0415 - slow to load, and most commands need none

    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def without_controls(text: str) -> str:
    """Text that no terminal obeys: names of tokens come from strangers."""
    return text.translate(_CONTROLS)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def print_table(title: str, values: Mapping[str, Any]) -> None:
    """Names and values, one a line; what is nested is shown on the line of its name."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    for name, value in values.items():
        table.add_row(name.replace("_", " "), _text(value))
    Console().print(table)


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_text(item)}" for name, item in value.items()) or "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def time_of(ts: int) -> str:
    """A time in ns as people read it."""
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def say_if_cold() -> None:
    """Say that the engine is being compiled, where nothing is kept from before."""
    from memesnipe.engine.warm import is_cold  # noqa: PLC0415 - the compiler is slow to load

    if is_cold():
        say("Compiling the engine (once for this version, about half a minute) ...")


@contextmanager
def results_alone() -> Iterator[None]:
    """Keep standard output for results: what libraries and their processes print meanwhile goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
