"""Rules of the architecture: directions of imports, readers of the environment, and length of files."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("memesnipe", "actors", "strategies")


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_listed_modules_use_the_environment() -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "environ" in path.read_text().replace("environment", "") or "getenv" in path.read_text()
    }
    # The settings check for misspelt variables. Servers get a PATH, Ray's usage reports are disabled and its processes
    # get a mark; forked workers have the variables that Ray gives them. Chaos and the demo start `memesnipe up` with a
    # changed environment. The scanner reads that of other processes.
    assert users == {
        "memesnipe/config/settings.py",
        "memesnipe/servers/child.py",
        "actors/connection.py",
        "actors/loopback.py",
        "actors/forked_worker.py",
        "actors/worker_server.py",
        "memesnipe/runtime/ray_process.py",
        "memesnipe/testing/chaos/replay.py",
        "memesnipe/cli/demo_system.py",
        "memesnipe/servers/leftovers.py",
        "memesnipe/testing/secret_scan.py",
    }


def test_files_stay_small() -> None:
    lengths = {
        path: len(path.read_text().splitlines())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "versions" not in path.parts
    }
    assert {str(path): n for path, n in lengths.items() if n > 300} == {}
