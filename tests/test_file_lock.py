"""Locks of files: one holder, named by its process id, and free again when it ends for any reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memesnipe.errors import MemeSnipeError
from memesnipe.file_lock import LockedError, PidLock, lock_holder, try_lock

HOLDS = """
import sys
from pathlib import Path
from memesnipe.file_lock import PidLock
lock = PidLock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_lock_has_one_holder_and_is_free_after_close(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    assert lock_holder(path) is None
    lock = PidLock(path)
    assert lock_holder(path) == os.getpid()
    with pytest.raises(LockedError):
        PidLock(path)
    assert lock_holder(path) == os.getpid()  # the refused attempt has not changed the file
    lock.close()
    lock.close()
    assert lock_holder(path) is None
    with PidLock(path):
        assert lock_holder(path) == os.getpid()


def test_a_lock_is_free_when_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        assert lock_holder(path) == process.pid
        process.kill()
    assert lock_holder(path) is None


def test_a_child_does_not_inherit_a_lock(tmp_path: Path) -> None:
    lock = PidLock(tmp_path / "lock")
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        lock.close()
        assert lock_holder(tmp_path / "lock") is None
        child.kill()


@pytest.mark.parametrize("content", ["", "0", "-5", "x"])
def test_a_lock_without_a_process_id_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr("memesnipe.file_lock._PID_WAIT_S", 0.05)
    path = tmp_path / "lock"
    path.write_text(content)
    with path.open("r+") as file:
        assert try_lock(file.fileno())
        with pytest.raises(MemeSnipeError, match="is locked, but contains no process id"):
            lock_holder(path)
