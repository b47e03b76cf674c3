"""The scripts of production are valid, and pass their options to the commands that they wrap."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "scripts").glob("*.sh"))
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
PRINTS = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = subprocess.run([SHELLCHECK, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert os.access(script, os.X_OK)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose commands write how they were called."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    shutil.copy(ROOT / "cluster.yaml", tmp_path / "cluster.yaml")
    for name in (".venv/bin/memesnipe", ".venv/bin/ray", "bin/make"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PRINTS)
        path.chmod(0o755)
    return tmp_path


def run(checkout: Path, script: str, *arguments: str) -> tuple[int, list[str], str]:
    calls = checkout / "calls"
    paths = {"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "CALLS": str(calls), "HOME": str(checkout)}
    command = [checkout / "scripts" / script, *arguments]
    done = subprocess.run(command, cwd="/", env=os.environ | paths, capture_output=True, text=True, check=False)
    return done.returncode, calls.read_text().splitlines() if calls.exists() else [], done.stderr


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ("production_readiness_check.sh", ["memesnipe doctor --production --json"]),
        ("production_health_monitor.sh", ["memesnipe monitor --json"]),
        (
            "production_build_and_run.sh",
            ["make .venv/installed", "memesnipe doctor --production", "make up UP=--detach --json"],
        ),
    ],
)
def test_a_script_calls_its_command(checkout: Path, script: str, calls: list[str]) -> None:
    assert run(checkout, script, "--json") == (0, calls, "")


def test_the_deployment_asks_for_the_project_and_a_private_token(checkout: Path) -> None:
    code, calls, error = run(checkout, "deploy_vm_gcp.sh", "--yes")
    assert (code, calls) == (2, []) and "write your project's name into cluster.yaml" in error
    cluster = checkout / "cluster.yaml"
    cluster.write_text(cluster.read_text().replace("your-project", "mine"))
    code, calls, error = run(checkout, "deploy_vm_gcp.sh", "--yes")
    assert (code, calls) == (2, []) and "ray get-auth-token --generate" in error
    token = checkout / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("secret")
    token.chmod(0o644)
    code, calls, error = run(checkout, "deploy_vm_gcp.sh", "--yes")
    assert (code, calls) == (2, []) and f"chmod 600 {token}" in error
    token.chmod(0o600)
    assert run(checkout, "deploy_vm_gcp.sh", "--yes") == (0, ["ray up cluster.yaml --yes"], "")
