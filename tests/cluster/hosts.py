"""Hosts on one machine: network namespaces, each with an address of its own on a bridge."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from memesnipe.servers.process import free_port
from tests.system.installation import processes_of, share_compiled, wait_for

RAY = Path(sys.executable).with_name("ray")
START_S = 240  # for a node of Ray on a busy machine
_SERVERS = """
import asyncio, sys
from pathlib import Path
from urllib.parse import urlsplit
from memesnipe.config.home import Home
from memesnipe.servers.servers import LocalServers

async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

async def relay(address, ports):
    def to(port):
        async def connected(reader, writer):
            there = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))
        return connected
    for port in ports:
        await asyncio.start_server(to(port), address, port)
    print(*(url.replace("127.0.0.1", address) for url in urls), flush=True)
    await asyncio.Event().wait()

with LocalServers(*Home(Path(sys.argv[1])).server_folders) as servers:
    started = servers.start()
    urls = (started.redis_url, started.database_url)
    asyncio.run(relay(sys.argv[2], [urlsplit(url).port for url in urls]))
"""
# Detect a lost node within a few seconds; by default half a minute passes.
QUICK_LOSS = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_grpc_client_keepalive_time_ms": "2000",
    "RAY_grpc_client_keepalive_timeout_ms": "2000",
}


def why_not() -> str:
    """Return why this machine cannot have such hosts; empty if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "there is no `ip` (iproute2) here"
    name = f"ms{os.getpid()}t"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"no network namespace can be made here: {tried.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return ""


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


class Host:
    """One host: programs run in its namespace, with a home folder of their own."""

    def __init__(self, namespace: str, address: str, folder: Path) -> None:
        self.namespace, self.address, self.folder = namespace, address, folder
        folder.mkdir()
        share_compiled(folder)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "MEMESNIPE_"))}
        self.env = inherited | QUICK_LOSS | {"HOME": str(folder), "RAY_AUTH_MODE": "token"}
        self.programs: list[subprocess.Popen[str]] = []

    def start(
        self, *command: str | Path, log: str, errors: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a program; its output is appended to a file of the host's folder, its errors to another if given."""
        with (self.folder / log).open("a") as out, (self.folder / (errors or log)).open("a") as err:
            program = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *map(str, command)],
                cwd=Path(__file__).resolve().parents[2],
                env=self.env | dict(env or {}),
                text=True,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.programs.append(program)
        return program

    def join(self, head: str, *options: str) -> None:
        """Start a node of Ray that joins the cluster at an address, and wait for it."""
        log = f"ray{len(self.programs)}.log"
        self.start(
            *(RAY, "start", "--block", f"--address={head}", f"--node-ip-address={self.address}"),
            *("--disable-usage-stats", f"--temp-dir={self.folder}/t", *options),
            log=log,
        )
        wait_for(f"{self.namespace} to join", lambda: "Ray runtime started" in self.output(log), START_S)

    def lead(self, *options: str) -> str:
        """Start the head of a cluster, and wait for it; return its address."""
        port = free_port(6385)
        self.start(
            *(RAY, "start", "--head", "--block", f"--port={port}", f"--node-ip-address={self.address}"),
            *("--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={self.folder}/t", *options),
            log="ray.log",
        )
        wait_for("the cluster to start", lambda: "Ray runtime started" in self.output("ray.log"), START_S)
        return f"{self.address}:{port}"

    def serve(self, home: Path) -> tuple[str, str]:
        """Start Redis and PostgreSQL for the hosts; return their URLs.

        The embedded servers listen on loopback alone, so a relay listens on the address of the host.
        """
        self.start(sys.executable, "-c", _SERVERS, home, self.address, log="servers.log")
        wait_for("the servers", lambda: "redis://" in self.output("servers.log"), START_S)
        redis_url, database_url = self.output("servers.log").split()[-2:]
        return redis_url, database_url

    def output(self, log: str) -> str:
        """Return what a program has written."""
        return (self.folder / log).read_text()

    def unplug(self) -> None:
        """Take the host off the network."""
        _ip("-n", self.namespace, "link", "set", "eth0", "down")

    def plug(self) -> None:
        """Connect the host again."""
        _ip("-n", self.namespace, "link", "set", "eth0", "up")

    def kill(self) -> None:
        """Kill all programs of the host."""
        for pid in processes_of(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for program in self.programs:
            program.wait(30)
        self.programs = []


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Yield hosts on one bridge; everything that runs on them is killed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="net-", dir="/tmp"))
    folder.chmod(0o755)
    hub, made = f"ms{os.getpid()}", []
    namespaces = [hub]
    try:
        _ip("netns", "add", hub)
        _ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", hub, "link", "set", "bridge", "up")
        for number in range(1, count + 1):
            name, address = f"{hub}h{number}", f"10.77.0.{number}"
            _ip("netns", "add", name)
            namespaces.append(name)
            _ip("-n", hub, "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("-n", hub, "link", "set", f"port{number}", "master", "bridge", "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            made.append(Host(name, address, folder / f"h{number}"))
        yield made
    finally:
        for host in made:
            host.kill()
        for namespace in namespaces:
            _ip("netns", "delete", namespace)
        shutil.rmtree(folder, ignore_errors=True)
