"""Live trading with two arenas of their own: an arena and the desk are killed, and the wallet agrees to the lamport."""

import json
import os
import signal
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import sqlalchemy as sa

from memesnipe.protocol.order_status import OrderStatus
from memesnipe.storage.schema import OrderRow
from tests.system.installation import Installation, wait_for
from tests.system.live import database_of, is_healthy, verified
from tests.system.live_trading import (
    SETTINGS,
    Promotions,
    is_executor,
    kill,
    live_figures,
    live_outcomes,
    settle,
    write_strategy,
)

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]

ORDERS = 4  # that land before the next kill
STRATEGIES = 6


def kill_arena(installation: Installation, name: str) -> int:
    """Kill an arena; return its process."""
    pid = int(installation.heartbeat(name)["pid"])
    os.kill(pid, signal.SIGKILL)
    return pid


def flatten_sales(installation: Installation, statuses: Collection[OrderStatus]) -> int:
    """Return the number of live orders of a flatten with one of the statuses."""
    with database_of(installation) as connection:
        query = sa.select(sa.func.count()).where(OrderRow.reason == "flatten", OrderRow.status.in_(statuses))
        return connection.scalar(query) or 0


def watch_sales(one: Installation, stopped: dict[str, int], began: float) -> None:
    """See a sale land while processes are stopped, then kill these and wait for others in their place."""
    wait_for("a sale", lambda: flatten_sales(one, list(OrderStatus)), 30)
    print(f"first sale {time.monotonic() - began:.1f} s after the command was started")  # noqa: T201 - shown by -rP
    wait_for("a landed sale", lambda: flatten_sales(one, (OrderStatus.LANDED, OrderStatus.RECONCILED)), 60)
    print(f"landed {time.monotonic() - began:.1f} s after the command was started")  # noqa: T201 - shown by -rP
    for name, pid in stopped.items():
        assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
        os.kill(pid, signal.SIGKILL)
        wait_for(f"another {name}", lambda n=name, p=pid: one.heartbeat(n).get("pid", p) != p)  # type: ignore[misc]


def test_live_orders_agree_with_the_wallet_although_an_arena_and_the_desk_are_killed(
    installations: Callable[..., Installation],
) -> None:
    one = installations(**SETTINGS, ARENA_SHARDS="2")
    write_strategy(one)
    process = one.start("up", "--mode", "live", "--localnet", "--slot-ms", "100", "--rate", "20", "--json")
    wait_for("the system to be healthy", lambda: is_healthy(one))
    promotions = Promotions(one, STRATEGIES)
    wait_for("a live strategy", promotions.go_on)

    def has_landed(count: int) -> bool:
        promotions.go_on()
        return live_outcomes(one).get("landed", 0) >= count

    wait_for("live orders", lambda: has_landed(ORDERS))
    before = kill_arena(one, "arena_1")
    wait_for("another arena in its place", lambda: one.heartbeat("arena_1").get("pid", before) != before)
    landed = live_outcomes(one)["landed"]
    wait_for("live orders after the kill of an arena", lambda: has_landed(landed + ORDERS))
    assert kill(one, is_executor) == 1
    landed = live_outcomes(one)["landed"]
    wait_for("live orders after the kill of the desk", lambda: has_landed(landed + ORDERS))

    wait_for("a live position", lambda: promotions.go_on() and live_figures(one)["open_positions"] > 0)
    stopped = {name: int(one.heartbeat(name)["pid"]) for name in ("arena_0", "market_data")}
    for pid in stopped.values():
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        flattening = pool.submit(one.run, "flatten", "--yes", "--wait", "200", "--json")
        watch_sales(one, stopped, began)
    assert flattening.result().returncode == 0, flattening.result().stdout
    assert json.loads(flattening.result().stdout)["left"] == []
    assert live_figures(one)["open_positions"] == 0
    settle(one)
    verified(one)
    one.interrupt(process)
    assert process.wait(120) == 0, one.stderr
    report = json.loads(one.stdout)
    assert report["wallet"]["differences"] == []
    live = report["accounts"]["live"]
    assert live["outcomes"]["landed"] == live["fills"] >= 3 * ORDERS
    verified(one)
