"""A replay on Redis, PostgreSQL and Ray of someone else's: what is reported at its end."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from memesnipe.protocol.streams import EVENT_STREAMS
from memesnipe.servers.process import free_port
from memesnipe.storage.schema import MessageRow, TradeRow
from tests.system.certificates import accepts, make_certificates
from tests.system.installation import TAPE_EVENTS, Installation, processes_of, share_compiled, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

RAY = Path(sys.executable).with_name("ray")


@pytest.fixture
def ray_cluster() -> Iterator[dict[str, str]]:
    """A Ray cluster with token and TLS that stays when MemeSnipe goes, and what it takes to reach it."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    share_compiled(folder)
    reach = {"HOME": str(folder), "RAY_AUTH_MODE": "token"} | make_certificates(folder)
    token = subprocess.run(
        [RAY, "get-auth-token", "--generate"], env=os.environ | reach, capture_output=True, text=True, check=True
    )
    assert token.stdout
    port = free_port(6380)
    command = [RAY, "start", "--head", "--block", f"--port={port}", "--include-dashboard=false", "--num-cpus=2"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--disable-usage-stats", f"--temp-dir={folder}/t"],
            env=os.environ | reach,
            stdout=log,
            stderr=log,
        )
    wait_for("the cluster to start", lambda: "Ray runtime started" in (folder / "log").read_text())
    yield reach | {"RAY_ADDRESS": f"127.0.0.1:{port}"}
    assert process.poll() is None, "the cluster must outlive MemeSnipe"
    for pid in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(30)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_replay_on_servers_that_are_there_already(
    installations: Callable[..., Installation],
    tape: Path,
    ray_cluster: dict[str, str],
    database: sa.Engine,
    database_url: str,
    redis_url: str,
) -> None:
    address = ray_cluster["RAY_ADDRESS"]
    assert accepts(address, ray_cluster, with_tls=True, with_key=True)
    assert not accepts(address, ray_cluster, with_tls=True, with_key=False), "a client needs a certificate too"
    assert not accepts(address, ray_cluster, with_tls=False, with_key=False)
    urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url.removesuffix("/0") + "/4"}
    installation = installations(**urls, **ray_cluster)
    done = installation.run("up", "--feed", "replay", "--tape", str(tape), "--speed", "max", "--until-end", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)  # fails if anything else was printed there
    assert report["events"] == {"published": TAPE_EVENTS, "consumed": TAPE_EVENTS, "rejected": 0}
    assert report["status"] == "finished"
    assert report["fills"] > 0
    assert report["risk_level"] == "normal"
    specs = sa.select(MessageRow.payload).where(
        MessageRow.run_id == report["run_id"], MessageRow.stream == "strategy_specs"
    )
    with database.connect() as connection:
        traded = list(connection.scalars(sa.select(TradeRow.spec_id).where(TradeRow.run_id == report["run_id"])))
        bred = {json.loads(payload)["spec_id"] for payload in connection.scalars(specs)}
    assert len(traded) == report["fills"] + report["failed_orders"] > 0
    assert set(traded) <= bred, "a trade of a strategy that the factory did not breed"
    with redis.Redis.from_url(installation.resolved["redis_url"]) as client:
        lengths = {name: client.xlen(name) for name in EVENT_STREAMS}
    assert sum(lengths.values()) == TAPE_EVENTS
    assert lengths["events:price"] > TAPE_EVENTS // 2
    assert not (installation.folder / ".memesnipe" / "redis").exists()
    assert not (installation.folder / ".memesnipe" / "postgres").exists()

    intruder = installations(**urls, **ray_cluster)
    refused = intruder.run("up", "--json")
    assert refused.returncode == 2
    assert "another MemeSnipe folder uses" in refused.stderr
