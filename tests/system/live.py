"""A system on the synthetic market that several tests share, and what they read of it and do to it."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import sqlalchemy as sa

from memesnipe.config.settings import read_resolved
from memesnipe.engine.fills import SETTLED
from memesnipe.market.events import STALE
from memesnipe.servers.process import read_pid
from memesnipe.storage.database import connect
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.schema import OrderRow
from memesnipe.testing.chaos.targets import Targets
from tests.system.installation import Installation, processes_of, wait_for

# Time passes quickly, so that strategies trade soon after a start. Two systems run on one small machine beside other
# tests, so there are about 50 events a second, a decision every two, a generation every fifteen, and few strategies:
# half of the processor time of these tests is that of their systems at work. Positions are so small, and held by so
# few, that no loss keeps the breaker from letting them buy.
SPEED = ("--speed", "8")
LIVE = ("up", *SPEED, "--json")
CALM = {"GENERATION_INTERVAL_SECS": "120", "REBALANCE_INTERVAL_SECS": "15", "SPECS_PER_GENERATION": "12",
        "ARENA_SIZE": "24", "GLOBAL_MAX_POSITION_USD": "20"}  # fmt: skip
# Where nobody listens: what is on this machine is asked without a proxy, by us and by Ray.
PROXIES = {
    name: "http://127.0.0.1:9"
    for proxy in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
    for name in (proxy, proxy.upper())
}
_HEALTH_PAUSE_S = 0.3  # the answer takes four processes of the system some time


class LiveSystem:
    """An installation whose `memesnipe up` is started again where a test has stopped or killed it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "subprocess.Popen[str]":
        """Start it where it does not run, and wait until all is well."""
        if self.process is None or self.process.poll() is not None:
            self.process = self.installation.start(*LIVE)
        wait_until_healthy(self.installation)
        return self.process


def wait_until_healthy(installation: Installation) -> None:
    wait_for("the system to be healthy", lambda: is_healthy(installation), pause_s=_HEALTH_PAUSE_S)


def is_healthy(installation: Installation) -> bool:
    if not installation.resolved:
        return False
    try:
        answer = http_get(f"{installation.url}/api/health")
    except httpx.HTTPError:
        return False
    return answer.is_success and bool(answer.json()["status"] == "healthy")


def get(installation: Installation, path: str) -> Any:
    """Return what the API answers."""
    return http_get(f"{installation.url}/{path}").raise_for_status().json()


def http_get(url: str) -> httpx.Response:
    """GET a URL of this machine. Certificates are not needed there, and to read them takes 50 times the request."""
    return httpx.get(url, timeout=10, verify=False)


def consumed(installation: Installation) -> int:
    return int(get(installation, "api/report")["events"]["consumed"])


def seq_of(installation: Installation, actor: str = "executor") -> int:
    return int(installation.heartbeat(actor).get("seq", 0))


def stands_by(installation: Installation) -> bool:
    """Return whether its executor waits because another has the lease."""
    beat = installation.heartbeat("executor")
    return beat.get("state") == "recovering" and "another executor" in beat["detail"]


def wait_for_events(installation: Installation, count: int) -> None:
    began = seq_of(installation)
    wait_for(f"{count} more events", lambda: seq_of(installation) >= began + count)


def kill_ray_and_await_another(one: Installation) -> None:
    """Kill Ray's control service; wait until `up` and `status` have said so, and until Ray is back."""
    first = {pid for pid, command in processes_of(one.folder).items() if "ray::" in command or "/gcs_server" in command}
    assert Targets(one.folder / ".memesnipe").kill("ray gcs_server")
    wait_for("that to be noticed", lambda: "gcs_server (its control service) has ended" in one.stderr, 30)
    wait_for("`status` to say so", lambda: "Ray died" in one.ask("status", "--json").stdout, 60)
    wait_for("Ray to be back", lambda: "Ray has restarted after" in one.stderr, 400)
    assert not first & set(processes_of(one.folder)), "nothing of the first Ray is left to trade beside the second"


def status_of(installation: Installation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(installation.ask("status", "--json").stdout)
    return found


def verified(installation: Installation) -> dict[str, Any]:
    """Return what `memesnipe verify` says of a run that it finds nothing wrong with."""
    done = installation.ask("verify", "--json")
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["difference_count"] == 0, found["differences"]
    assert (done.returncode, found["clean"]) == (0, True)
    return found


@contextmanager
def database_of(installation: Installation) -> Iterator[sa.Connection]:
    settings = read_resolved(installation.folder / ".memesnipe" / "settings.json")
    assert settings.servers.database_url is not None
    engine = connect(settings.servers.database_url.get_secret_value())
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def actors_of(installation: Installation) -> list[int]:
    """Return the processes of its five actors, which Ray names after their classes."""
    classes = ("MarketData", "Executor", "Position", "Portfolio", "StrategyFactory")
    names = tuple(f"ray::{name}" for name in classes)
    return [pid for pid, command in processes_of(installation.folder).items() if command.startswith(names)]


def orders_of(installation: Installation) -> int:
    """Return the number of orders sent: a halt does not forbid closing the holdings of dead tokens in the books."""
    count = sa.select(sa.func.count()).select_from(OrderRow).where(OrderRow.reason.not_in(SETTLED))
    with database_of(installation) as connection:
        return connection.scalar(count) or 0


@contextmanager
def stopped_postgres(installation: Installation) -> Iterator[None]:
    """PostgreSQL answers nothing inside, although it is there."""
    postmaster = read_pid(installation.folder / ".memesnipe/postgres/data/postmaster.pid")
    assert postmaster is not None
    stopped = {postmaster}
    _signal(postmaster, signal.SIGSTOP)  # first, so that it starts no more of the others
    stopped |= {child.pid for child in psutil.Process(postmaster).children()}
    for pid in stopped:
        _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def controllers_of(installation: Installation) -> set[int]:
    return {pid for pid, command in processes_of(installation.folder).items() if "ray::ServeController" in command}


def bought_on_stale_events(installation: Installation) -> set[int]:
    with database_of(installation) as connection:
        bought = set(connection.scalars(sa.select(OrderRow.decided_seq).where(OrderRow.side == "buy")))
    stale: set[int] = set()
    for events in read_batches(installation.folder / ".memesnipe/runs/1/events.bin", 1, max(bought)):
        stale |= set(events["seq"][events["flags"] & STALE > 0].tolist())
    return bought & stale


def a_simulating_strategy(installation: Installation) -> str:
    """Return a strategy that simulates and has not traded, so that nothing but a command promotes it; "" without."""
    found = get(installation, "api/strategies?limit=500")
    idle = [one["spec_id"] for one in found if one["mode"] == "simulating" and not has_traded(one)]
    return str(idle[0]) if idle else ""


def has_traded(strategy: dict[str, Any]) -> bool:
    """Return whether a strategy, as the API describes it, has completed a round trip."""
    return bool((strategy["result"] or {}).get("trades"))


def promote(installation: Installation, spec_id: str) -> None:
    """Move a strategy one mode up, by hand."""
    token = (installation.folder / ".memesnipe/secrets/api_token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{installation.url}/api/strategies/{spec_id}/promote"
    httpx.post(url, headers=headers, timeout=20, verify=False).raise_for_status()
