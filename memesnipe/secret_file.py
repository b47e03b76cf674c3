"""Files of secrets that only their owner can read: passwords of the servers, the API token, the wallet."""

import os
import secrets
import stat
from pathlib import Path

from memesnipe.errors import InputError


def create_secret(path: Path, secret: str) -> None:
    """Write a secret to a new file, in a folder that is created if needed; an existing file is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _create(path, secret)
    except FileExistsError:
        return


def read_secret(path: Path, setting: str) -> str:
    """Return the text of a secret file.

    Args:
        path: of the file.
        setting: the setting that names the file, for the message.

    Raises:
        InputError: it is not a regular text file, belongs to another user, or others can read it.
    """
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is not a regular file; {setting} must name one")
    status = path.stat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise InputError(f"{path} can be read by others: make it yours alone with `chmod 600 {path}`")
    try:
        return path.read_text()
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
