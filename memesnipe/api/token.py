"""The token of those who may change something: a file that only its owner can read, made at the first start."""

import hmac
import os
import secrets
import stat
from pathlib import Path

from memesnipe.errors import InputError


def make_token(path: Path) -> None:
    """Make a token at ``path``, unless there is a file already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")


def load_token(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: there is none, it is not ours alone, or it is too short to be one.
    """
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is not a regular file; API_TOKEN_FILENAME must name one")
    status = path.stat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise InputError(f"{path} can be read by others: make it yours alone with `chmod 600 {path}`")
    token = path.read_text().strip()
    if len(token) < 16:
        raise InputError(f"{path} is too short to be a token: it must have 16 characters or more")
    return token


def is_allowed(given: str | None, token: str) -> bool:
    """Whether what a request was sent with is the token; without a token nobody is allowed."""
    return bool(token) and given is not None and hmac.compare_digest(given.strip().encode(), token.encode())
