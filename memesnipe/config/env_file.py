"""Reads `.env` before the settings do, so that nothing in it is lost without a word.

The values themselves are read by pydantic-settings, through the same parser (python-dotenv).
"""

import io
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream

from memesnipe.errors import SettingsError

MAX_BYTES: Final = 1 << 20
_NEAR_IN_FILE: Final = 0.85  # difflib's ratio, from which on a name is taken for a misspelt one
_NEAR_IN_ENVIRONMENT: Final = 0.9  # other programs' variables are there too
_SHOWN: Final = 5


def check_env_file(path: Path, known: Iterable[str]) -> list[str]:
    """Check the names in a file of settings.

    Args:
        path: the file; nothing is checked where there is none.
        known: names of the settings, in capitals.

    Returns:
        Notices for the user, a line each: names that are of no setting and near none.

    Raises:
        SettingsError: it cannot be read, a line is no NAME=VALUE, or a name is misspelt or set twice.
    """
    if not path.exists():
        return []
    names, lines = sorted(known), dict[str, int]()
    unknown: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        line, key = binding.original.line, (binding.key or "").upper()
        # An entry begins with the blank lines before it.
        line += len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
        if binding.error:
            raise SettingsError(f"{path}:{line}: is not of the form NAME=VALUE")
        if not key:  # a comment, or nothing
            continue
        if key not in names:
            _refuse_near(path, line, key, names)
            unknown.setdefault(key, line)
        elif key in lines:
            raise SettingsError(f"{path}:{line}: {key} is set in line {lines[key]} already; leave one of them")
        elif binding.value is None:
            raise SettingsError(f"{path}:{line}: {key} has no value; write {key}=VALUE")
        elif any(ord(letter) < 32 for letter in binding.value):
            raise SettingsError(f"{path}:{line}: the value of {key} holds a control character, or has no closing quote")
        lines[key] = line
    return _notice(path, list(unknown))


def line_of_setting(path: Path, name: str) -> int:
    """The line of a file of settings that sets a name in capitals; 0 where none does, or there is no such file."""
    if not path.is_file():
        return 0
    for binding in parse_stream(io.StringIO(_text(path))):
        if (binding.key or "").upper() == name:
            entry = binding.original.string
            return binding.original.line + len(entry) - len(entry.lstrip("\r\n"))
    return 0


def near_misses(variables: Iterable[str], known: Iterable[str]) -> list[str]:
    """Notices of environment variables that are almost settings, a line each; they may be another program's."""
    names = set(known)
    near = {name: get_close_matches(name, names, 1, _NEAR_IN_ENVIRONMENT) for name in sorted(variables)}
    return [
        f"the environment variable {name} is no setting of MemeSnipe and is ignored; did you mean {found[0]}?"
        for name, found in near.items()
        if found and name.upper() not in names
    ]


def _text(path: Path) -> str:
    """The text of the file, without a byte order mark."""
    try:
        if not path.is_file():
            raise SettingsError(f"{path}: is not a file of settings; remove it, or give it another name")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise SettingsError(f"{path}: is larger than {MAX_BYTES} bytes; it is no file of settings")
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
        raise SettingsError(f"{path}:{line}: holds a zero byte; save the file as UTF-8 text")
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
    return [f"{path} holds names that are no settings of MemeSnipe, ignored: {shown}{more}"]
