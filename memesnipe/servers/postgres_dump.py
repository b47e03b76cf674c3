"""Dump and restore of a database with PostgreSQL's own programs, `pg_dump` and `pg_restore`, from the wheel."""

import os
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.postgres_location import postgres_folder

_NEWEST: Final = "18"  # dumps databases of every earlier version too
# The roles and their rights belong to the server, not to the data.
_COMMON: Final = ("--no-owner", "--no-privileges")


def dump(url: str, file: Path) -> None:
    """Write a consistent dump of a database, which may be in use.

    Args:
        url: of the database.
        file: to write, in PostgreSQL's custom format, compressed.

    Raises:
        MemeSnipeError: it fails; the text is the program's.
    """
    _run("pg_dump", url, "--format=custom", *_COMMON, f"--file={file}")


def restore(url: str, file: Path) -> None:
    """Restore a dump into an empty database, completely or not at all.

    Args:
        url: of the database.
        file: the dump.

    Raises:
        MemeSnipeError: it fails, or the database is not empty; the text is the program's.
    """
    _run("pg_restore", url, *_COMMON, "--exit-on-error", "--single-transaction", str(file), database_option="--dbname=")


def _run(program: str, url: str, *arguments: str, database_option: str = "--dbname=") -> None:
    plain, password = _without_password(url)
    command = [str(postgres_folder(_NEWEST, None) / program), f"{database_option}{plain}", *arguments]
    # The password is in the environment, which only this user can read, and not among the arguments.
    done = subprocess.run(
        command, env=os.environ | {"PGPASSWORD": password}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise MemeSnipeError(f"{program} failed: {lines[0]}")


def _without_password(url: str) -> tuple[str, str]:
    """Return the URL as PostgreSQL's programs take it, and its password."""
    parts = urlsplit(url.replace("postgresql+psycopg://", "postgresql://", 1))
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host)), unquote(password)
