"""The restore of a backup into an installation that has no data yet."""

import json
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from sqlalchemy import inspect

from memesnipe.config.home import Home
from memesnipe.config.settings import Settings
from memesnipe.errors import InputError, first_line
from memesnipe.runtime.backup import DATABASE, FOLDERS, FORMAT, MANIFEST, opened
from memesnipe.runtime.database import migrated
from memesnipe.runtime.lock import acquire
from memesnipe.servers.postgres_dump import restore
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect


def restore_backup(settings: Settings, backup: Path) -> dict[str, Any]:
    """Restore a backup; `memesnipe up` with the feed and the settings of its run continues it then.

    Args:
        settings: of the installation, whose folder and database must be empty.
        backup: the file.

    Returns:
        The manifest of the backup.

    Raises:
        InputError: the file is no whole backup of this version, or the installation has data.
        MemeSnipeError: the database cannot be restored, or another command runs here.
    """
    home = settings.installation.memesnipe_home.resolve()
    _check_empty(home)
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(acquire(home).close)
        # On the disk of the installation, so that everything is moved into its place at once, after it was read.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-", dir=home)))
        manifest = _extract(backup, folder)
        if settings.servers.database_url is not None:
            url = settings.servers.database_url.get_secret_value()
        else:
            servers = stack.enter_context(LocalServers(*Home(home).server_folders))
            url = servers.start(need_redis=False).database_url or ""
        _check_no_tables(url)
        restore(url, folder / DATABASE)
        for name in FOLDERS:
            if (folder / name).exists():
                (folder / name).rename(home / name)
        migrated(url).dispose()
    return manifest


def _check_empty(home: Path) -> None:
    """Check that an installation has neither runs nor a database.

    Raises:
        InputError: it has.
    """
    if Home(home).has_database or any((home / name).exists() for name in FOLDERS):
        raise InputError(
            f"{home} has data already: restore into another folder (MEMESNIPE_HOME), or move that one away"
        )


def _check_no_tables(url: str) -> None:
    """Check that a database is empty.

    Raises:
        InputError: it has tables.
    """
    engine = connect(url)
    try:
        if inspect(engine).get_table_names():
            raise InputError("the database of DATABASE_URL has tables already: restore into an empty one")
    finally:
        engine.dispose()


def _extract(backup: Path, folder: Path) -> dict[str, Any]:
    """Extract the files of a backup, and no others; return its manifest.

    Raises:
        InputError: it is no whole backup of this version.
    """
    try:
        with opened(backup, "r") as archive:
            for member in archive:
                _check_member(member)
                archive.extract(member, folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError, tarfile.TarError, pa.ArrowException) as error:
        raise InputError(f"{backup} is not a backup, or is damaged: {first_line(error)}") from None
    if manifest.get("format") != FORMAT:
        raise InputError(f"{backup} has the format {manifest.get('format')!r}, and this version reads {FORMAT}")
    if not (folder / DATABASE).is_file():
        raise InputError(f"{backup} is damaged: it has no {DATABASE}")
    return manifest


def _check_member(member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    is_known = member.name in (MANIFEST, DATABASE) or path.parts[0] in FOLDERS
    if not (member.isfile() and is_known and ".." not in path.parts):
        raise tarfile.TarError(f"{ascii(member.name)[:80]} is no part of a backup")
