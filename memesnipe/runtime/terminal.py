"""Output of the commands: results on standard output, messages and progress on standard error."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


@cache
def stderr_console() -> "Console":
    """Return the console of standard error, for progress."""
    from rich.console import Console  # noqa: PLC0415 - slow to load, and most commands need none

    return Console(stderr=True, highlight=False)


def print_message(text: str) -> None:
    """Print one line to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def without_controls(text: str) -> str:
    """Escape a text's control characters: names of tokens are untrusted input, which must not control a terminal."""
    return text.translate(_CONTROLS)


def print_json(value: Any) -> None:
    """Print one JSON object to standard output."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def print_table(title: str, values: Mapping[str, Any]) -> None:
    """Print names and values to standard output, one per line; nested values stay on the line of their name."""
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


def print_compile_notice() -> None:
    """Print that the engine is being compiled, if the cache of compiled code is empty."""
    from memesnipe.engine.warm import is_cold  # noqa: PLC0415 - the compiler is slow to load

    if is_cold():
        print_message("Compiling the engine (once for this version: half a minute, minutes on a busy machine) ...")


@contextmanager
def reserve_stdout() -> Iterator[None]:
    """Redirect the output of libraries and child processes to standard error, to keep standard output for results."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
