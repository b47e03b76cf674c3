"""Files of secrets that only their owner can read: passwords of the servers, the API token, the wallet."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from memesnipe.errors import InputError

_MAX_BYTES: Final = 65_536


def create_secret(path: Path, secret: str) -> None:
    """Write a secret to a new file, in a folder that is created if needed; an existing file is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _create(path, secret)
    except FileExistsError:
        return


def create_new_secret(path: Path, secret: str) -> None:
    """Write a secret to a new file at once, complete or not at all, in a folder that is created if needed.

    Raises:
        FileExistsError: there is something at ``path``, which stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _create(temporary, secret)
    try:
        os.link(temporary, path)  # unlike a rename, never replaces a file
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_secret(path: Path, setting: str) -> str:
    """Return the text of a secret file.

    Args:
        path: of the file.
        setting: the setting that names the file, for the message.

    Raises:
        InputError: it is not a regular text file of this user, or others can read or replace it.
    """
    try:
        # Opened once and then checked, so that it cannot be exchanged in between; a pipe must not block.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise InputError(f"{path} belongs to another user; {setting} must name a file of yours") from None
    except OSError:
        raise InputError(f"{path} is not a regular file; {setting} must name one") from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file; {setting} must name one")
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise InputError(f"{path} can be read by others: make it yours alone with `chmod 600 {path}`")
        if stat.S_IMODE(path.parent.stat().st_mode) & 0o022:
            raise InputError(f"others can replace {path}: protect its folder with `chmod go-w {path.parent}`")
        content = os.read(fd, _MAX_BYTES + 1)
    finally:
        os.close(fd)
    if len(content) > _MAX_BYTES:
        raise InputError(f"{path} is too long for a secret; {setting} must name another file")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file; {setting} must name one") from None


def write_secret(path: Path, secret: str) -> None:
    """Write a secret, under a temporary name first, so that a kill leaves no partial file."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _create(fresh, secret)
    fresh.replace(path)


def read_or_create_password(path: Path) -> str:
    """Return the password in a file, after restricting its access to the owner; create a missing or empty one."""
    if path.exists():
        path.chmod(0o600)
    password = path.read_text().strip() if path.exists() else ""
    if not password:
        password = secrets.token_hex(16)
        write_secret(path, password)
    return password


def _create(path: Path, secret: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
