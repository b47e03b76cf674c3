"""A backup of an installation: its database, event logs, tapes and snapshots in one file, while it runs or not.

The order of reading makes it consistent: first the files that can be derived again, or that only grow older, then the
database, and last the event logs, which have at least the events that the database knows. What they have beyond it is
cut off at the next start, as after a crash.
"""

import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from memesnipe import __version__
from memesnipe.config.home import Home
from memesnipe.config.settings import Settings
from memesnipe.errors import InputError
from memesnipe.runtime.database import open_database
from memesnipe.servers.postgres_dump import dump
from memesnipe.storage import views

FORMAT: Final = "memesnipe-backup-1"
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.dump"
FOLDERS: Final = ("runs", "tapes")
_EVENT_LOG: Final = "events.bin"
_TEMPORARY: Final = (".activity", ".partial", ".new")  # names that end so are of running processes


def back_up(settings: Settings, output: Path) -> dict[str, Any]:
    """Write a backup.

    Args:
        settings: of the installation; without a running system its embedded database is started meanwhile.
        output: the file to write, which only its owner may read.

    Returns:
        The manifest of the backup.

    Raises:
        InputError: there is no run.
        MemeSnipeError: the database cannot be dumped.
    """
    home = settings.installation.memesnipe_home.resolve()
    partial = output.with_name(f"{output.name}.partial")
    with open_database(settings) as (engine, url):
        with engine.connect() as connection:
            run_id = views.latest_run(connection)
        if run_id is None:
            raise InputError("there is no run to back up yet; start one with `memesnipe up`")
        manifest = {
            "format": FORMAT,
            "version": __version__,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "newest_run": run_id,
        }
        partial.touch(mode=0o600)
        try:
            with tempfile.TemporaryDirectory(dir=output.resolve().parent) as folder:
                write_archive(home, url, manifest, Path(folder), partial)
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)
    return manifest | {"file": str(output), "bytes": output.stat().st_size}


def write_archive(home: Path, url: str, manifest: dict[str, Any], folder: Path, partial: Path) -> None:
    """Write the files of an installation and its database at ``url`` to a backup; ``folder`` is for temporary files."""
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    with opened(partial, "w") as archive:
        archive.add(folder / MANIFEST, MANIFEST)
        for path in _files(home, event_logs=False):
            _add(archive, path, home)
        dump(url, folder / DATABASE)
        archive.add(folder / DATABASE, DATABASE)
        for path in _files(home, event_logs=True):
            _add(archive, path, home)


def _files(home: Path, *, event_logs: bool) -> list[Path]:
    """Return the event logs, or all other files of runs and tapes that are kept."""
    found = [path for name in FOLDERS for path in sorted((Home(home).folder / name).rglob("*")) if path.is_file()]
    return [path for path in found if (path.name == _EVENT_LOG) is event_logs and not path.name.endswith(_TEMPORARY)]


def _add(archive: tarfile.TarFile, path: Path, home: Path) -> None:
    """Add a file; one that has been deleted meanwhile, as old tapes are, is left out."""
    try:
        archive.add(path, str(path.relative_to(home)))
    except FileNotFoundError:
        return


@contextmanager
def opened(path: Path, mode: str) -> Iterator[tarfile.TarFile]:
    """Open a backup, a tar archive with Zstandard, to read (`r`) or write (`w`) it from its beginning to its end."""
    with path.open(f"{mode}b") as file:
        kind = pa.CompressedOutputStream if mode == "w" else pa.CompressedInputStream
        with kind(file, "zstd") as stream, tarfile.open(fileobj=stream, mode=f"{mode}|") as archive:  # type: ignore[call-overload]
            yield archive
