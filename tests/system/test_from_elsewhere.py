"""A system on a cluster outlives its client, and another node of the cluster sees it and ends it."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.installation import Installation, processes_of, wait_for
from tests.system.nodes import Nodes

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]
PACE = {"GENERATION_INTERVAL_SECS": "3600", "REBALANCE_INTERVAL_SECS": "60"}


@pytest.fixture
def reach(nodes: Nodes) -> dict[str, str]:
    """Return the environment of a client of the cluster, without its address."""
    if not nodes.raylets:
        nodes.add()
    return nodes.reach


@pytest.fixture
def system(
    installations: Callable[..., Installation],
    reach: dict[str, str],
    nodes: Nodes,
    database_url: str,
    empty_redis: Callable[[], str],
) -> Iterator[Installation]:
    """An installation whose servers and Ray are not its own."""
    servers = {"DATABASE_URL": database_url, "REDIS_URL": empty_redis(), "RAY_ADDRESS": nodes.address}
    one = installations(**servers, **reach, **PACE)
    yield one
    one.run("down", "--address", nodes.address)


def seq(one: Installation) -> int:
    return int(one.heartbeat("executor").get("seq", 0))


def test_a_detached_system_outlives_its_client_and_is_ended_from_another_node(
    installations: Callable[..., Installation], system: Installation, reach: dict[str, str], nodes: Nodes
) -> None:
    elsewhere = installations(**reach)
    nothing = elsewhere.run("down", "--address", nodes.address)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert nothing.stderr == f"memesnipe: error: no system of MemeSnipe runs on the Ray cluster at {nodes.address}\n"

    started = system.run("up", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    wait_for("events to be consumed", lambda: seq(system) > 0)
    os.kill(json.loads(started.stdout)["pid"], signal.SIGKILL)
    wait_for("its driver to end", lambda: not system.leftovers(), 60)
    before = seq(system)
    wait_for("the system to go on without its client", lambda: seq(system) > before + 100)
    assert json.loads(system.run("status", "--json").stdout) == {"running": False}

    def state_from_elsewhere() -> dict[str, Any]:
        return dict(json.loads(elsewhere.run("status", "--address", nodes.address, "--json").stdout))

    wait_for("its owner to count as gone", lambda: not state_from_elsewhere()["has_owner"])
    state = state_from_elsewhere()
    run = state["run_id"]
    assert state["running"]
    assert state["home"] == system.env["MEMESNIPE_HOME"]
    assert {part["state"] for part in state["parts"].values()} <= {"running", "quiet", "breeding", "waiting"}, state
    assert set(state["parts"]) == {"market_data", "executor", "position", "portfolio", "strategy_factory"}

    ended = elsewhere.run("down", "--address", nodes.address, "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["home"] == state["home"]
    actors = ("ray::MarketData", "ray::Executor", "ray::Position", "ray::Portfolio", "ray::StrategyFactory")
    running = processes_of(nodes.folder).values()
    assert not [command for command in running if command.startswith((*actors, "ray::Supervisor"))]
    verified = system.run("verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)["clean"]) == (0, True), verified.stdout

    process = system.start("up", "--json")
    wait_for("the run to continue", lambda: f"Run {run} continues" in system.stderr and seq(system) > before)
    wait_for("the start to end", lambda: "stops everything" in system.stderr)
    assert elsewhere.run("down", "--address", nodes.address).returncode == 0
    assert process.wait(120) == 0, system.stderr
    assert json.loads(system.stdout)["run_id"] == run
    assert "it was ended by `memesnipe down --address`" in system.stderr


def test_the_system_on_the_ray_of_this_machine_is_seen_and_ended_from_another_folder(
    installations: Callable[..., Installation],
) -> None:
    one, elsewhere = installations(**PACE), installations()
    process = one.start("up", "--json")
    wait_for("the start", lambda: process.poll() is not None or "stops everything" in one.stderr, 400)
    raylet = next(
        command for command in processes_of(one.ray_folder).values() if "/raylet/raylet" in command.split()[0]
    )
    (address,) = set(re.findall(r"--gcs-address=([\d.:]+)", raylet))
    seen = elsewhere.run("status", "--address", address, "--json")
    assert seen.returncode == 0, seen.stderr
    state = json.loads(seen.stdout)
    assert (state["home"], state["run_id"], state["has_owner"]) == (one.env["MEMESNIPE_HOME"], 1, True)
    assert {"executor", "market_data"} <= set(state["parts"]) and not state["problem"]
    ended = elsewhere.run("down", "--address", address)
    assert (ended.returncode, ended.stderr.splitlines()[-1:]) == (0, ["Stopped."]), ended.stderr
    assert process.wait(120) == 0, one.stderr
    assert json.loads(one.stdout)["run_id"] == 1
    assert "it was ended by `memesnipe down --address`" in one.stderr


def test_a_cluster_that_refuses_us_is_named_in_one_line(
    installations: Callable[..., Installation], reach: dict[str, str], nodes: Nodes, tmp_path: Path
) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0" * 64)
    (tmp_path / ".ray" / "auth_token").chmod(0o600)
    no_tls = {name: value for name, value in reach.items() if "TLS" not in name}
    with socket.socket() as reserved:  # bound and not listening
        reserved.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{reserved.getsockname()[1]}"
        cases = {
            f"no Ray cluster responds at {nobody}": (reach, nobody),
            f"the Ray cluster at {nodes.address} refuses the token": (reach | {"HOME": str(tmp_path)}, nodes.address),
            f"no Ray cluster responds at {nodes.address}": (no_tls, nodes.address),
        }
        for expected, (environment, address) in cases.items():
            for command in ("down", "status"):
                refused = installations(**environment).run(command, "--address", address)
                assert (refused.returncode, refused.stdout) == (1, "")
                assert refused.stderr.startswith(f"memesnipe: error: {expected}"), refused.stderr
                assert refused.stderr.count("\n") == 1
