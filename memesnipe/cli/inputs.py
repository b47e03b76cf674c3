"""Checks of what a user names that need nothing slow to load: they come before everything else that a command does."""

import os
from pathlib import Path
from typing import Any

import orjson

from memesnipe.errors import InputError


def check_tape(option: str, tape: Path) -> None:
    """Refuse a tape that is not there."""
    if not tape.is_file():
        raise InputError(f"{option} {tape}: there is no such file; make one with `memesnipe import`")


def check_report(report: Path) -> None:
    """Refuse a file that cannot be written: better now than after hours of running."""
    if not report.resolve().parent.is_dir():
        raise InputError(f"--report {report}: there is no folder {report.parent}")
    if report.is_dir():
        raise InputError(f"--report {report}: is a folder; name a file")
    if not os.access(report if report.exists() else report.resolve().parent, os.W_OK):
        raise InputError(f"--report {report}: cannot be written")


def read_json(path: Path, option: str) -> Any:
    """The value in a JSON file that an option names."""
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{option} {path}: is not JSON: {error}") from error
