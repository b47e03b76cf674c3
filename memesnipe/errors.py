"""The errors that MemeSnipe raises on purpose, with the exit codes of the commands that they end.

    MemeSnipeError            1  the command failed
    +-- InputError            2  the user's input or setting is wrong: what, where, what to do
    |   +-- SettingsError     2  a setting is wrong
    |   +-- TapeError         2  a tape or a file to import is wrong
    |   +-- StrategyError     2  a strategy file breaks a rule
    +-- RefusedError          3  refused by policy or risk

`memesnipe.servers` adds LocalServerError below MemeSnipeError, for an embedded server that does not start.
"""

from collections.abc import Iterable
from typing import Final

_COMPARED: Final = 100  # characters of a name


class MemeSnipeError(Exception):
    """Base class; the text is one line for the user."""

    exit_code = 1


class InputError(MemeSnipeError):
    """The user can correct this; the text describes how."""

    exit_code = 2


class NoRunYetError(InputError):
    """There is no run in the folder yet."""


class SettingsError(InputError):
    """A setting is missing or wrong."""


class TapeError(InputError):
    """A tape or a file to import cannot be read as one."""


class StrategyError(InputError):
    """A strategy file breaks a rule of the SDK."""


class RefusedError(MemeSnipeError):
    """Policy or risk refuses the request."""

    exit_code = 3


def first_line(error: BaseException) -> str:
    """Return an error's message in one line; for a database error the database's own message, without the statement."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return printable(lines[0].strip()) if lines else type(cause).__name__


def printable(text: str) -> str:
    """Return the text with control characters escaped, so that an input file cannot send them to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean X?" with the known name most like another one; "" if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - errors are rare

    near = get_close_matches(name[:_COMPARED], sorted(known), 1)
    return f", did you mean {printable(near[0])[:40]}?" if near else ""
