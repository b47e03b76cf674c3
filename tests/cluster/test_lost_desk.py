"""The whole system on three hosts: that of the desk is lost, and the run continues on another and verifies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from memesnipe.testing.chaos.replay import QUICK, RAY_ENVIRONMENT
from tests.cluster.hosts import Host, why_not
from tests.system.installation import TAPE_EVENTS, processes_of, wait_for

REASON = why_not()
pytestmark = [
    pytest.mark.system,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(REASON != "", reason=REASON),
]
RESOURCES = json.dumps({"service": 10, "arena": 1})
COMMAND = Path(sys.executable).with_name("memesnipe")


def _actors(host: Host) -> set[str]:
    """Return the classes of the actors on a host."""
    titles = [line.removeprefix("ray::") for line in processes_of(host.folder).values() if line.startswith("ray::")]
    return {title.partition(".")[0].partition(":")[0] for title in titles}


def test_the_system_comes_back_elsewhere(three_hosts: list[Host], tape: Path) -> None:
    head, *workers = three_hosts
    address = head.lead("--num-cpus=0")
    for worker in workers:
        worker.join(address, "--num-cpus=1", f"--resources={RESOURCES}")
    home = head.folder.parent / "home"
    home.mkdir()
    redis_url, database_url = head.serve(head.folder / "servers")
    env = QUICK | RAY_ENVIRONMENT | {"MEMESNIPE_HOME": str(home), "ARENA_SHARDS": "2"}
    env |= {"RAY_ADDRESS": address, "REDIS_URL": redis_url, "DATABASE_URL": database_url}
    arguments = ("up", "--feed", "replay", "--tape", str(tape), "--speed", "max", "--until-end", "--json")
    up = head.start(COMMAND, *arguments, log="up.log", errors="up.errors", env=env)

    def published() -> int:
        assert up.poll() is None, head.output("up.errors")
        return sum(path.stat().st_size for path in home.glob("runs/*/events.bin")) // 128

    wait_for("the run to begin", lambda: published() > TAPE_EVENTS // 10, 300)
    (lost,) = [host for host in workers if "Executor" in _actors(host)]
    (other,) = [host for host in workers if host is not lost]
    lost.kill()
    wait_for("the desk to come back", lambda: published() and "Executor" in _actors(other), 200)
    wait_for("the end of the run", lambda: up.poll() is not None, 400)
    assert up.returncode == 0, head.output("up.errors")
    report = json.loads(head.output("up.log"))
    assert report["events"] == {"published": TAPE_EVENTS, "consumed": TAPE_EVENTS, "rejected": 0}
    verified = subprocess.run(
        ["ip", "netns", "exec", head.namespace, COMMAND, "verify", "--json"],
        env=head.env | env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr
