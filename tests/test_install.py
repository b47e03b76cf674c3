"""`make` installs what a target needs: running takes no tools of tests."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Without what a `make test` around us hands down.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


@pytest.mark.parametrize(
    ("target", "extra"), [("up", ""), ("down", ""), ("install", "dev"), ("test", "dev"), ("lint", "dev")]
)
def test_a_target_installs_what_it_needs(tmp_path: Path, target: str, extra: str) -> None:
    command = ["make", "-n", f"VENV={tmp_path}", target]
    told = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    (line,) = (line for line in told.stdout.splitlines() if "scripts/install.sh" in line)
    assert line.split("$python")[1].strip() == extra


def test_a_python_that_cannot_do_it_is_not_replaced_in_silence(tmp_path: Path) -> None:
    command = ["make", "--no-print-directory", f"VENV={tmp_path / 'venv'}", "PYTHON=/nowhere/python3", "install"]
    told = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert told.stdout.startswith("MemeSnipe needs Python 3.11, 3.12 or 3.13")
    assert not (tmp_path / "venv").exists()
