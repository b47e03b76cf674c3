"""Output of the commands: results on standard output, messages and progress on standard error."""

import io
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_UNFOLDED: Final = 10_000  # columns
_MAX_DECIMALS: Final = 9
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
    """Print names and values to standard output, one per line; nested values stay on the line of their name.

    The names are printed as they are: those of `--json`, of the API and of the database.
    """
    print_rows(title, (), [(name, text_of(value)) for name, value in values.items()])


def print_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns to standard output, below their names, if any, and a title, if any.

    On a terminal, long cells are folded within its width. Elsewhere a row is one line, whatever its width.
    """
    if title:
        sys.stdout.write(f"{without_controls(title)}\n")
    lines = [*([columns] if columns else []), *([without_controls(cell) for cell in row] for row in rows)]
    if lines and sys.stdout.isatty():
        _print_folded(lines)
    else:
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        for line in lines:
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            sys.stdout.write("  ".join(padded).rstrip() + "\n")
    sys.stdout.flush()


def _print_folded(lines: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in lines[0]:
        table.add_column(overflow="fold")
    for line in lines:
        table.add_row(*line)
    Console(markup=False, emoji=False).print(table)


def print_view(view: "RenderableType") -> None:
    """Print what rich lays out to standard output; elsewhere than on a terminal without colours, and never folded."""
    from rich.console import Console  # noqa: PLC0415

    if sys.stdout.isatty():
        Console(markup=False, emoji=False).print(view)
        return
    console = Console(file=io.StringIO(), width=_UNFOLDED, color_system=None, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(view)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
    sys.stdout.flush()


def print_paragraphs(title: str, paragraphs: Mapping[str, str]) -> None:
    """Print texts below a title, each after its name: within the width of a terminal, elsewhere one line each."""
    lines = [without_controls(f"{name}: {text}") for name, text in paragraphs.items()]
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        lines = [textwrap.fill(line, width, subsequent_indent="  ") for line in lines]
    sys.stdout.writelines(f"{line}\n" for line in (without_controls(title), *lines))
    sys.stdout.flush()


def text_of(value: Any) -> str:
    """Return a value as a cell of a table."""
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(value)
        case Mapping():
            return ", ".join(f"{name} {text_of(item)}" for name, item in value.items()) or "-"
        case list() | tuple():
            return ", ".join(map(text_of, value)) or "-"
    return str(value)


def _number(value: float) -> str:
    """Return a float with two decimals, or with four significant digits where these are more."""
    digits = max(2, 3 - math.floor(math.log10(abs(value)))) if 0.0 < abs(value) < 10.0 else 2
    whole, dot, decimals = f"{value:,.{min(digits, _MAX_DECIMALS)}f}".partition(".")
    return f"{whole}{dot}{decimals.rstrip('0').ljust(2, '0')}" if dot else whole


def print_compile_notice(part: str = "the engine", function: str = "kernel.advance") -> None:
    """Print that a part is being compiled, if the cache of compiled code does not have its largest function."""
    from memesnipe.engine.warm import is_cold  # noqa: PLC0415 - the compiler is slow to load

    if is_cold(function):
        print_message(f"Compiling {part}, once for this version (half a minute or more) ...")


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
