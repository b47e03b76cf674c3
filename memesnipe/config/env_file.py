"""Checks of the names in `.env` before the settings are read, so that no entry is ignored silently.

pydantic-settings reads the values, with the same parser (python-dotenv).
"""

import io
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream

from memesnipe.errors import SettingsError

MAX_BYTES: Final = 1 << 20
_NEAR_IN_FILE: Final = 0.85  # difflib's ratio from which a name counts as misspelt
_NEAR_IN_ENVIRONMENT: Final = 0.9  # higher, because it also has other programs' variables
_SHOWN: Final = 5


def check_env_file(path: Path, known: Iterable[str]) -> list[str]:
    """Check the names in a file of settings.

    Args:
        path: the file; a missing one is not checked.
        known: names of the settings, in upper case.

    Returns:
        Notices for the user, one line each, about names that are not settings and do not resemble any.

    Raises:
        SettingsError: the file cannot be read, a line is not NAME=VALUE, or a name is misspelt or set twice.
    """
    if not path.exists():
        return []
    names, lines = sorted(known), dict[str, int]()
    unknown: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        line, key = binding.original.line, (binding.key or "").upper()
        # An entry includes the blank lines before it.
        line += len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
        if binding.error:
            raise SettingsError(f"{path}:{line}: is not of the form NAME=VALUE")
        if not key:  # a comment, or a blank line
            continue
        if key not in names:
            _refuse_near(path, line, key, names)
            unknown.setdefault(key, line)
        elif key in lines:
            raise SettingsError(f"{path}:{line}: {key} is already set in line {lines[key]}; remove one of them")
        elif binding.value is None:
            raise SettingsError(f"{path}:{line}: {key} has no value; write {key}=VALUE")
        elif any(ord(letter) < 32 for letter in binding.value):
            raise SettingsError(
                f"{path}:{line}: the value of {key} contains a control character, or has no closing quote"
            )
        lines[key] = line
    return _notice(path, list(unknown))


def line_of_setting(path: Path, name: str) -> int:
    """Return the line of a settings file that sets a name in upper case; 0 without one, or without the file."""
    if not path.is_file():
        return 0
    for binding in parse_stream(io.StringIO(_text(path))):
        if (binding.key or "").upper() == name:
            entry = binding.original.string
            return binding.original.line + len(entry) - len(entry.lstrip("\r\n"))
    return 0


def near_misses(variables: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return notices, one line each, about environment variables that resemble a setting's name."""
    names = set(known)
    near = {name: get_close_matches(name, names, 1, _NEAR_IN_ENVIRONMENT) for name in sorted(variables)}
    return [
        f"the environment variable {name} is not a setting of MemeSnipe and is ignored; did you mean {found[0]}?"
        for name, found in near.items()
        if found and name.upper() not in names
    ]


def _text(path: Path) -> str:
    """Return the text of the file, without a byte order mark.

    Raises:
        SettingsError: it cannot be read, is too large, or is not UTF-8 text.
    """
    try:
        if not path.is_file():
            raise SettingsError(f"{path}: is not a settings file; remove or rename it")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise SettingsError(f"{path}: is larger than {MAX_BYTES} bytes; it is not a settings file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise SettingsError(
            f"{path}:{line}: byte {column} of the line is 0x{data[error.start]:02x}, which is not UTF-8; "
            "save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SettingsError(f"{path}:{line}: contains a zero byte; save the file as UTF-8 text")
    return text


def _refuse_near(path: Path, line: int, key: str, names: list[str]) -> None:
    found = get_close_matches(key, names, 1, _NEAR_IN_FILE)
    if found:
        raise SettingsError(f"{path}:{line}: there is no setting {ascii(key)[1:-1][:60]}; did you mean {found[0]}?")


def _notice(path: Path, unknown: list[str]) -> list[str]:
    if not unknown:
        return []
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    shown = ", ".join(ascii(name[:60])[1:-1] for name in unknown[:_SHOWN])
    return [f"{path} contains names that are not settings of MemeSnipe, ignored: {shown}{more}"]
