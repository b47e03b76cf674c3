"""Where Ray keeps its sessions (sockets, logs): a private folder with a path that is short enough for sockets."""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.process import is_alive

# Linux takes 107 bytes for the path of a socket, macOS 103. Ray adds at most
# `/session_2026-01-01_00-00-00_000000_4194304/sockets/dash_MetricsHead`.
_MAX_PATH_BYTES: Final = 103 - 70
_SESSION = re.compile(r"session_[\d_-]+_(\d+)")
_KEPT: Final = 2


def ray_folder(installation: str) -> Path:
    """The folder for Ray's sessions of an installation, made where it is missing; nobody else can look into it.

    Args:
        installation: a short name of the installation, of which there may be several.

    Raises:
        MemeSnipeError: no such folder can be made.
    """
    roots = [root for root in _roots() if _fits(root, installation)]
    if not roots:
        raise MemeSnipeError("no temporary folder has a path short enough for Ray's sockets: set TMPDIR to another")
    private = _private(roots[0], installation)
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        found = private.lstat()
    except OSError as error:
        raise MemeSnipeError(f"Ray needs the folder {private}, and it cannot be made: {error.strerror}") from error
    # Anyone may have made it before us: a folder of theirs is theirs to read, whatever its mode.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise MemeSnipeError(f"{private} belongs to somebody else: remove it, or set TMPDIR to another folder")
    private.chmod(0o700)
    folder = private / "r"  # Ray makes it, and opens it to everyone
    _remove_old_sessions(folder)
    return folder


def remove_session(session: Path) -> None:
    """Remove a session that has ended well, and the folder where nothing is left in it."""
    shutil.rmtree(session, ignore_errors=True)
    if not _sessions(session.parent):
        shutil.rmtree(session.parent.parent, ignore_errors=True)


def _roots() -> tuple[Path, ...]:
    return Path(tempfile.gettempdir()), Path("/tmp")  # noqa: S108 - the folder in it is private


def _private(root: Path, installation: str) -> Path:
    return root / f"memesnipe-{installation}"


def _fits(root: Path, installation: str) -> bool:
    return len(os.fsencode(_private(root, installation) / "r")) <= _MAX_PATH_BYTES


def _sessions(folder: Path) -> list[tuple[Path, int]]:
    """Each session with the process that started it, the oldest first."""
    if not folder.is_dir():
        return []
    found = [(path, _SESSION.fullmatch(path.name)) for path in sorted(folder.iterdir()) if not path.is_symlink()]
    return [(path, int(match.group(1))) for path, match in found if match]


def _remove_old_sessions(folder: Path) -> None:
    """Keep the last of those that ended badly, whose logs may be looked at."""
    ended = [path for path, pid in _sessions(folder) if not is_alive(pid)]
    for path in ended[:-_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
