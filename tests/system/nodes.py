"""A Ray cluster of someone else's on this machine, with several nodes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from memesnipe.servers.process import free_port
from tests.system.certificates import make_certificates
from tests.system.installation import processes_of, share_compiled

RAY = Path(sys.executable).with_name("ray")
_ATTEMPTS = 4


class Nodes:
    """A Ray cluster of several nodes on this machine, with token and TLS; its head runs no backtests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        share_compiled(folder)
        self.reach = {"HOME": str(folder), "RAY_AUTH_MODE": "token", "RAY_health_check_initial_delay_ms": "0"}
        self.reach |= {"RAY_health_check_period_ms": "500", "RAY_health_check_timeout_ms": "10000"}
        self.reach |= make_certificates(folder)
        self._ray("get-auth-token", "--generate")
        self.raylets: list[int] = []  # of the nodes that were added and not killed
        self.address = f"127.0.0.1:{free_port(6390)}"
        port = self.address.partition(":")[2]
        self._ray("start", "--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false",
                  f"--temp-dir={folder}/t")  # fmt: skip

    def add(self) -> int:
        """Another node with one CPU; gives the process of its raylet."""
        before = self._raylets()
        self._ray("start", f"--address={self.address}", "--num-cpus=1")
        (new,) = self._raylets() - before
        self.raylets.append(new)
        return new

    def _ray(self, command: str, *arguments: str) -> None:
        """Run a command of Ray, again after a failure: a node ends when its agents have not started within 15 s."""
        if command == "start":  # nobody reads what the log monitor would send
            arguments += ("--disable-usage-stats", "--include-log-monitor=false")
        for attempt in range(1, _ATTEMPTS + 1):
            before = processes_of(self.folder)
            done = subprocess.run(
                [RAY, command, *arguments], env=os.environ | self.reach, capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return
            kill_all(processes_of(self.folder).keys() - before.keys())
            assert attempt < _ATTEMPTS, done.stdout + done.stderr

    def _raylets(self) -> set[int]:
        return {pid for pid, command in processes_of(self.folder).items() if "/raylet/raylet" in command.split()[0]}

    def kill(self, raylet: int) -> None:
        """A node goes without a word, and its workers with it."""
        self.raylets.remove(raylet)
        children = [child.pid for child in psutil.Process(raylet).children()]
        kill_all([raylet, *children])

    def stop(self) -> None:
        kill_all(processes_of(self.folder))


def kill_all(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
