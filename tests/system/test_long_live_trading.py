"""A thousand live orders on a local Solana, under faults and kills, agree with the wallet to the lamport."""

import json
import os
import time
from collections.abc import Callable

import pytest

from tests.system.installation import Installation, wait_for
from tests.system.live import verified
from tests.system.live_trading import (
    SETTINGS,
    Promotions,
    chain_log,
    is_chain,
    is_executor,
    is_signer,
    kill,
    live_outcomes,
    start_trading,
    unsigned_reasons,
)

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(3600)]

ORDERS = int(os.environ.get("LONG_TEST_ORDERS", "1000"))
STRATEGIES = 60
KILLED = (is_executor, is_signer, is_chain, is_executor, is_signer, is_chain)  # one after another, at equal distances
FAULTS = ("drop=0.1", "delay=0.05", "fail=0.05", "skip=0.05", "fork=0.01", "closed_socket=0.01", "node_behind=0.01")
DEADLINE_S = 2_400


def test_a_thousand_live_orders_under_faults_and_kills(installations: Callable[..., Installation]) -> None:
    one = installations(**SETTINGS)
    process = start_trading(one, FAULTS)
    promotions = Promotions(one, STRATEGIES)

    def have_ended(count: int) -> bool:
        promotions.go_on()
        return sum(live_outcomes(one).values()) >= count

    began = time.monotonic()
    for number, victim in enumerate(KILLED, 1):
        after = number * ORDERS // (len(KILLED) + 1)
        wait_for(f"{after} live orders", lambda after=after: have_ended(after), DEADLINE_S)  # type: ignore[misc]
        assert kill(one, victim) == 1
    wait_for(f"{ORDERS} live orders", lambda: have_ended(ORDERS), DEADLINE_S)
    reasons = unsigned_reasons(one)
    one.interrupt(process)  # while orders are open: their outcomes are waited for
    assert process.wait(200) == 0, one.stderr
    report = json.loads(one.stdout)
    assert report["wallet"]["differences"] == []
    outcomes = report["accounts"]["live"]["outcomes"]
    seconds = time.monotonic() - began
    print(f"{sum(outcomes.values()):,} live orders in {seconds:.0f} s: {outcomes}")  # noqa: T201 - shown by -rP
    print(f"not signed: {reasons}")  # noqa: T201 - as above
    print(f"the local chain: {chain_log(one).splitlines()[-1]}")  # noqa: T201 - as above
    assert outcomes["landed"] > ORDERS // 2, outcomes
    verified(one)
