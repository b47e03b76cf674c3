"""Live on a local Solana: a halt, a flatten by hand while halted, verdicts before purchases, and no key anywhere."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.installation import Installation, wait_for
from tests.system.key_scan import assert_nothing_found, scan_installation
from tests.system.live import get, is_healthy, verified
from tests.system.live_trading import SETTINGS, Promotions, live_outcomes, write_strategy

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

ORDERS = 3  # that land before the halt
STRATEGIES = 6


def signed(one: Installation) -> list[dict[str, Any]]:
    log = one.folder / ".memesnipe" / "localnet" / "signer" / "audit.jsonl"
    return [entry for line in log.read_text().splitlines() if (entry := json.loads(line)).get("decision") == "signed"]


def held_live(one: Installation) -> list[dict[str, Any]]:
    return [each for each in get(one, "api/positions?limit=1000") if each["open"] and each["account"] == "live"]


def test_a_live_run_is_halted_and_flattened_by_hand(installations: Callable[..., Installation]) -> None:
    one = installations(**SETTINGS)
    write_strategy(one)
    process = one.start("up", "--mode", "live", "--localnet", "--slot-ms", "100", "--rate", "20", "--json")
    wait_for("the system to be healthy", lambda: is_healthy(one))
    promotions = Promotions(one, STRATEGIES)

    def trades() -> bool:
        promotions.go_on()
        return live_outcomes(one).get("landed", 0) >= ORDERS and bool(held_live(one))

    wait_for("live orders and a live position", trades)
    mint = held_live(one)[0]["mint"]
    verdicts = get(one, f"api/tokens/{mint}/safety")
    assert verdicts and verdicts[-1]["safe"], "it was assessed before it was bought"
    assert verdicts[-1]["sources"]["rugcheck"] == "not configured"
    again = json.loads(one.run("safety", mint, "--json").stdout)
    assert (again["mint"], again["stored"]) == (mint, "in run 1")

    halted = one.run("halt", "--json")
    ended_ms = time.time_ns() // 1_000_000
    assert halted.returncode == 0, halted.stderr
    before = len(signed(one))
    wait_for("the halt", lambda: get(one, "api/risk")["halted"])
    done = one.run("flatten", "--yes", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["left"]) == (0, []), answer
    assert held_live(one) == []
    after = signed(one)
    assert all(entry["at_ms"] <= ended_ms for entry in after[:before])
    assert {entry["side"] for entry in after[before:]} <= {"sell"}, "nothing is bought after the halt"

    wallet = one.folder / ".memesnipe" / "localnet" / "wallet.json"
    assert_nothing_found(scan_installation(one, wallet))
    one.interrupt(process)
    assert process.wait(120) == 0, one.stderr
    verified(one)
