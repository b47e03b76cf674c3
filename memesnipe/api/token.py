"""The token of callers with permission to change a run."""

import hmac
import secrets
from pathlib import Path

from memesnipe.errors import InputError
from memesnipe.secret_file import create_secret, read_secret

_MIN_CHARACTERS = 16


def make_token(path: Path) -> None:
    """Write a new token to ``path``; an existing file is kept."""
    create_secret(path, secrets.token_urlsafe(32) + "\n")


def load_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        InputError: there is no file that only its owner can read, or the token is too short.
    """
    token = read_secret(path, "API_TOKEN_FILENAME").strip()
    if len(token) < _MIN_CHARACTERS:
        raise InputError(f"{path} is too short to be a token: it must have {_MIN_CHARACTERS} characters or more")
    return token


def is_allowed(given: str | None, token: str) -> bool:
    """Return whether a request's credentials are the token, in constant time; always False for an empty token."""
    return bool(token) and given is not None and hmac.compare_digest(given.strip().encode(), token.encode())
