"""The client on a local chain with faults, killed at any point: no order lands twice, and no lamport is lost."""

import gc
import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from memesnipe.localnet.faults import FaultRates
from memesnipe.storage.submissions import Submissions
from tests.solana.submission.exchange import TOKENS_PER_LAMPORT, tokens_of
from tests.solana.submission.trading_desk import Desk, MortalStore, buy, running, sale

# anyio leaves a coroutine behind where a connection is cancelled before it has begun, as a kill does.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'connect_tcp.<locals>.try_connect':RuntimeWarning")

FAULTS = FaultRates(
    drop=0.3, delay=0.3, fail=0.15, reorder=0.3, skip=0.1, fork=0.1, closed_socket=0.05, node_behind=0.05,
    rate_limit=0.002,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect such coroutines before another test is blamed for them."""
    yield
    gc.collect()


def run_orders(database: sa.Engine, run_id: int, *, orders: int, seed: int, rates: FaultRates, one_in: int) -> Desk:
    """Return a desk whose orders, buys and then sales, have ended and agree with the chain."""
    draw = random.Random(seed)
    with running(rates, seed) as node:
        desk = Desk(node, lambda: MortalStore(database, run_id, draw, one_in))
        desk.orders = {f"order-{n}": buy(n, 1_000_000 + n) for n in range(1, orders // 2 + 1)}
        desk.run()
        desk.check()
        held = node.call(lambda: tokens_of(node.chain))
        assert held, "no order to buy has landed"
        part = held // orders
        desk.orders |= {f"order-{n}": sale(n, part) for n in range(orders // 2 + 1, orders + 1)}
        desk.run()
        desk.check()
        return desk


def test_orders_land_on_a_chain_without_faults(database: sa.Engine, new_run: int) -> None:
    desk = run_orders(database, new_run, orders=8, seed=1, rates=FaultRates(), one_in=0)
    assert desk.outcomes() == {"landed": 8, "unknown for a while": 0}
    prices = {fill.sol_lamports * TOKENS_PER_LAMPORT - fill.token_raw for fill in desk.fills}
    assert all(0 <= abs(each) < TOKENS_PER_LAMPORT for each in prices), "the rent is no part of the price"


@pytest.mark.parametrize("seed", [1, 2])
def test_faults_and_kills_neither_double_nor_lose_an_order(database: sa.Engine, new_run: int, seed: int) -> None:
    desk = run_orders(database, new_run, orders=24, seed=seed, rates=FAULTS, one_in=40)
    assert desk.kills > 0
    assert {*desk.outcomes()} >= {"landed", "failed"}


def test_an_order_that_never_lands_expires(database: sa.Engine, new_run: int) -> None:
    with running(FaultRates(drop=1.0), 1) as node:
        desk = Desk(node, lambda: Submissions(database, new_run))
        desk.orders = {"order-1": buy(1)}
        desk.run()
        desk.check()
        assert [report.status for report in desk.reports["order-1"]] == [
            "signed", "submitted", "unknown", "expired", "reconciled",
        ]  # fmt: skip


def test_an_order_that_cannot_be_simulated_fails_without_a_signature(database: sa.Engine, new_run: int) -> None:
    with running(FaultRates(), 1) as node:
        desk = Desk(node, lambda: Submissions(database, new_run))
        desk.orders = {"order-1": buy(1, 11 * 10**9)}
        desk.run()
        desk.check()
        (failed, _) = desk.reports["order-1"]
        assert (failed.status, failed.signature, failed.fill) == ("failed", "", None)
        assert "simulation failed" in failed.detail
        assert not desk.signer.signed


def test_an_order_is_cancelled_before_it_is_signed(database: sa.Engine, new_run: int) -> None:
    with running(FaultRates(), 1) as node:
        desk = Desk(node, lambda: Submissions(database, new_run))
        desk.orders = {"order-1": buy(1)}
        desk.run(lambda client: client.cancel("order-1"))
        desk.check()
        assert [report.status for report in desk.reports["order-1"]] == ["cancelled"]
