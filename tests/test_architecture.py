"""The architecture holds: imports point one way, and files stay small."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("memesnipe", "actors", "strategies")


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "os.environ[" in path.read_text() or "os.getenv" in path.read_text() or "environ.get(" in path.read_text()
    }
    assert readers <= {"memesnipe/local/process.py"}, "settings.py is the only reader of the environment"


def test_files_stay_small() -> None:
    lengths = {
        path: len(path.read_text().splitlines())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "versions" not in path.parts
    }
    assert {str(path): n for path, n in lengths.items() if n > 300} == {}
