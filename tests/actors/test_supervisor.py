"""The supervisor on a Ray of three nodes: it keeps five actors running, and its own death interrupts none of them.

There is no database, so the actors open their roles again and again; their processes are what is tested here. One
supervisor serves all tests; the last one stops it.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
import ray
from ray.cluster_utils import Cluster

from actors.connection import essential_processes, forked_workers
from actors.supervision import Supervision
from actors.supervisor import ACTORS, Checkpoint
from actors.worker_server import WorkerServer
from memesnipe.config.home import Home
from memesnipe.roles.activity import read_activity
from memesnipe.servers.process import is_alive
from tests.system.installation import wait_for

RUN = 3
CLASSES = {
    "market_data": "MarketData",
    "executor": "Executor",
    "position": "Position",
    "portfolio": "Portfolio",
    "strategy_factory": "StrategyFactory",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    (home / "logs").mkdir()
    cluster = Cluster()
    with tempfile.TemporaryDirectory(prefix="workers-", dir="/tmp") as folder:
        server = WorkerServer(Path(folder) / "workers")
        with essential_processes(), forked_workers(server):
            for resources in ({}, {"arena": 1}, {"arena": 1}):
                cluster.add_node(num_cpus=1, resources=resources, include_dashboard=False)
            server.start()
            ray.init(cluster.address, namespace="test-supervisor", log_to_driver=False)
        yield home
        ray.shutdown()
        cluster.shutdown()
        server.stop()


@pytest.fixture(scope="module")
def left(home: Path) -> int:
    """The process of an actor that an earlier start has left."""
    actor = ACTORS["executor"].options(name=f"executor-{RUN}", lifetime="detached").remote(str(home), RUN)
    actor.run.remote()
    pid = wait_for("the actor that was left", lambda: running(home, "executor"), 60)
    checkpoint = Checkpoint(session="earlier", run_id=RUN, actors=(f"executor-{RUN}",))
    Home(home).checkpoint.write_bytes(msgspec.json.encode(checkpoint))
    return pid


@pytest.fixture(scope="module")
def supervision(home: Path, left: int) -> Supervision:
    made = Supervision(home, "first", RUN, {}, detached=False, shared=False, arenas=2)
    wait_for("another executor", lambda: running(home, "executor") not in (0, left), 60)
    wait_for("every actor", lambda: all(running(home, actor) for actor in ACTORS), 120)
    return made


def running(home: Path, actor: str) -> int:
    """The process of an actor whose loop runs; 0 while there is none."""
    pid, _ = read_activity(Home(home).run(RUN).activity(actor))
    return pid if pid and CLASSES[actor] in title(pid) else 0


def nodes_of(names: set[str]) -> list[str]:
    """The node of each actor of these names that lives."""
    actors = ray.state.actors().values()
    return [a["Address"]["NodeID"] for a in actors if a["State"] == "ALIVE" and a["Name"] in names]


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def supervisors() -> list[int]:
    """The processes of supervisors in this test's own Ray: other tests may run beside it."""
    ours = psutil.Process().children(recursive=True)
    return [process.pid for process in ours if "ray::Supervisor" in title(process.pid)]


def kill_and_await(home: Path, actor: str, kill: Callable[[int], None]) -> None:
    before = running(home, actor)
    kill(before)
    wait_for(f"another {actor}", lambda: running(home, actor) not in (0, before), 60)


@pytest.mark.usefixtures("supervision")
def test_actors_of_an_earlier_start_are_ended(left: int) -> None:
    wait_for("the first to end", lambda: not is_alive(left), 20)


@pytest.mark.usefixtures("supervision")
def test_the_actors_are_on_the_node_of_the_supervisor() -> None:
    """The event log is a file on that node."""
    names = {"supervisor", *(f"{role}-{RUN}" for role in ACTORS)}
    wait_for("every actor", lambda: len(nodes_of(names)) == len(names), 60)
    assert len(set(nodes_of(names))) == 1
    assert sum(node["Alive"] for node in ray.nodes()) == 3


@pytest.mark.usefixtures("supervision")
def test_arenas_are_on_the_nodes_for_them() -> None:
    names = {f"arena_{index}-{RUN}" for index in range(2)}
    wait_for("the arenas", lambda: len(nodes_of(names)) == len(names), 60)
    assert set(nodes_of(names)) == {node["NodeID"] for node in ray.nodes() if "arena" in node["Resources"]}


def test_the_five_actors_run_under_their_names_after_any_death(home: Path, supervision: Supervision) -> None:
    assert all(title(running(home, actor)).startswith(f"ray::{CLASSES[actor]}") for actor in ACTORS)

    kill_and_await(home, "executor", lambda pid: os.kill(pid, signal.SIGKILL))
    said = ["The actor executor has ended, and is being replaced ..."]
    wait_for("the console to be told", lambda: supervision.check(0.1) or supervision.notices == said, 60)
    kill_and_await(home, "portfolio", lambda pid: ray.kill(ray.get_actor(f"portfolio-{RUN}")))

    before = {actor: running(home, actor) for actor in ACTORS}
    (first,) = supervisors()
    os.kill(first, signal.SIGKILL)
    wait_for("another supervisor", lambda: supervisors() not in ([], [first]), 60)
    supervision.check(0.1)  # with the response of the one that died: nothing is raised
    log = home / "logs" / "supervisor.jsonl"
    wait_for("it to supervise again", lambda: log.read_text().count('"restarted": true') == 1, 60)
    assert {actor: running(home, actor) for actor in ACTORS} == before, "it has found the running actors"
    kill_and_await(home, "position", lambda pid: os.kill(pid, signal.SIGKILL))


def test_a_stop_ends_the_actors_and_the_supervisor(home: Path, supervision: Supervision) -> None:
    pids = [running(home, actor) for actor in ACTORS]
    supervision.stop()
    wait_for("every actor to end", lambda: not any(is_alive(pid) for pid in pids), 60)
    wait_for("the supervisor to end", lambda: not supervisors(), 20)
