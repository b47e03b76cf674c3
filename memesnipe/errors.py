"""Every error that MemeSnipe raises on purpose, and the exit code each one ends a command with.

    MemeSnipeError            1  it failed
    +-- InputError            2  the user's input or setting is wrong: says what, where, what to do
    |   +-- SettingsError     2  a setting is wrong
    |   +-- TapeError         2  a tape or a file to import is wrong
    |   +-- StrategyError     2  a strategy file breaks a rule
    +-- RefusedError          3  policy or risk says no

`memesnipe.local` adds LocalServerError below MemeSnipeError, for an embedded server that does not start.
"""


class MemeSnipeError(Exception):
    """Base of all; its text is one line for the user."""

    exit_code = 1


class InputError(MemeSnipeError):
    """The user can mend this; the text says how."""

    exit_code = 2


class SettingsError(InputError):
    """A setting is missing or wrong."""


class TapeError(InputError):
    """A tape or a file to import cannot be read as one."""


class StrategyError(InputError):
    """A strategy file breaks a rule of the SDK."""


class RefusedError(MemeSnipeError):
    """Policy or risk says no."""

    exit_code = 3


def first_line(error: BaseException) -> str:
    """What an error says, in one line: for a database's error what the database said, without the statement."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return printable(lines[0].strip()) if lines else type(cause).__name__


def printable(text: str) -> str:
    """A text whose control characters are written out, so that no file can write to the terminal through us."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
