"""An installation of the system in a folder of its own, driven through the command line as a user would."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import redis

from memesnipe.compiled import CACHE_FOLDER
from memesnipe.config.home import installation_of
from memesnipe.servers.ray_folder import ray_folder
from memesnipe.testing.chaos.replay import QUICK, RAY_ENVIRONMENT
from tests.cli.in_process import Done, memesnipe
from tests.pages import ROOT

COMMAND = Path(sys.executable).with_name("memesnipe")
TAPE_EVENTS, SHORT_TAPE_EVENTS = 8_000, 4_000
POLL_S = 0.05
_MAX_PAUSE_S = 2.0
_PAUSES = 9  # between two looks, in durations of a look: looking takes a tenth of the time
T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T], timeout_s: float = 200, pause_s: float = POLL_S) -> T:
    """Wait until a condition is met; one that takes long is looked at less often, to leave others the processor."""
    began = looked = time.monotonic()
    while not (met := condition()):
        now = time.monotonic()
        assert now < began + timeout_s, f"waited {timeout_s} s for {what}"
        time.sleep(min(max(pause_s, _PAUSES * (now - looked)), _MAX_PAUSE_S))
        looked = time.monotonic()
    return met


def share_compiled(home: Path) -> None:
    """Let programs for which a folder is the user's home load our compiled code instead of compiling it again."""
    cache = home / ".cache"
    cache.mkdir()
    (cache / "memesnipe").symlink_to(CACHE_FOLDER.parent)


def processes_of(folder: Path) -> dict[int, str]:
    """Number and command line of each process that has a folder in its command line or its environment."""
    found = {}
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            belongs = str(folder) in command or any(str(folder) in value for value in process.environ().values())
            if belongs and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = command
        except psutil.Error:
            continue  # it has ended, or belongs to another user
    return found


def documented_ports() -> dict[str, int]:
    """How many ports each program may listen at: the table of SECURITY.md, in its order."""
    section = (ROOT / "SECURITY.md").read_text().partition("## What listens")[2].partition("## TLS")[0]
    return {program: int(count) for program, count in re.findall(r"^\| `([^`]+)` \| (\d+) \|", section, re.M)}


def open_to_others(folder: Path) -> list[str]:
    """What the processes of a folder listen at and should not: more ports than documented, or beyond loopback."""
    found, ports = [], documented_ports()
    for pid, command in processes_of(folder).items():
        try:
            listens = [c.laddr for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        except psutil.NoSuchProcess:
            continue  # it ended while we looked
        allowed = next((count for program, count in ports.items() if program in command), 0)
        beyond = [str(a) for a in listens if a.ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")]
        if beyond or len(listens) > allowed:
            found.append(f"{command[:80]}: {[str(a) for a in listens]}, of which {allowed} on loopback are documented")
    return found


class Installation:
    """One folder in which `memesnipe` is used."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "MEMESNIPE_"))}
        self.env = inherited | QUICK | RAY_ENVIRONMENT | {"MEMESNIPE_HOME": str(folder / ".memesnipe")} | settings
        self.processes: list[subprocess.Popen[str]] = []

    def run(self, *arguments: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def ask(self, *arguments: str) -> Done:
        """Run a command that starts no server in the process of the tests: a start of Python takes longer than most."""
        return memesnipe(self.folder, *arguments, without=os.environ.keys() - self.env.keys(), **self.env)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        with (self.folder / "stdout").open("w") as out, (self.folder / "stderr").open("w") as err:
            process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=self.folder,
                env=self.env,
                text=True,
                start_new_session=True,
                stdout=out,
                stderr=err,
            )
        self.processes.append(process)
        return process

    def interrupt(self, process: subprocess.Popen[str]) -> None:
        """Ctrl-C, as a terminal sends it: to every process in the foreground."""
        os.killpg(process.pid, signal.SIGINT)

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def resolved(self) -> dict[str, Any]:
        path = self.folder / ".memesnipe" / "settings.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    @property
    def ray_folder(self) -> Path:
        """The private folder with the sessions of its Ray."""
        return ray_folder(installation_of(self.folder / ".memesnipe")).parent

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.resolved['dashboard_port']}"

    def heartbeat(self, actor: str) -> dict[str, Any]:
        if not self.resolved:
            return {}
        try:
            with redis.Redis.from_url(self.resolved["redis_url"]) as client:
                said = client.get(f"memesnipe:heartbeat:{actor}")
        except redis.ConnectionError:  # it may be the one that was killed
            return {}
        return json.loads(said) if said else {}

    def leftovers(self) -> list[str]:
        """Command lines of processes that belong to this installation."""
        return list(processes_of(self.folder).values())
