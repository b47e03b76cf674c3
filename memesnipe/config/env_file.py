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
_SIMILAR_IN_FILE: Final = 0.6  # ratio from which the notice about an unknown name has the nearest setting
_NEAR_IN_ENVIRONMENT: Final = 0.9  # higher, because it also has other programs' variables
_COMMON_WORDS: Final = 3  # a name of so many words, all of them in the name of one setting, counts as misspelt
_OWN_PREFIX: Final = "MEMESNIPE_"  # no other program's variable in `.env` begins with it
_SHOWN: Final = 5


def check_env_file(path: Path, known: Iterable[str]) -> list[str]:
    """Check the names in a file of settings.

    Args:
        path: the file; a missing one is not checked.
        known: names of the settings, in upper case.

    Returns:
        Notices for the user, one line each, about names that are not settings and are not misspelt ones.

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
            if _is_misspelt(key, names):
                raise SettingsError(
                    f"{path}:{line}: there is no setting {_shown(key)}; did you mean {nearest(key, names)}?"
                )
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
    return _notice(path, unknown, names)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that resembles a name most; without the prefix that users expect of variables."""
    return get_close_matches(name.removeprefix(_OWN_PREFIX), sorted(known), 1, 0.0)[0]


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
    unknown = [name for name in sorted(variables) if name.upper() not in names]
    near = {n: get_close_matches(n.removeprefix(_OWN_PREFIX), names, 1, _NEAR_IN_ENVIRONMENT) for n in unknown}
    return [
        f"the environment variable {name} is not a setting of MemeSnipe and is ignored; did you mean {found[0]}?"
        for name, found in near.items()
        if found
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


def _is_misspelt(key: str, names: list[str]) -> bool:
    words = set(key.split("_"))
    return (
        key.startswith(_OWN_PREFIX)
        or bool(get_close_matches(key, names, 1, _NEAR_IN_FILE))
        or (len(words) >= _COMMON_WORDS and any(words <= set(name.split("_")) for name in names))
    )


def _notice(path: Path, unknown: dict[str, int], names: list[str]) -> list[str]:
    if not unknown:
        return []
    shown = []
    for key, line in list(unknown.items())[:_SHOWN]:
        found = get_close_matches(key, names, 1, _SIMILAR_IN_FILE)
        shown.append(f"{_shown(key)} (line {line}{f', the nearest setting is {found[0]}' if found else ''})")
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    return [f"{path} contains names that are not settings of MemeSnipe, ignored: {', '.join(shown)}{more}"]


def _shown(key: str) -> str:
    return ascii(key[:60])[1:-1]
