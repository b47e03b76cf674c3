"""The command of the simulator rejects numbers with which it would check nothing."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("option", ["--histories", "--workers"])
def test_a_number_below_one_is_rejected(option: str) -> None:
    line = [sys.executable, "-m", "memesnipe.testing.simulator", option, "0"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f"error: argument {option}: must be at least 1")
    assert done.stdout == ""
