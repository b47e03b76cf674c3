"""The folder of Ray's sessions (sockets, logs): private, with a path that is short enough for sockets."""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.process import is_alive

# The path of a socket has at most 107 bytes on Linux, and 103 on macOS. Ray adds at most
# `/session_2026-01-01_00-00-00_000000_4194304/sockets/dash_MetricsHead`.
_MAX_PATH_BYTES: Final = 103 - 70
_SESSION = re.compile(r"session_[\d_-]+_(\d+)")
_KEPT: Final = 2


def ray_folder(installation: str) -> Path:
    """Return the folder of an installation's Ray sessions, after creating it with access for its owner alone.

    Args:
        installation: a short name; a machine may have several installations.

    Raises:
        MemeSnipeError: the folder cannot be made, or belongs to another user.
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
    # Another user may have made the folder first, and could read it whatever its mode.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise MemeSnipeError(f"{private} belongs to another user: remove it, or set TMPDIR to another folder")
    private.chmod(0o700)
    folder = private / "r"  # Ray creates it, accessible to everyone
    _remove_old_sessions(folder)
    return folder


def remove_session(session: Path) -> None:
    """Remove a session that has ended without errors, and its folder if that is empty then."""
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
    """Return the sessions with the pids of their processes, oldest first."""
    if not folder.is_dir():
        return []
    found = [(path, _SESSION.fullmatch(path.name)) for path in sorted(folder.iterdir()) if not path.is_symlink()]
    return [(path, int(match.group(1))) for path, match in found if match]


def _remove_old_sessions(folder: Path) -> None:
    """Remove ended sessions except the last ones, whose logs may explain a failure."""
    ended = [path for path, pid in _sessions(folder) if not is_alive(pid)]
    for path in ended[:-_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
