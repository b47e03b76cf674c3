"""A tape through the real pipeline: what is reported, and that no crash changes any of it."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from memesnipe.protocol.streams import EVENT_STREAMS
from memesnipe.servers.process import read_pid
from memesnipe.storage.schema import EquityRow, MessageRow, OrderRow, TradeRow
from tests.system.installation import TAPE_EVENTS, Installation, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

REPLAY = ("up", "--feed", "replay", "--speed", "max", "--until-end", "--json", "--tape")


def books(database: sa.Engine, run_id: int) -> dict[str, list[Any]]:
    """Everything that decides whether two runs are the same."""
    tables = {"orders": OrderRow, "trades": TradeRow, "equity": EquityRow}
    with database.connect() as connection:
        return {
            name: sorted(
                tuple(value for key, value in row.items() if key != "run_id")
                for row in connection.execute(sa.select(table).where(table.run_id == run_id)).mappings()
            )
            for name, table in tables.items()
        }


def report_of(installation: Installation) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(installation.stdout)  # fails if anything else was printed there
    return report


def kill_at(installation: Installation, actor: str, seq: int) -> None:
    """SIGKILL an actor's process once it has come as far as an event."""
    heartbeat = wait_for(
        f"{actor} at event {seq}",
        lambda: (beat := installation.heartbeat(actor)) and beat["seq"] >= seq and beat,
    )
    os.kill(heartbeat["pid"], signal.SIGKILL)


def kill_server_at(installation: Installation, server: str, seq: int) -> None:
    """SIGKILL an embedded server once the executor has come as far as an event."""
    wait_for(f"event {seq}", lambda: installation.heartbeat("executor").get("seq", 0) >= seq)
    files = {"redis": "redis/redis.pid", "postgres": "postgres/data/postmaster.pid"}
    pid = read_pid(installation.folder / ".memesnipe" / files[server])
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_a_replay_ends_by_itself_and_killed_actors_and_servers_change_nothing(
    installations: Callable[..., Installation], tape: Path, database: sa.Engine, database_url: str, redis_url: str
) -> None:
    calm = installations(DATABASE_URL=database_url, REDIS_URL=redis_url.removesuffix("/0") + "/2")
    calm.start(*REPLAY, str(tape)).wait(240)
    report = report_of(calm)

    assert report["events"] == {"published": TAPE_EVENTS, "consumed": TAPE_EVENTS, "rejected": 0}
    assert report["status"] == "finished"
    assert report["fills"] > 0
    assert report["risk_level"] == "normal"
    with database.connect() as connection:
        bred = {
            json.loads(payload)["spec_id"]
            for payload in connection.scalars(
                sa.select(MessageRow.payload).where(
                    MessageRow.run_id == report["run_id"], MessageRow.stream == "strategy_specs"
                )
            )
        }
    expected = books(database, report["run_id"])
    assert {row[1] for row in expected["trades"]} <= bred, "a trade of a strategy that the factory did not breed"
    assert len(expected["trades"]) == report["trades"]
    with redis.Redis.from_url(calm.resolved["redis_url"]) as client:
        lengths = {name: client.xlen(name) for name in EVENT_STREAMS}
    assert sum(lengths.values()) == TAPE_EVENTS
    assert lengths["events:price"] > TAPE_EVENTS // 2

    shaken = installations(DATABASE_URL=database_url, REDIS_URL=redis_url.removesuffix("/0") + "/3")
    process = shaken.start(*REPLAY, str(tape))
    wait_for("the settings", lambda: shaken.resolved)
    for actor, seq in (("executor", 500), ("position", 900), ("strategy_factory", 1300), ("portfolio", 1700)):
        kill_at(shaken, actor, seq)
    kill_at(shaken, "market_data", 2000)
    process.wait(240)

    again = report_of(shaken)
    assert again["events"] == report["events"]
    assert books(database, again["run_id"]) == expected
    log = (shaken.folder / ".memesnipe" / "logs" / "supervisor.jsonl").read_text()
    assert log.count("is being restarted") + log.count("starting another") >= 5

    battered = installations()
    process = battered.start(*REPLAY, str(tape))
    wait_for("the settings", lambda: battered.resolved)
    for server, seq in (("redis", 700), ("postgres", 1500)):
        kill_server_at(battered, server, seq)
    process.wait(240)
    same = {key: value for key, value in report.items() if key not in ("run_id", "seconds")}
    assert {key: value for key, value in report_of(battered).items() if key in same} == same
    log = (battered.folder / ".memesnipe" / "logs" / "up.jsonl").read_text()
    assert log.count("server died and was restarted") == 2
