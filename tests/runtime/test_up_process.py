"""`memesnipe up` as a child: what it says when it ends, and a stop of one that does not run."""

import os
from pathlib import Path

import pytest

from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.up_process import UpProcess, last_line
from memesnipe.servers.process import wait_until


def test_a_start_that_is_refused_is_told_by_its_code_and_last_message(tmp_path: Path) -> None:
    up = UpProcess(tmp_path, os.environ | {"MEMESNIPE_HOME": str(tmp_path / "home")})
    up.stop()
    assert up.exit_code is None
    up.start("--feed", "replay", "--tape", "nowhere.tape")
    assert wait_until(lambda: up.exit_code is not None, 60)
    up.stop()
    assert up.exit_code == 2
    assert "nowhere.tape: there is no such file" in up.last_message()
    with pytest.raises(MemeSnipeError, match=r"has printed no report: .*nowhere\.tape"):
        up.report()


def test_a_command_runs_in_the_same_folder(tmp_path: Path) -> None:
    done = UpProcess(tmp_path, os.environ | {"MEMESNIPE_HOME": str(tmp_path / "home")}).command("tape", "nowhere.tape")
    assert done.returncode == 2
    assert "nowhere.tape" in last_line(done.stderr)


def test_the_last_line_of_nothing() -> None:
    assert last_line(b" \n") == "without a message"
