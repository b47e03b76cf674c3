"""A backup is restored into an empty installation as it was, and only a whole one."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from memesnipe.config.settings import Settings, load_settings
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.backup import back_up
from memesnipe.runtime.database import open_database
from memesnipe.runtime.restore import restore_backup
from memesnipe.storage.schema import RunRow, StreamOffsetRow
from tests.verification.small_run import TAPE_EVENTS, small_runs
from tests.verification.test_audit import Recorded


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder without data, which PostgreSQL's user can reach where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-restore-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_run: int, database_url: str) -> Settings:
    """The settings of an installation with a run and its files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    run = tmp_path / ".memesnipe" / "runs" / str(new_run)
    run.mkdir(parents=True)
    (run / "events.bin").write_bytes(os.urandom(100_000))
    (run / "executor.snapshot").write_bytes(b"snapshot")
    (run / "executor.activity").write_bytes(b"running")
    tapes = tmp_path / ".memesnipe" / "tapes" / str(new_run)
    tapes.mkdir(parents=True)
    (tapes / "2026-01-01T00.tape").write_bytes(b"tape")
    (tapes / "2026-01-01T01.tape.partial").write_bytes(b"half")
    (tmp_path / ".memesnipe" / "secrets").mkdir()
    (tmp_path / ".memesnipe" / "secrets" / "api_token").write_text("hidden")
    return load_settings()


def moved(settings: Settings, home: Path) -> Settings:
    """The settings of another installation, with an embedded database."""
    return settings.changed(memesnipe_home=home, database_url=None)


def test_everything_but_secrets_is_restored(
    settings: Settings, tmp_path: Path, database: sa.Engine, new_run: int, elsewhere: Path
) -> None:
    made = back_up(settings, tmp_path / "one.backup")
    assert made["newest_run"] == new_run and made["bytes"] == (tmp_path / "one.backup").stat().st_size
    assert (tmp_path / "one.backup").stat().st_mode & 0o077 == 0
    there = moved(settings, elsewhere)
    assert restore_backup(there, tmp_path / "one.backup")["newest_run"] == new_run
    kept = [f"runs/{new_run}/events.bin", f"runs/{new_run}/executor.snapshot", f"tapes/{new_run}/2026-01-01T00.tape"]
    found = [path for name in ("runs", "tapes", "secrets") for path in (elsewhere / name).rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(elsewhere)) for path in found) == kept
    assert all((elsewhere / name).read_bytes() == (tmp_path / ".memesnipe" / name).read_bytes() for name in kept)
    rows = sa.select(RunRow.__table__).order_by(RunRow.run_id)
    with open_database(there) as (copied, _), copied.connect() as copy, database.connect() as original:
        assert copy.execute(rows).all() == original.execute(rows).all()
        assert set(sa.inspect(copied).get_table_names()) == set(sa.inspect(database).get_table_names())
    with pytest.raises(InputError, match="has data already: restore into another folder"):
        restore_backup(there, tmp_path / "one.backup")


def test_a_database_with_tables_is_never_overwritten(settings: Settings, tmp_path: Path, elsewhere: Path) -> None:
    back_up(settings, tmp_path / "one.backup")
    with pytest.raises(InputError, match="has tables already"):
        restore_backup(settings.changed(memesnipe_home=elsewhere), tmp_path / "one.backup")
    assert not (elsewhere / "runs").exists()


@pytest.mark.parametrize("damage", ["cut", "text", "changed"])
def test_a_damaged_backup_restores_nothing(settings: Settings, tmp_path: Path, elsewhere: Path, damage: str) -> None:
    back_up(settings, tmp_path / "one.backup")
    content = (tmp_path / "one.backup").read_bytes()
    damaged = {"cut": content[: len(content) // 2], "text": b"some text", "changed": content[:50] + b"!" + content[51:]}
    (tmp_path / "bad.backup").write_bytes(damaged[damage])
    with pytest.raises(InputError, match=r"bad\.backup is (not a backup, or is )?damaged"):
        restore_backup(moved(settings, elsewhere), tmp_path / "bad.backup")
    assert [path.name for path in elsewhere.iterdir()] == ["up.lock"]


def test_a_file_outside_of_the_installation_is_refused(settings: Settings, tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "evil").write_text("x")
    with (
        (tmp_path / "bad.backup").open("wb") as file,
        pa.CompressedOutputStream(file, "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|") as archive,
    ):
        archive.add(tmp_path / "evil", "runs/../../evil")
    with pytest.raises(InputError, match="is no part of a backup"):
        restore_backup(moved(settings, elsewhere), tmp_path / "bad.backup")


def test_a_database_that_cannot_be_dumped_leaves_no_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "pg_dump: error: no space\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(MemeSnipeError, match="pg_dump failed: pg_dump: error: no space"):
        back_up(settings, tmp_path / "one.backup")
    assert not list(tmp_path.glob("*.backup*"))


@pytest.mark.timeout(300)
def test_a_run_that_is_restored_from_the_middle_continues_without_a_difference(
    tmp_path: Path, elsewhere: Path, database: sa.Engine, empty_redis: Callable[[], str]
) -> None:
    backup, feed = tmp_path / "one.backup", "replay:restored"
    taken: list[int] = []

    def take(run_id: int) -> None:
        if not taken:  # after the first command, at 40 % of the tape, while the roles run
            back_up(small.settings, backup)
            taken.append(run_id)

    (tmp_path / "first").mkdir()
    with small_runs(tmp_path / "first", database, empty_redis()) as small:
        run_id = small.run(feed, take)
    assert taken == [run_id]

    there = moved(small.settings, elsewhere)
    restore_backup(there, backup)
    with open_database(there) as (copied, _), small_runs(elsewhere, copied, empty_redis(), commands={}) as continued:
        with copied.connect() as connection:
            consumed = sa.select(sa.func.min(StreamOffsetRow.seq)).where(
                StreamOffsetRow.run_id == run_id, StreamOffsetRow.stream == "events"
            )
            assert 0 < connection.scalar(consumed) < TAPE_EVENTS * 0.6  # type: ignore[operator]
        assert continued.run(feed, lambda _: None) == run_id
        with copied.connect() as connection:
            assert connection.scalar(sa.select(RunRow.status).where(RunRow.run_id == run_id)) == "finished"
            assert Recorded(run_id, continued.event_log(run_id), connection).differences() == []
