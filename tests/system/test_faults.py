"""What must not cost a trade or double one: a second executor, a database that stands still, a halt, a reset."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import sqlalchemy as sa

from memesnipe.config.settings import read_resolved
from memesnipe.market.events import STALE
from memesnipe.protocol.streams import EVENT_STREAMS, MAX_IN_FLIGHT
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.servers.process import read_pid
from memesnipe.storage.database import connect
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.lease import LeaseLostError
from memesnipe.storage.schema import OrderRow, StrategyRow
from memesnipe.storage.schema_control import RefusalRow
from memesnipe.telemetry.metrics import ActorMetrics
from tests.system.installation import Installation, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

CALM = {"GENERATION_INTERVAL_SECS": "120", "REBALANCE_INTERVAL_SECS": "30"}


def verdict(installation: Installation) -> dict[str, Any]:
    done = installation.run("verify", "--json")
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["difference_count"] == 0, found["differences"]
    assert done.returncode == 0
    return found


@contextmanager
def database_of(installation: Installation) -> Iterator[sa.Engine]:
    settings = read_resolved(installation.folder / ".memesnipe" / "settings.json")
    assert settings.servers.database_url is not None
    engine = connect(settings.servers.database_url.get_secret_value())
    yield engine
    engine.dispose()


def progressed(installation: Installation, seq: int) -> bool:
    return bool(installation.heartbeat("executor").get("seq", 0) >= seq)


def test_a_second_executor_takes_over_and_the_first_has_no_more_effects(
    installations: Callable[..., Installation], tape: Path
) -> None:
    one = installations()
    process = one.start("up", "--feed", "replay", "--speed", "max", "--until-end", "--json", "--tape", str(tape))
    wait_for("the first trades", lambda: progressed(one, 2500))
    second = Executor(Context(one.folder / ".memesnipe", 1), ActorMetrics("second"))
    second.open()
    began = second.seq
    wait_for("the second to have done some work", lambda: second.step() or second.seq > began + 300)
    beat = wait_for(
        "the first to stand by", lambda: (b := one.heartbeat("executor")).get("state") == "recovering" and b
    )
    assert "another executor" in beat["detail"]
    assert second.seq > began
    second.close()  # the first comes back once the second's lease has run out
    assert process.wait(240) == 0
    assert verdict(one)["trades"] > 0
    with pytest.raises((LeaseLostError, sa.exc.SQLAlchemyError, redis.RedisError)):
        second.step()


def test_a_database_that_stands_still_is_told_and_events_that_waited_buy_nothing(
    installations: Callable[..., Installation],
) -> None:
    one = installations(**CALM, MAX_DATA_AGE_MS="2000")
    process = one.start("up", "--speed", "60")
    wait_for("the first orders", lambda: progressed(one, 500) and _orders(one))
    with standing_still(one), redis.Redis.from_url(one.resolved["redis_url"]) as client:
        before = sum(client.xlen(stream) for stream in EVENT_STREAMS)
        told = wait_for("an actor to say that it waits", lambda: _stalled(one))
        assert told["parts"]["postgres"] == {"state": "down", "detail": "no answer within 2 s"}
        assert told["status"] == "unhealthy" and "trading waits" in told["detail"]
        assert "the database" in told["error"]  # where the figures would be
        assert sum(client.xlen(stream) for stream in EVENT_STREAMS) - before < MAX_IN_FLIGHT
        seq = one.heartbeat("market_data")["seq"]
    wait_for("the executor to go on", lambda: progressed(one, seq + 100))
    wait_for("all to be well", lambda: _status(one)["status"] == "healthy")
    wait_for("purchases on what had waited to be refused", lambda: _refused_as_late(one) > seq)
    assert not _bought_on_stale_events(one)
    with standing_still(one):
        one.interrupt(process)
        wait_for("the actors to end although it stands still", lambda: not _actors(one))
    assert process.wait(120) == 0
    assert verdict(one)["events"] > seq


def _actors(installation: Installation) -> list[str]:
    """Processes of the five actors, which Ray names after their classes."""
    classes = ("MarketData", "Executor", "Position", "Portfolio", "StrategyFactory")
    return [line for line in installation.leftovers() if line.startswith(tuple(f"ray::{name}" for name in classes))]


@contextmanager
def standing_still(installation: Installation) -> Iterator[None]:
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


def _status(installation: Installation) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(installation.run("status", "--json").stdout)
    return state


def _stalled(installation: Installation) -> dict[str, Any] | None:
    state = _status(installation)
    return state if any(part["state"] == "stalled" for part in state["parts"].values()) else None


def _refused_as_late(installation: Installation) -> int:
    """The last event on which nothing was bought because it came too late."""
    too_late = (RefusalRow.reason == "stale_data", RefusalRow.detail.contains("late"))
    query = sa.select(sa.func.max(RefusalRow.seq)).where(*too_late)
    with database_of(installation) as engine, engine.connect() as connection:
        return connection.scalar(query) or 0


def _bought_on_stale_events(installation: Installation) -> set[int]:
    with database_of(installation) as engine, engine.connect() as connection:
        bought = set(connection.scalars(sa.select(OrderRow.decided_seq).where(OrderRow.side == "buy")))
    log = installation.folder / ".memesnipe/runs/1/events.bin"
    stale: set[int] = set()
    for events in read_batches(log, 1, max(bought)):
        stale |= set(events["seq"][events["flags"] & STALE > 0].tolist())
    return bought & stale


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def test_a_halt_outlives_a_restart_and_a_reset_ends_it(installations: Callable[..., Installation]) -> None:
    one = installations(**CALM)
    process = one.start("up", "--speed", "120")
    wait_for("the first orders", lambda: progressed(one, 300) and _orders(one))
    halt = one.run("halt", "--reason", "a test", "--json")
    assert halt.returncode == 0, halt.stderr
    assert json.loads(halt.stdout)["outcome"].startswith("done after event")
    nobody = one.run("promote", "nobody")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "there is no strategy 'nobody'" in nobody.stderr
    one.interrupt(process)
    assert process.wait(120) == 0
    halted_orders = verdict(one)["orders"]

    process = one.start("up", "--speed", "120")
    wait_for("the second start to go on", lambda: one.heartbeat("executor").get("state") == "running")
    seq = one.heartbeat("executor")["seq"]
    wait_for("more of the market", lambda: progressed(one, seq + 800))
    assert _orders(one) == halted_orders
    shown = json.loads(one.run("risk", "show", "--json").stdout)
    assert shown["halted"] is True
    reset = one.run("risk", "reset", "--json")
    assert reset.returncode == 0, reset.stderr
    wait_for("orders after the reset", lambda: _orders(one) > halted_orders)
    one.interrupt(process)
    assert process.wait(120) == 0
    assert verdict(one)["orders"] > halted_orders


def test_by_hand_a_strategy_goes_to_paper_and_no_further(installations: Callable[..., Installation]) -> None:
    one = installations(**CALM, MIN_SHARPE_FOR_PROMOTION="1000000")
    process = one.start("up", "--speed", "60")
    spec_id = wait_for("a strategy", lambda: progressed(one, 300) and _a_strategy(one))
    promoted = one.run("promote", spec_id, "--reason", "a test", "--json")
    assert promoted.returncode == 0, promoted.stderr
    assert json.loads(promoted.stdout)["outcome"].startswith(f"{spec_id} is paper from event")
    live = one.run("promote", spec_id)
    assert live.returncode == 3
    assert "LIVE_TRADING_ENABLED is false" in live.stderr
    demoted = one.run("demote", spec_id, "--json")
    assert json.loads(demoted.stdout)["outcome"].startswith(f"{spec_id} is simulating from event")
    one.interrupt(process)
    assert process.wait(120) == 0
    verdict(one)


def _a_strategy(installation: Installation) -> str:
    with database_of(installation) as engine, engine.connect() as connection:
        return connection.scalar(sa.select(StrategyRow.spec_id).where(StrategyRow.mode == "simulating").limit(1)) or ""


def _orders(installation: Installation) -> int:
    with database_of(installation) as engine, engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(OrderRow)) or 0
