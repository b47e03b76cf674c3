"""A replay on Redis, PostgreSQL and Ray of someone else's: what is reported at its end."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from memesnipe.protocol.streams import EVENT_STREAMS
from memesnipe.storage.schema import MessageRow, TradeRow
from tests.system.certificates import accepts
from tests.system.installation import SHORT_TAPE_EVENTS, Installation, processes_of
from tests.system.nodes import Nodes

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.fixture
def ray_cluster(nodes: Nodes) -> Iterator[dict[str, str]]:
    """What it takes to reach a Ray cluster with token and TLS that stays when MemeSnipe goes."""
    before = {*nodes.raylets} or {nodes.add()}
    yield nodes.reach | {"RAY_ADDRESS": nodes.address}
    assert before <= processes_of(nodes.folder).keys(), "the cluster must outlive MemeSnipe"


def test_a_replay_on_servers_that_are_there_already(
    installations: Callable[..., Installation],
    short_tape: Path,
    ray_cluster: dict[str, str],
    database: sa.Engine,
    database_url: str,
    empty_redis: Callable[[], str],
) -> None:
    address = ray_cluster["RAY_ADDRESS"]
    assert accepts(address, ray_cluster, with_tls=True, with_key=True)
    assert not accepts(address, ray_cluster, with_tls=True, with_key=False), "a client needs a certificate too"
    assert not accepts(address, ray_cluster, with_tls=False, with_key=False)
    urls = {"DATABASE_URL": database_url, "REDIS_URL": empty_redis()}
    installation = installations(**urls, **ray_cluster)
    done = installation.run(
        "up", "--feed", "replay", "--tape", str(short_tape), "--speed", "max", "--until-end", "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)  # fails if anything else was printed there
    assert report["events"] == {"published": SHORT_TAPE_EVENTS, "consumed": SHORT_TAPE_EVENTS, "rejected": 0}
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
    assert sum(lengths.values()) == SHORT_TAPE_EVENTS
    assert lengths["events:price"] > SHORT_TAPE_EVENTS // 2
    assert not (installation.folder / ".memesnipe" / "redis").exists()
    assert not (installation.folder / ".memesnipe" / "postgres").exists()

    intruder = installations(**urls, **ray_cluster)
    refused = intruder.run("up", "--json")
    assert refused.returncode == 2
    assert "another MemeSnipe folder uses" in refused.stderr and "Starting Ray" not in refused.stderr
