"""`make` installs only the packages that a target needs: running needs no tools of tests."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Without the variables of a surrounding `make test`.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


@pytest.mark.parametrize(
    ("target", "extra"), [("up", ""), ("down", ""), ("install", "dev"), ("test", "dev"), ("lint", "dev")]
)
def test_a_target_installs_what_it_needs(tmp_path: Path, target: str, extra: str) -> None:
    command = ["make", "-n", f"VENV={tmp_path}", target]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if "scripts/install.sh" in line)
    assert line.split("$python")[1].strip() == extra


def test_an_unusable_python_is_an_error(tmp_path: Path) -> None:
    command = ["make", "--no-print-directory", f"VENV={tmp_path / 'venv'}", "PYTHON=/nowhere/python3", "install"]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("MemeSnipe needs Python 3.11, 3.12 or 3.13")
    assert not (tmp_path / "venv").exists()
