"""Ray's folder: private, short enough for sockets, and without old sessions."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from memesnipe.errors import MemeSnipeError
from memesnipe.servers import ray_folder as module
from memesnipe.servers.ray_folder import ray_folder, remove_session

NAME = "0123456789ab"


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a short folder that replaces the system's temporary folder."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="x") as folder:
        monkeypatch.setattr(module, "_roots", lambda: (Path(folder),))
        monkeypatch.setattr(module, "_MAX_PATH_BYTES", 60)
        yield Path(folder)


def session(folder: Path, day: int, pid: int) -> Path:
    made = folder / f"session_2026-01-{day:02}_00-00-00_000000_{pid}"
    (made / "sockets").mkdir(parents=True)
    return made


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_the_owner_can_access_the_folder(root: Path) -> None:
    (root / f"memesnipe-{NAME}").mkdir(mode=0o777)
    folder = ray_folder(NAME)
    assert folder.parent.parent == root
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_a_folder_of_another_user_is_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / f"memesnipe-{NAME}").symlink_to(tmp_path)
    with pytest.raises(MemeSnipeError, match="belongs to another user"):
        ray_folder(NAME)
    ray_folder("another")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(MemeSnipeError, match="belongs to another user"):
        ray_folder("another")


def test_a_long_temporary_folder_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 91)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder = ray_folder(NAME)
    try:
        longest = folder / "session_2026-01-01_00-00-00_000000_4194304" / "sockets" / "dash_MetricsHead"
        assert len(os.fsencode(longest)) <= 103
        assert not list(long.iterdir())
    finally:
        folder.parent.rmdir()


def test_the_last_two_failed_sessions_are_kept(root: Path) -> None:
    folder = ray_folder(NAME)
    dead = dead_pid()
    old = [session(folder, day, dead) for day in (1, 2, 3, 4)]
    alive = session(folder, 1, os.getpid())
    ray_folder(NAME)
    assert [path.exists() for path in (*old, alive)] == [False, False, True, True, True]


def test_a_session_that_ended_without_errors_is_removed(root: Path) -> None:
    folder = ray_folder(NAME)
    one, other = session(folder, 1, os.getpid()), session(folder, 2, os.getpid())
    remove_session(one)
    assert folder.exists()
    remove_session(other)
    assert not list(root.iterdir())
