"""The commands in the files for containers and Kubernetes run here as they are written there, but for ports and paths.

tests/system/test_container.py runs the image's installation, entrypoint and health check, and test_containers.py the
command of Redis. What stays untested needs Docker or root: apt-get, groupadd, useradd and the entrypoints of the images
of others.
"""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from dockerfile_parse import DockerfileParser

from memesnipe.servers.process import wait_until
from memesnipe.solana.wallet import load_wallet, make_wallet

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
# For the client of the image, which the wheel with the server lacks: it asks with the password of the variable.
CLIENT = """#!{python}
import os, sys
import redis
assert sys.argv[1:] == ["ping"]
try:
    print("PONG" if redis.Redis(port={port}, password=os.environ["REDISCLI_AUTH"]).ping() else "")
except redis.RedisError as error:
    print(error)
"""


def pods(name: str) -> Any:
    """Return the specification of the pods of a StatefulSet."""
    found = yaml.safe_load_all((ROOT / "k8s" / "base" / f"{name}.yaml").read_text())
    return next(one for one in found if one["kind"] == "StatefulSet")["spec"]["template"]["spec"]


def head() -> Any:
    cluster = yaml.safe_load((ROOT / "k8s" / "base" / "raycluster.yaml").read_text())
    return cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]


def health_check() -> list[str]:
    (found,) = (
        i["value"]
        for i in DockerfileParser(str(ROOT), cache_content=True).structure
        if i["instruction"] == "HEALTHCHECK"
    )
    command: list[str] = json.loads(found.partition("CMD ")[2])
    return command


def test_kubernetes_runs_the_commands_of_compose() -> None:
    (redis_pod,), (postgres_pod,) = pods("redis")["containers"], pods("postgres")["containers"]
    mounted = "/run/secrets/redis/password"

    def plain(script: str) -> str:
        return script.replace("$$", "$").replace("/run/secrets/redis_password", mounted).replace('"', "")

    assert plain(redis_pod["command"][2]) == plain(SERVICES["redis"]["command"][2])
    assert redis_pod["command"][:2] == SERVICES["redis"]["command"][:2]
    assert plain(redis_pod["readinessProbe"]["exec"]["command"][2]) == plain(
        SERVICES["redis"]["healthcheck"]["test"][1]
    )
    assert ["CMD", *postgres_pod["readinessProbe"]["exec"]["command"]] == SERVICES["postgres"]["healthcheck"]["test"]
    assert head()["startupProbe"]["exec"]["command"] == health_check()
    assert head()["readinessProbe"]["exec"]["command"] == health_check()


@pytest.mark.parametrize("source", ["compose", "kubernetes"])
def test_the_check_of_redis_needs_a_server_and_its_password(
    tmp_path: Path, redis_url: str, as_operator: Any, source: str
) -> None:
    user, password, port = re.fullmatch(r"redis://(\w+):(\w+)@[\d.]+:(\d+)/\d+", as_operator(redis_url)).groups()  # type: ignore[union-attr]
    client = CLIENT.replace("password=", f"username={user!r}, password=")
    (tmp_path / "valkey-cli").write_text(client.format(python=sys.executable, port=port))
    (tmp_path / "valkey-cli").chmod(0o755)
    secret = tmp_path / "secret"
    if source == "compose":
        script = (
            SERVICES["redis"]["healthcheck"]["test"][1]
            .replace("$$", "$")
            .replace("/run/secrets/redis_password", str(secret))
        )
    else:
        script = pods("redis")["containers"][0]["readinessProbe"]["exec"]["command"][2]
        script = script.replace("/run/secrets/redis/password", str(secret))
    codes = []
    for text in (password, "wrong"):
        secret.write_text(text)
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        codes.append(subprocess.run(["sh", "-c", script], env=environment, check=False).returncode)
    assert codes == [0, 1]


def test_the_check_of_postgres_needs_a_server(database_url: str) -> None:
    command = SERVICES["postgres"]["healthcheck"]["test"][1:]
    program = next(Path(sys.prefix).rglob("pginstall*/bin/pg_isready"), None) or command[0]
    url = sa.make_url(database_url)
    codes = []
    for port in (url.port, 9):
        at = os.environ | {"PGHOST": str(url.host), "PGPORT": str(port)}
        codes.append(subprocess.run([program, *command[1:]], env=at, capture_output=True, check=False).returncode)
    assert codes == [0, 2]


@pytest.fixture
def page() -> Iterator[tuple[ThreadingHTTPServer, list[int]]]:
    """Give a server of the health, and the list whose last number is the status of its answer."""
    statuses = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[-1] if self.path == "/api/health" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server, statuses
        server.shutdown()


def test_the_health_check_is_passed_by_a_healthy_page_alone(page: tuple[ThreadingHTTPServer, list[int]]) -> None:
    server, statuses = page
    command = [word.replace(":8080", f":{server.server_port}") for word in health_check()]
    assert command != health_check()
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    assert subprocess.run([*command, "--tries=1"], env=environment, check=False).returncode == 0
    statuses.append(503)
    assert subprocess.run([*command, "--tries=1"], env=environment, check=False).returncode != 0


def test_the_liveness_probe_finds_the_command_of_the_head_and_nothing_else() -> None:
    command = [*head()["livenessProbe"]["exec"]["command"], f"--parent={os.getpid()}"]
    script = Path(head()["args"][0]).name
    assert "\nmemesnipe up &" in (ROOT / "scripts" / script).read_text()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    program = "import sys, time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", program, "/app/.venv/bin/memesnipe up"])
    try:
        found = [""]

        def is_found() -> bool:
            found[0] = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
            return bool(found[0])

        assert wait_until(is_found, 10)
        assert found[0] == str(process.pid)
    finally:
        process.kill()
        process.wait()


def test_the_wallet_is_copied_so_that_the_signer_accepts_it(tmp_path: Path) -> None:
    cluster = yaml.safe_load((ROOT / "k8s" / "base" / "raycluster.yaml").read_text())
    signer = next(g for g in cluster["spec"]["workerGroupSpecs"] if g["groupName"] == "signer")["template"]["spec"]
    (container,) = signer["initContainers"]
    for folder in ("wallet-secret", "wallet"):
        (tmp_path / folder).mkdir()
    source = tmp_path / "wallet-secret" / "keypair.json"
    make_wallet(source)
    source.chmod(0o440)  # as Kubernetes mounts a secret
    command = [word.replace("/run/", f"{tmp_path}/") for word in container["command"]]
    subprocess.run(command, check=True)
    copied = tmp_path / "wallet" / "keypair.json"
    assert stat.S_IMODE(copied.stat().st_mode) == 0o400
    assert load_wallet(copied).pubkey() == load_wallet_of(source)
    (variable,) = (v for v in signer["containers"][0]["env"] if v["name"] == "WALLET_KEYPAIR_FILENAME")
    assert variable["value"] == command[-1].replace(f"{tmp_path}/", "/run/")


def load_wallet_of(path: Path) -> Any:
    path.chmod(0o600)
    return load_wallet(path).pubkey()


def test_a_shell_understands_the_commands_of_the_image() -> None:
    for instruction in DockerfileParser(str(ROOT), cache_content=True).structure:
        if instruction["instruction"] == "RUN":
            subprocess.run(["sh", "-n", "-c", instruction["value"]], check=True)
            assert shlex.split(instruction["value"])
