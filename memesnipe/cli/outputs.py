"""Checks of a command's output files, before the work starts: they must be writable and must not be its inputs."""

import os
from collections.abc import Sequence
from pathlib import Path

from memesnipe.errors import InputError


def check_output(option: str, path: Path, inputs: Sequence[Path | None] = ()) -> None:
    """Check that a path can be written and is none of the inputs, links included.

    Args:
        option: name of the option, for the message.
        path: the file to write.
        inputs: files that the command reads; None for an option that was not given.

    Raises:
        InputError: the path cannot be used; the message names it and the reason.
    """
    where = f"{option} {path}"
    if path.is_dir():
        raise InputError(f"{where}: is a folder; name a file")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InputError(f"{where}: there is no folder {path.parent}; make it first")
    if path.exists() and not path.is_file():
        raise InputError(f"{where}: is not an ordinary file; name another")
    if not os.access(path if path.exists() else folder, os.W_OK) or not os.access(folder, os.W_OK):
        raise InputError(f"{where}: cannot be written; name a file that you may write to")
    # A file is written under this name first, so that an interrupted command leaves no partial file.
    written = (path, path.with_name(path.name + ".partial"))
    for source in inputs:
        if source is not None and source.exists() and any(_is_same(name, source) for name in written):
            raise InputError(f"{where}: would overwrite {source}, which the command reads; name another file")


def _is_same(path: Path, other: Path) -> bool:
    """Return whether two paths are the same file, through symbolic or hard links too."""
    return path.resolve() == other.resolve() or (path.exists() and path.samefile(other))
