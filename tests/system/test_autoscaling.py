"""Workers are asked for when a generation needs them, and given back: Ray's autoscaler with its fake provider."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memesnipe.servers.process import free_port
from tests.system.installation import processes_of, share_compiled

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

RAY = Path(sys.executable).with_name("ray")
MAX_WORKERS = 2
FAKE: dict[str, Any] = {
    "cluster_name": "fake",
    "provider": {
        "type": "external",
        "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
        "launch_multiple": True,
        "disable_node_updaters": True,
        "use_node_id_as_ip": True,
        "disable_launch_config_check": True,
    },
    "auth": {"ssh_user": "nobody"},
    "docker": {},
    "file_mounts": {},
    "cluster_synced_files": [],
    "file_mounts_sync_continuously": False,
    "rsync_exclude": [],
    "rsync_filter": [],
    "initialization_commands": [],
    "setup_commands": [],
    "head_setup_commands": [],
    "worker_setup_commands": [],
    "head_start_ray_commands": [],
    "worker_start_ray_commands": [],
    "max_workers": MAX_WORKERS,
    "upscaling_speed": 100,
    "idle_timeout_minutes": 0.05,
    "available_node_types": {
        "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
        "backtests": {"resources": {"CPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": MAX_WORKERS},
    },
    "head_node_type": "ray.head.default",
}

SEARCH = """
import json, sys, time
import numpy as np, ray
from actors.backtest import Backtests, Conditions
from memesnipe.engine.fills import FillModel
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.spans import search_spans, span_of
from memesnipe.testing.labelled_markets import Edge, labelled_market
from memesnipe.sdk.registry import discover

def workers():
    return int(ray.cluster_resources().get("CPU", 0))

ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
seen = [workers()]
events = labelled_market(Edge.NOISE, 1, hours=1.5).events
spans = search_spans(span_of(events))
backtests = Backtests(Conditions(FillModel(), 1000.0), chunk_s=0.05, generation_s=0.01, max_cpus=2)
train, validation = backtests.store((spans.train, spans.validation), [events])
genomes = random_genomes(np.random.default_rng(1), discover(), 150)
while max(seen) < 2:  # a generation may be over before the second node is up; the next one asks again
    found = backtests.evaluate(train, validation, genomes, lambda _: seen.append(workers()))
deadline = time.monotonic() + 120
while workers() and time.monotonic() < deadline:
    time.sleep(0.2)
print(json.dumps({"first": seen[0], "most": max(seen), "after": workers(), "evaluated": len(found)}))
"""


@pytest.fixture
def fake_cluster() -> Iterator[tuple[str, dict[str, str]]]:
    folder = Path(tempfile.mkdtemp(prefix="fake-", dir="/tmp"))
    share_compiled(folder)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    reach = inherited | {"HOME": str(folder), "RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"}
    port = free_port(6490)
    provider = FAKE["provider"] | {"gcs_address": f"127.0.0.1:{port}"}
    (folder / "cluster.json").write_text(json.dumps(FAKE | {"provider": provider}))
    command = [
        RAY,
        "start",
        "--head",
        "--node-ip-address=127.0.0.1",
        f"--port={port}",
        "--num-cpus=0",
        "--include-dashboard=false",
        "--include-log-monitor=false",
    ]
    command += ["--disable-usage-stats", f"--temp-dir={folder}/t", f"--autoscaling-config={folder}/cluster.json"]
    subprocess.run(command, env=reach, capture_output=True, text=True, check=True)
    yield f"127.0.0.1:{port}", reach
    for pid in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def test_nodes_come_when_a_generation_asks_for_them_and_go_when_it_is_over(
    fake_cluster: tuple[str, dict[str, str]],
) -> None:
    address, environment = fake_cluster
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, address], env=environment, capture_output=True, text=True, timeout=240,
        check=False, cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"first": 0, "most": MAX_WORKERS, "after": 0, "evaluated": 150}
