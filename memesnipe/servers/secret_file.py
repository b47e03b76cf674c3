"""Passwords that an installation makes for itself, each in a file that its user alone can read."""

import os
import secrets
from pathlib import Path


def write_secret(file: Path, secret: str) -> None:
    """Write a secret under another name first, so that a kill half-way leaves no half of it."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as text:
        text.write(secret)
    fresh.replace(file)


def kept_secret(file: Path) -> str:
    """Read the secret in a file, which is closed to others; one is made where there is none, or an empty file."""
    if file.exists():
        file.chmod(0o600)
    secret = file.read_text().strip() if file.exists() else ""
    if not secret:
        secret = secrets.token_hex(16)
        write_secret(file, secret)
    return secret
