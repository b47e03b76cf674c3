"""Compilation: the decorators of compiled functions, and the folder of the compile cache.

Numba detects a change in a function's own file, but not in the files of the functions it calls. So the folder's name
is a hash of all compiled sources, and its contents always match them. A second process, and every worker on the same
machine, loads instead of compiling.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit
from numba.extending import intrinsic, register_jitable

from memesnipe.code import source_hash

_FOLDERS_KEPT = 6

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Division by zero gives inf or nan as on the processor, because compiled code cannot catch an exception.
OPTIONS: dict[str, Any] = {"_nrt": False, "cache": True, "error_model": "numpy", "nogil": True}


def compiled(function: _Function) -> _Function:
    """Compile a function at its first call, or load it from the cache."""
    made: _Function = njit(**OPTIONS)(function)
    return made


def jitable(function: _Function) -> _Function:
    """Leave a function plain Python and let compiled callers compile it too: one source, two forms."""
    made: _Function = register_jitable(_nrt=False)(function)
    return made


def inlined(function: _Function) -> _Function:
    """Do what `jitable` does, and let every compiled caller contain the function's code instead of calling it.

    A call copies a `Trader` or a `Batch` field by field, 80 to 250 words of the stack: more than most functions do.
    """
    made: _Function = register_jitable(_nrt=False, forceinline=True)(function)
    return made


def merged(function: _Function) -> _Function:
    """Let compiled callers contain a large function's code, and never compile it by itself.

    With `inlined` it is also compiled and optimised alone before each of its callers is, which for the outermost
    functions of a kernel takes as long as the kernel.
    """
    made: _Function = njit(inline="always")(function)
    return made


def intrinsic_of(generate: Callable[..., Any]) -> Any:
    """Return a function for compiled code whose LLVM instructions ``generate`` emits."""
    return intrinsic(generate)


def folder_in(parent: Path) -> Path | None:
    """Return the cache folder of these sources below ``parent``, or None if it cannot be created or is not safe.

    Its contents are executed, so only this user may have write access: the folder of temporary files is shared.
    """
    folder = parent / source_hash()
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not folder.is_dir()
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (_is_ours(parent) and _is_ours(folder)):
            return None
        os.utime(folder)
        if is_new:
            _remove_old(parent)
    except OSError:
        return None
    return folder


def _is_ours(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022 and os.access(folder, os.W_OK)


def _remove_old(parent: Path) -> None:
    """Remove the least recently used folders."""
    folders = sorted((f for f in parent.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime, reverse=True)
    for folder in folders[_FOLDERS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _make_folder() -> Path:
    """Make the folder in the user's cache; failing that with the temporary files, at worst for this process alone."""
    parents = (Path.home() / ".cache" / "memesnipe", Path(tempfile.gettempdir()) / f"memesnipe-{os.getuid()}")
    found = (folder for folder in map(folder_in, parents) if folder is not None)
    return next(found, None) or Path(tempfile.mkdtemp(prefix="memesnipe-"))


CACHE_FOLDER = _make_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)
