"""Checks of files that a command is to write: never over what it reads, and before it works for hours."""

import os
from collections.abc import Sequence
from pathlib import Path

from memesnipe.errors import InputError


def check_output(option: str, path: Path, inputs: Sequence[Path | None] = ()) -> None:
    """Refuse a path that is no file in a folder that is there, or that is one of the inputs by any name.

    Args:
        option: as it is typed.
        path: what is to be written.
        inputs: what the command reads; None where an option was not given.

    Raises:
        InputError: the path is refused; the message names it and says why.
    """
    where = f"{option} {path}"
    if path.is_dir():
        raise InputError(f"{where}: is a folder; name a file")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InputError(f"{where}: there is no folder {path.parent}")
    if path.exists() and not path.is_file():
        raise InputError(f"{where}: is not an ordinary file")
    if not os.access(path if path.exists() else folder, os.W_OK) or not os.access(folder, os.W_OK):
        raise InputError(f"{where}: cannot be written")
    # A file is written under this name first, so that it is never left half made.
    written = (path, path.with_name(path.name + ".partial"))
    for source in inputs:
        if source is not None and source.exists() and any(_is_same(name, source) for name in written):
            raise InputError(f"{where}: would overwrite {source}, which the command reads; name another file")


def _is_same(path: Path, other: Path) -> bool:
    """Whether two paths are one file, links of both kinds included."""
    return path.resolve() == other.resolve() or (path.exists() and path.samefile(other))
