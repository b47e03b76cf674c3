"""`memesnipe up --mode live --localnet`: real transactions through the signer, over kills, to the lamport."""

import json
from collections.abc import Callable

import pytest

from tests.system.installation import Installation, wait_for
from tests.system.key_scan import assert_nothing_found, scan_installation
from tests.system.live import verified
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


def test_live_orders_agree_with_the_wallet_although_the_desk_the_signer_and_the_chain_are_killed(
    installations: Callable[..., Installation],
) -> None:
    one = installations(**SETTINGS)
    process = start_trading(one, FAULTS)
    promotions = Promotions(one, STRATEGIES)
    wait_for("a live strategy", promotions.go_on)

    def has_landed(count: int) -> bool:
        promotions.go_on()
        return live_outcomes(one).get("landed", 0) >= count

    wait_for("a live order", lambda: has_landed(1))
    assert kill(one, is_executor) == 1
    wait_for("orders after the kill of the executor", lambda: has_landed(ORDERS // 2))
    assert kill(one, is_signer) == 1
    wait_for("orders after the kill of the signer", lambda: has_landed(ORDERS))
    assert kill(one, is_chain) == 1
    landed = live_outcomes(one)["landed"]
    wait_for("orders after the kill of the chain", lambda: has_landed(landed + ORDERS))
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
