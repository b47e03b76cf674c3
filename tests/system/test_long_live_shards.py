"""Live trading with two arenas of their own: an arena and the desk are killed, and the wallet agrees to the lamport."""

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.system.installation import Installation, wait_for
from tests.system.live import is_healthy, verified
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

    kill_arena(one, "arena_0")
    began = time.monotonic()
    one.run("flatten", timeout_s=200)
    wait_for("everything to be sold", lambda: live_figures(one)["open_positions"] == 0, 200)
    print(f"sold {time.monotonic() - began:.1f} s after the kill of an arena")  # noqa: T201 - shown by -rP
    settle(one)
    verified(one)
    one.interrupt(process)
    assert process.wait(120) == 0, one.stderr
    report = json.loads(one.stdout)
    assert report["wallet"]["differences"] == []
    live = report["accounts"]["live"]
    assert live["outcomes"]["landed"] == live["fills"] >= 3 * ORDERS
    verified(one)
