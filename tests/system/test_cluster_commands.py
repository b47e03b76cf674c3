"""The commands of cluster.yaml start nodes with their resources; not `ray stop`, which ends every Ray of a machine."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray._private import ray_constants

from memesnipe.servers.process import free_port
from tests.pages import ROOT
from tests.system.installation import processes_of, share_compiled
from tests.system.nodes import kill_all
from tests.system.test_autoscaling import FAKE
from tests.test_cluster_yaml import CONFIG, NODE_TYPES, STARTS

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(600)]
ADDED = "--node-ip-address=127.0.0.1 --temp-dir={}"
RESOURCES = (
    "import json, ray, sys; ray.init(sys.argv[1], logging_level='ERROR'); print(json.dumps(ray.cluster_resources()))"
)


@pytest.fixture
def home() -> Iterator[Path]:
    """The home of the user of a node, with the checkout that `ray up` copies there and an environment."""
    folder = Path(tempfile.mkdtemp(prefix="gcp-", dir="/tmp"))
    share_compiled(folder)
    (folder / "memesnipe").symlink_to(ROOT)
    subprocess.run([Path(sys.executable).with_name("ray"), "get-auth-token", "--generate"], check=True,
                   env=os.environ | {"HOME": str(folder)}, capture_output=True)  # fmt: skip
    yield folder
    kill_all(processes_of(folder))
    shutil.rmtree(folder, ignore_errors=True)


def test_the_commands_start_a_head_and_nodes_with_the_resources_of_their_groups(home: Path) -> None:
    port = free_port(6590)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = inherited | {"HOME": str(home), "RAY_FAKE_CLUSTER": "1", "RAY_agent_register_timeout_ms": "180000"}
    provider = FAKE["provider"] | {"gcs_address": f"127.0.0.1:{port}"}
    (home / "ray_bootstrap_config.yaml").write_text(json.dumps(FAKE | {"provider": provider}))

    def run(command: str, attempts: int = 1, **variables: str) -> None:
        before = processes_of(home)
        done = subprocess.run(
            ["bash", "-c", command], cwd=home, env=environment | variables, capture_output=True, text=True, check=False
        )
        if done.returncode and attempts > 1:  # a node ends when its agents have not started within 15 s
            kill_all(processes_of(home).keys() - before.keys())
            run(command, attempts - 1, **variables)
        else:
            assert done.returncode == 0, done.stdout + done.stderr

    def here(command: str) -> str:
        """Return a command with other ports, which may be taken here, and a folder of its own."""
        command = command.replace("6379", str(port)).replace("8085", str(free_port(0)))
        command = command.replace("--head", "--head --include-dashboard=false")  # heads alone have one
        return command.replace("ray start", f"ray start {ADDED.format(home / 't')}").replace(
            ".venv/bin", sys.prefix + "/bin"
        )

    token, install, warm = CONFIG["setup_commands"]
    (home / ".ray" / "auth_token").chmod(0o644)
    run(token)
    assert (home / ".ray" / "auth_token").stat().st_mode & 0o777 == 0o600
    assert install == "cd ~/memesnipe && make install"
    run(warm.replace(".venv/bin", sys.prefix + "/bin"))

    run(here(STARTS[0]), 4)
    groups = ("services", "arenas")
    for group in groups:
        resources = {ray_constants.RESOURCES_ENVIRONMENT_VARIABLE: json.dumps(NODE_TYPES[group]["resources"])}
        run(here(STARTS[1]), 4, RAY_HEAD_IP="127.0.0.1", **resources)
    reach = environment | {"RAY_AUTH_MODE": "token"}
    done = subprocess.run([sys.executable, "-c", RESOURCES, f"127.0.0.1:{port}"], env=reach, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {name: found.get(name) for name in ("service", "arena", "CPU")} == {"service": 100, "arena": 1, "CPU": None}
