"""Checks of a command's input that load no slow module, so they run before the rest of the command."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from memesnipe.errors import InputError

MAX_JSON_BYTES: Final = 64 << 20


def check_tape(option: str, tape: Path) -> None:
    """Check that a tape is an existing file.

    Raises:
        InputError: it is not.
    """
    if tape.is_dir():
        raise InputError(f"{option} {tape}: is a folder; name a tape")
    if not tape.is_file():
        raise InputError(
            f"{option} {tape}: there is no such file; make a tape with `memesnipe import`, `record` or `synth`"
        )


def check_history(paths: Sequence[Path]) -> list[str]:
    """Return the absolute paths of tapes, or folders of tapes.

    Raises:
        InputError: one of them does not exist.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"--history {path}: there is no such file or folder; name a tape or a folder of tapes")
    return [str(path.resolve()) for path in paths]


def check_folder(option: str, folder: Path) -> None:
    """Check that a folder can be written to, or made.

    Raises:
        InputError: it cannot.
    """
    existing = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    if not existing.is_dir():
        raise InputError(f"{option} {folder}: {existing} is not a folder; name another")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{option} {folder}: {existing} cannot be written; name a folder that you may write to")


def check_is_no_strategy(path: Path) -> None:
    """Check that a file of swaps is not a shared strategy, which other commands read.

    Raises:
        InputError: it is one.
    """
    with path.open("rb") as file:
        if file.read(1) != b"{":
            return
    try:
        found = read_json(path, "")
    except InputError:
        return  # the importer says what is wrong with it
    if isinstance(found, dict) and "signals" in found:
        raise InputError(
            f"{path}: is a strategy, not a file of swaps: `memesnipe explain {path}` describes it, "
            f"`memesnipe backtest --spec {path} --tape TAPE` tests it"
        )


def read_json(path: Path, option: str) -> Any:
    """Return the value in a JSON file that an option names; "" for one that an argument names.

    Integers may have any length; an object must not repeat a name.

    Raises:
        InputError: the file cannot be read, is too large, or is not valid JSON.
    """
    where = f"{option} {path}".lstrip()
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{where}: is not a file")
        with path.open("rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
        if len(data) > MAX_JSON_BYTES:
            raise InputError(f"{where}: is larger than {MAX_JSON_BYTES} bytes")
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique_names, parse_constant=_reject_constant)
    except OSError as error:
        raise InputError(f"{where}: cannot be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise InputError(f"{where}: is nested too deeply for JSON") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not JSON: byte {error.start} is not UTF-8") from error
    except ValueError as error:
        raise InputError(f"{where}: is not JSON: {error}") from error


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{ascii(twice)[:60]} occurs twice in one object")
    return found


def _reject_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")
