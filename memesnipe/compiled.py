"""Compilation: the one decorator of compiled functions, and the folder that keeps what was compiled.

Numba notices when the file of a function changes, but not when a file does that it calls. So the folder's name is a
hash of all sources that are compiled: what is found in it is what the sources say. A second process, and every
worker on the same machine, loads instead of compiling.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import njit
from numba.extending import intrinsic, register_jitable

_COMPILED_PACKAGES = ("market", "sdk", "engine", "stats")
_FOLDERS_KEPT = 6

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Division by zero gives inf or nan as on the processor, instead of an exception that nobody could catch in there.
OPTIONS: dict[str, Any] = {"_nrt": False, "cache": True, "error_model": "numpy", "nogil": True}


def compiled(function: _Function) -> _Function:
    """Compile a function at its first call, or load what was compiled before."""
    made: _Function = njit(**OPTIONS)(function)
    return made


def jitable(function: _Function) -> _Function:
    """Leave a function plain Python, and let compiled functions that call it compile it too: one source, two forms."""
    made: _Function = register_jitable(_nrt=False)(function)
    return made


def intrinsic_of(generate: Callable[..., Any]) -> Any:
    """A function that compiled code calls and that is generated as the compiler's own instructions."""
    return intrinsic(generate)


def source_hash() -> str:
    """A name for everything that a compiled function depends on."""
    here = Path(__file__).resolve().parent
    files = [Path(__file__), *(path for name in _COMPILED_PACKAGES for path in sorted((here / name).glob("*.py")))]
    digest = blake2b(f"{numba.__version__} {sys.version}".encode(), digest_size=8)
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def folder_in(parent: Path) -> Path | None:
    """The folder of these sources there, or None where it cannot be had.

    What is in it is run, so it must be ours alone to write: others can write to the folder of temporary files.
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
            _forget_old(parent)
    except OSError:
        return None
    return folder


def _is_ours(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022 and os.access(folder, os.W_OK)


def _forget_old(parent: Path) -> None:
    """Remove the folders of sources that were not used for the longest time."""
    folders = sorted((f for f in parent.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime, reverse=True)
    for folder in folders[_FOLDERS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _make_folder() -> Path:
    """In the user's cache; where that cannot be had, with the temporary files, at worst for this process alone."""
    shared = (Path.home() / ".cache" / "memesnipe", Path(tempfile.gettempdir()) / f"memesnipe-{os.getuid()}")
    found = (folder for folder in map(folder_in, shared) if folder is not None)
    return next(found, None) or Path(tempfile.mkdtemp(prefix="memesnipe-"))


CACHE_FOLDER = _make_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)
