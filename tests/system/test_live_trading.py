"""`memesnipe up --mode live --localnet`: real transactions through the signer, over kills, to the lamport.

One system on a local Solana under faults: kills of the desk, the signer and the chain, verdicts before purchases, a
halt, a flatten by hand while halted, a scan for the keys, and the books at the end.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.installation import Installation, wait_for
from tests.system.key_scan import assert_nothing_found, scan_installation
from tests.system.live import get, verified
from tests.system.live_trading import (
    SETTINGS,
    Promotions,
    is_chain,
    is_executor,
    is_signer,
    kill,
    live_outcomes,
    settle,
    start_trading,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

ORDERS = 6  # that land before the run ends
STRATEGIES = 6
FAULTS = ("drop=0.2", "fail=0.05", "skip=0.05")


def signed(one: Installation) -> list[dict[str, Any]]:
    log = one.folder / ".memesnipe" / "localnet" / "signer" / "audit.jsonl"
    return [entry for line in log.read_text().splitlines() if (entry := json.loads(line)).get("decision") == "signed"]


def held_live(one: Installation) -> list[dict[str, Any]]:
    return [each for each in get(one, "api/positions?limit=1000") if each["open"] and each["account"] == "live"]


def test_live_orders_agree_with_the_wallet_over_kills_a_halt_and_a_flatten(
    installations: Callable[..., Installation],
) -> None:
    one = installations(**SETTINGS)
    process = start_trading(one, FAULTS)
    promotions = Promotions(one, STRATEGIES)

    def has_landed(count: int, *, and_holds: bool = False) -> bool:
        promotions.go_on()
        return live_outcomes(one).get("landed", 0) >= count and (not and_holds or bool(held_live(one)))

    wait_for("a live order", lambda: has_landed(1))
    assert kill(one, is_executor) == 1
    wait_for("orders after the kill of the executor", lambda: has_landed(ORDERS // 2))
    assert kill(one, is_signer) == 1
    wait_for("orders after the kill of the signer", lambda: has_landed(ORDERS))
    assert kill(one, is_chain) == 1
    landed = live_outcomes(one)["landed"]
    wait_for("orders after the kill of the chain", lambda: has_landed(landed + ORDERS))

    _a_held_token_was_assessed(one, has_landed)
    _it_is_halted_and_flattened(one)

    settle(one)
    running = verified(one)
    assert running["wallet"]["source"] == "chain"
    assert_nothing_found(scan_installation(one, one.folder / ".memesnipe" / "localnet" / "wallet.json"))
    one.interrupt(process)
    assert process.wait(120) == 0, one.stderr
    report = json.loads(one.stdout)
    live, paper = report["accounts"]["live"], report["accounts"]["paper"]
    assert report["wallet"]["differences"] == []
    assert live["outcomes"]["landed"] == live["fills"] >= ORDERS
    assert set(live["outcomes"]) <= {"landed", "failed on chain", "expired", "not signed"}
    assert (report["orders"], report["live"]["orders"]) == (paper["orders"], live["orders"]), "never added"
    stored = verified(one)
    assert (stored["wallet"]["source"], stored["wallet"]["lamports"]) == ("record", report["wallet"]["lamports"])
    assert stored["wallet"]["lamports"] == running["wallet"]["lamports"]


def _a_held_token_was_assessed(one: Installation, has_landed: Callable[..., bool]) -> None:
    """Its verdicts, as the API and the command show them, are from before its purchase."""
    wait_for("a live position", lambda: has_landed(1, and_holds=True))
    mint = wait_for("its token", lambda: [each["mint"] for each in held_live(one)])[0]
    verdicts = get(one, f"api/tokens/{mint}/safety")
    assert verdicts and verdicts[-1]["safe"], "it was assessed before it was bought"
    assert verdicts[-1]["sources"]["rugcheck"] == "not configured"
    again = json.loads(one.ask("safety", mint, "--json").stdout)
    assert (again["mint"], again["stored"]) == (mint, "in run 1")


def _it_is_halted_and_flattened(one: Installation) -> None:
    """Nothing is bought after the halt, and a flatten by hand leaves nothing."""
    wait_for("a live position to sell", lambda: held_live(one))
    halted = one.run("halt", "--json")
    ended_ms = time.time_ns() // 1_000_000
    assert halted.returncode == 0, halted.stderr
    before = len(signed(one))
    wait_for("the halt", lambda: get(one, "api/risk")["halted"])
    done = one.ask("flatten", "--yes", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["left"]) == (0, []), answer
    assert held_live(one) == []
    after = signed(one)
    assert all(entry["at_ms"] <= ended_ms for entry in after[:before])
    assert {entry["side"] for entry in after[before:]} <= {"sell"}, "nothing is bought after the halt"
