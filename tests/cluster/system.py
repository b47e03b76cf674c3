"""The whole system on hosts: Ray's head, Redis and PostgreSQL on the first, the actors and backtests on the others."""

import json
import subprocess
import sys
from pathlib import Path

from memesnipe.testing.chaos.replay import QUICK, RAY_ENVIRONMENT
from tests.cluster.hosts import Host
from tests.system.installation import TAPE_EVENTS, processes_of, wait_for

COMMAND = Path(sys.executable).with_name("memesnipe")
RESOURCES = f"--resources={json.dumps({'service': 10, 'arena': 1})}"
_EVENT_BYTES = 128  # in the event log


class System:
    """A replay of a tape with two arenas, which are on nodes of their own where possible."""

    def __init__(self, hosts: list[Host], tape: Path) -> None:
        """Start it."""
        self.head, *self.workers = hosts
        self.address = self.head.lead("--num-cpus=0")
        for worker in self.workers:
            self.join(worker)
        self._home = self.head.folder.parent / "home"
        self._home.mkdir()
        redis_url, database_url = self.head.serve(self.head.folder / "servers")
        self._env = QUICK | RAY_ENVIRONMENT | {"MEMESNIPE_HOME": str(self._home), "ARENA_SHARDS": "2"}
        self._env |= {"RAY_ADDRESS": self.address, "REDIS_URL": redis_url, "DATABASE_URL": database_url}
        arguments = ("up", "--feed", "replay", "--tape", str(tape), "--speed", "max", "--until-end", "--json")
        self._up = self.head.start(COMMAND, *arguments, log="up.log", errors="up.errors", env=self._env)

    def join(self, worker: Host) -> None:
        """Let a host join the cluster."""
        worker.join(self.address, "--num-cpus=1", RESOURCES)

    @property
    def published(self) -> int:
        """The number of events published so far."""
        assert self._up.poll() is None, self.head.output("up.errors")
        return sum(path.stat().st_size for path in self._home.glob("runs/*/events.bin")) // _EVENT_BYTES

    def host_of(self, actor: str) -> Host | None:
        """Return the host on which an actor of a class runs, or None."""
        assert self._up.poll() is None, self.head.output("up.errors")
        return next((host for host in self.workers if _runs(host, actor)), None)

    def arenas_on(self, host: Host) -> int:
        """Return the number of arenas that run on a host."""
        assert self._up.poll() is None, self.head.output("up.errors")
        return _runs(host, "Arena")

    def finish(self) -> None:
        """Wait for the end of the run, and verify it."""
        wait_for("the end of the run", lambda: self._up.poll() is not None, 400)
        assert self._up.returncode == 0, self.head.output("up.errors")
        report = json.loads(self.head.output("up.log"))
        assert report["events"] == {"published": TAPE_EVENTS, "consumed": TAPE_EVENTS, "rejected": 0}
        verified = subprocess.run(
            ["ip", "netns", "exec", self.head.namespace, COMMAND, "verify", "--json"],
            env=self.head.env | self._env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert verified.returncode == 0, verified.stdout + verified.stderr


def _runs(host: Host, actor: str) -> int:
    """Return how many actors of a class a host runs; Ray names a process by its class and the call that began last."""
    names = (f"ray::{actor}", f"ray::{actor}.")
    return sum(line == names[0] or line.startswith(names[1]) for line in processes_of(host.folder).values())
