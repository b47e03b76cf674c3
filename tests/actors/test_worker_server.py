"""Workers of a local Ray are forks of a process that has loaded their modules; without it they are ordinary workers."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from actors.connection import connect_ray, disconnect_ray
from memesnipe.servers.process import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")

_MODULES = ("memesnipe.roles.executor", "memesnipe.api.app")


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    connect_ray(None, tmp_path_factory.mktemp("home"), "test-workers", cpus=1)
    yield
    disconnect_ray()


@pytest.fixture
def server() -> psutil.Process:
    children = (child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE)
    (found,) = (child for child in children if "actors.worker_server" in child.cmdline())
    return found


def worker(**options: Any) -> Any:
    """Start another worker, as an actor that tells about its process."""

    class Worker:
        def parent(self) -> int:
            return os.getppid()

        def modules(self) -> set[str]:
            return set(sys.modules)

        def random_id(self) -> str:
            return ray.WorkerID.from_random().hex()

        def environment(self) -> dict[str, str]:
            return dict(os.environ)

        def score(self) -> int:
            return int(Path("/proc/self/oom_score_adj").read_text())

    remote: Any = ray.remote(Worker)
    return remote.options(num_cpus=0, **options).remote()


def test_workers_have_the_modules_and_share_no_generator_of_ids(server: psutil.Process) -> None:
    assert server.num_threads() == 1, "threads do not survive a fork"
    first, second = worker(), worker()
    assert ray.get([first.parent.remote(), second.parent.remote()]) == [server.pid] * 2
    assert set(_MODULES) <= ray.get(first.modules.remote())
    ids = ray.get([one.random_id.remote() for one in (first, second) for _ in range(3)])
    assert len(set(ids)) == len(ids)


def test_a_worker_has_the_environment_and_the_score_that_ray_gives_it() -> None:
    one = worker(runtime_env={"env_vars": {"GIVEN": "to this worker"}})
    found = ray.get(one.environment.remote())
    assert (found["GIVEN"], "RAY_RAYLET_PID" in found) == ("to this worker", True)
    assert ray.get(one.score.remote()) > int(Path("/proc/self/oom_score_adj").read_text())


def test_a_worker_that_dies_leaves_no_zombie(server: psutil.Process) -> None:
    one = worker()
    ray.get(one.parent.remote())
    ray.kill(one)
    assert wait_until(lambda: _is_dead(one), 20)  # a kill takes effect some time after its call
    assert wait_until(lambda: not _zombies(server), 10)


def _is_dead(one: Any) -> bool:
    try:
        ray.get(one.parent.remote())
    except ray.exceptions.RayActorError:
        return True
    return False


def _zombies(server: psutil.Process) -> list[int]:
    children = psutil.process_iter(["ppid", "status"])
    return [
        child.pid
        for child in children
        if child.info["ppid"] == server.pid and child.info["status"] == psutil.STATUS_ZOMBIE
    ]


def test_workers_start_although_the_server_has_died(server: psutil.Process) -> None:
    before = worker()
    ray.get(before.parent.remote())
    server.kill()
    server.wait(10)
    one = worker()
    assert ray.get(one.parent.remote()) not in (server.pid, os.getpid())
    assert not set(_MODULES) & ray.get(one.modules.remote())
    assert ray.get(before.modules.remote()), "its workers go on"
