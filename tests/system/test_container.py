"""What the image does, in bare folders without Docker: installation, compilation, entrypoint, health check and end."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from memesnipe.config.home import Home, installation_of
from memesnipe.servers.ray_folder import ray_folder
from tests.pages import ROOT
from tests.system.installation import processes_of, share_compiled, wait_for

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]
STRUCTURE = DockerfileParser(str(ROOT), cache_content=True).structure


def values(instruction: str) -> list[str]:
    return [found["value"] for found in STRUCTURE if found["instruction"] == instruction]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Copy what the first stage copies, and install it as that stage does."""
    app = tmp_path / "app"
    app.mkdir()
    for copied in (value.split() for value in values("COPY") if not value.startswith("--from")):
        *sources, target = copied
        for source in sources:
            to = app / target / Path(source).name if target.endswith("/") else app / target
            to.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, to)
    (command,) = (value for value in values("RUN") if "install.sh" in value)
    command = command.replace("/app", str(app)).replace(" python3", f" {sys.executable}")
    subprocess.run(["sh", "-c", command], cwd=app, check=True)
    return app


def test_the_image_starts_is_healthy_and_ends_in_time(app: Path, tmp_path: Path) -> None:
    home, data, copy = tmp_path / "home", tmp_path / "data", tmp_path / "output"
    home.mkdir()
    share_compiled(home)
    variables = dict(pair.split("=", 1) for value in values("ENV") for pair in value.split())
    assert variables.keys() == {
        "PATH",
        "LOG_COPY",
        "MEMESNIPE_HOME",
        "PYTHONDONTWRITEBYTECODE",
        "RAY_USAGE_STATS_ENABLED",
    }
    variables |= {"PATH": f"{app}/.venv/bin:/usr/bin:/bin", "LOG_COPY": str(copy), "MEMESNIPE_HOME": str(data)}
    data.mkdir(mode=0o700)
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o011)  # as root the embedded PostgreSQL runs as another user
    data.chmod(0o711)
    environment = {"HOME": str(home), "LANG": "C.UTF-8"} | variables
    (warm,) = (value for value in values("RUN") if value.startswith("python -m"))
    subprocess.run(["sh", "-c", warm], cwd=home, env=environment, check=True)

    entrypoint = json.loads(values("ENTRYPOINT")[0]) if shutil.which("tini") else []
    command = [*entrypoint, *json.loads(values("CMD")[-1])]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=errors, stderr=errors)
    check = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])

    def is_healthy() -> bool:
        assert process.poll() is None, (tmp_path / "errors").read_text()
        resolved = Home(data).settings
        port = json.loads(resolved.read_text())["dashboard_port"] if resolved.is_file() else 8080
        words = [word.replace(":8080", f":{port}") for word in check]
        return subprocess.run(words, env=environment, capture_output=True, check=False).returncode == 0

    try:
        wait_for("the health check to pass", is_healthy, 300, pause_s=1.0)
        wait_for("the start to end", lambda: "stops everything" in (tmp_path / "errors").read_text(), pause_s=1.0)
        process.send_signal(signal.SIGTERM)
        grace = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["system"]["stop_grace_period"]
        assert process.wait(float(grace.removesuffix("s"))) == 0
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(ray_folder(installation_of(data)).parent, ignore_errors=True)
    assert all(json.loads(line) for line in copy.read_text().splitlines()) and "executor" in copy.read_text()
    assert processes_of(app) == {}, "it has left a process"
