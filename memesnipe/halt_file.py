"""The kill file: while it exists, new entries stop; its content says whether positions may still be sold.

An empty file, and any content that is not understood, stops everything, so `touch` and a full disk halt too.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Final

_ENTRIES: Final = b"entries"
_MAX_BYTES: Final = 64
_OPTIONS: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not block who looks


class HaltLevel(StrEnum):
    """What the kill file forbids."""

    ALL = "all"
    ENTRIES = "entries"  # purchases; sales go on


def halt_level(path: Path) -> HaltLevel | None:
    """Return what the file forbids, None if there is no file; what cannot be read forbids everything."""
    try:
        fd = os.open(path, os.O_RDONLY | _OPTIONS)
    except FileNotFoundError:
        return None
    except OSError:
        return HaltLevel.ALL  # a link, or no permission
    try:
        content = os.read(fd, _MAX_BYTES)
    except OSError:
        return HaltLevel.ALL  # a folder
    finally:
        os.close(fd)
    return HaltLevel.ENTRIES if content.strip() == _ENTRIES else HaltLevel.ALL


def halt(path: Path) -> None:
    """Forbid everything, whatever was forbidden before.

    Raises:
        OSError: the file cannot be created.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _OPTIONS, 0o600))
    except OSError:
        if halt_level(path) is not HaltLevel.ALL:
            raise


def allow_exits(path: Path) -> None:
    """Let positions be sold while purchases stay forbidden; without effect where there is no file.

    Raises:
        OSError: the file cannot be changed; everything stays forbidden.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC | _OPTIONS)
    except FileNotFoundError:
        return
    try:
        os.write(fd, _ENTRIES + b"\n")
    finally:
        os.close(fd)


def resume(path: Path) -> bool:
    """Remove the file; return whether there was one.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
