"""The client on a local chain with faults, killed at any point: no order lands twice, and no lamport is lost.

Orders trade on pump.fun's curve, directly or through Jupiter, and the signer's own application signs them over HTTP.
"""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from solders.keypair import Keypair

from memesnipe.localnet.faults import FaultRates
from memesnipe.localnet.market import keypair_of
from memesnipe.signer.startup import SignerFiles
from memesnipe.storage.submissions import Submissions
from memesnipe.testing.live_orders.checks import differences
from memesnipe.testing.live_orders.desk import LiveDesk
from memesnipe.testing.live_orders.market import live_market
from memesnipe.testing.live_orders.signer_files import PER_TRANSACTION_LAMPORTS, write_signer_files
from memesnipe.testing.live_orders.store import MortalStore
from tests.solana.submission.signer import RunningSigner, running_signer

# anyio leaves a coroutine behind where a connection is cancelled before it has begun, as a kill does.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'connect_tcp.<locals>.try_connect':RuntimeWarning")

WALLET: Keypair = keypair_of("wallet of live orders")
FAULTS = FaultRates(
    drop=0.3, delay=0.3, fail=0.15, reorder=0.3, skip=0.1, fork=0.1, closed_socket=0.05, node_behind=0.05,
    rate_limit=0.002,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect such coroutines before another test is blamed for them."""
    yield
    gc.collect()


@contextmanager
def a_desk(
    database: sa.Engine,
    run_id: int,
    folder: Path,
    *,
    rates: FaultRates | None = None,
    seed: int = 1,
    one_in: int = 0,
    lost_one_in: int = 0,
    per_transaction: int = PER_TRANSACTION_LAMPORTS,
    is_cashback_pool: bool = False,
) -> Iterator[tuple[LiveDesk, RunningSigner]]:
    draw = random.Random(seed)

    def store() -> Submissions:
        return MortalStore(database, run_id, draw, one_in)

    with live_market(WALLET.pubkey(), rates or FaultRates(), seed, is_cashback_pool=is_cashback_pool) as market:
        files = SignerFiles(**write_signer_files(folder / "signer", WALLET, per_transaction))
        with running_signer(files, market.node.rpc_url, lost_one_in) as signer:
            yield LiveDesk(market, store, signer.url, signer.secret), signer


def run_orders(desk: LiveDesk, signer: RunningSigner, orders: int) -> None:
    """Let buys and then sales end, and compare them with the chain."""
    for number in range(1, orders // 2 + 1):
        desk.buy(number, 1_000_000 + number)
    desk.run()
    assert differences(desk, signer.audit()) == []
    held = desk.market.held()
    assert held, "no order to buy has landed"
    for number in range(orders // 2 + 1, orders + 1):
        desk.sell(number, held // orders)
    desk.run()
    assert differences(desk, signer.audit()) == []


def test_orders_land_on_a_chain_without_faults(database: sa.Engine, new_run: int, tmp_path: Path) -> None:
    with a_desk(database, new_run, tmp_path) as (desk, signer):
        run_orders(desk, signer, 8)
        assert desk.outcomes() == {"landed": 8, "unknown for a while": 0}
        for fill in desk.fills:
            if fill.order.budget_lamports:
                paid = fill.sol_lamports + fill.pool_fee_lamports
                assert 0 <= fill.order.budget_lamports - paid <= 2, "the rent is no part of the price"
        assert set(desk.lanes.accepted) == {"rpc", "sender", "jito"}


@pytest.mark.parametrize("seed", [1, 2])
def test_faults_and_kills_neither_double_nor_lose_an_order(
    database: sa.Engine, new_run: int, tmp_path: Path, seed: int
) -> None:
    with a_desk(database, new_run, tmp_path, rates=FAULTS, seed=seed, one_in=40, lost_one_in=5) as (desk, signer):
        run_orders(desk, signer, 24)
        assert desk.kills > 0
        assert signer.app.lost > 0
        assert {*desk.outcomes()} >= {"landed", "failed"}


@pytest.mark.parametrize("rates", [FaultRates(), FAULTS], ids=["without faults", "with faults"])
def test_cashback_coins_are_traded_in_their_pool(
    database: sa.Engine, new_run: int, tmp_path: Path, rates: FaultRates
) -> None:
    with a_desk(database, new_run, tmp_path, rates=rates, is_cashback_pool=True) as (desk, signer):
        run_orders(desk, signer, 8)
        assert desk.outcomes()["landed"] == 8 or rates is FAULTS
        mine = [one for one in desk.fills if one.token_raw]
        for fill in mine:  # lp 2, protocol 93 and cashback 30 bps, each rounded up
            assert 0 <= fill.pool_fee_lamports - fill.sol_lamports * 125 / 10_000 < 3
        rents = [fill.network_fee_lamports for fill in mine if fill.network_fee_lamports > 3_800_000]
        assert len(rents) == 1, "the accounts for cashback are created once"


def test_a_lost_answer_of_the_signer_is_asked_for_again_with_a_new_nonce(
    database: sa.Engine, new_run: int, tmp_path: Path
) -> None:
    with a_desk(database, new_run, tmp_path, lost_one_in=2) as (desk, signer):
        run_orders(desk, signer, 6)
        assert desk.outcomes()["landed"] == 6
        assert signer.app.lost > 0
        assert len(set(signer.app.nonces)) == len(signer.app.nonces)


def test_an_order_that_never_lands_expires(database: sa.Engine, new_run: int, tmp_path: Path) -> None:
    with a_desk(database, new_run, tmp_path, rates=FaultRates(drop=1.0)) as (desk, signer):
        desk.buy(1, 1_000_000)
        desk.run()
        assert differences(desk, signer.audit()) == []
        assert [report.status for report in desk.reports["order-1"]] == [
            "signed", "submitted", "unknown", "expired", "reconciled",
        ]  # fmt: skip


def test_an_order_that_cannot_be_simulated_fails_without_a_signature(
    database: sa.Engine, new_run: int, tmp_path: Path
) -> None:
    with a_desk(database, new_run, tmp_path) as (desk, signer):
        desk.buy(1, 11 * 10**9)
        desk.run()
        assert differences(desk, signer.audit()) == []
        (failed, _) = desk.reports["order-1"]
        assert (failed.status, failed.signature, failed.fill) == ("failed", "", None)
        assert "simulation failed" in failed.detail
        assert signer.audit() == []


def test_an_order_that_the_policy_forbids_fails_without_a_signature(
    database: sa.Engine, new_run: int, tmp_path: Path
) -> None:
    with a_desk(database, new_run, tmp_path, per_transaction=3_000_000) as (desk, signer):
        desk.buy(1, 3_000_001)
        desk.run()
        (failed, _) = desk.reports["order-1"]
        assert (failed.status, failed.signature, failed.fill) == ("failed", "", None)
        assert "spend_transaction: " in failed.detail
        assert differences(desk, signer.audit()) == []


def test_an_order_is_cancelled_before_it_is_signed(database: sa.Engine, new_run: int, tmp_path: Path) -> None:
    with a_desk(database, new_run, tmp_path) as (desk, signer):
        desk.buy(1, 1_000_000)
        desk.run(lambda client: client.cancel("order-1"))
        assert differences(desk, signer.audit()) == []
        assert [report.status for report in desk.reports["order-1"]] == ["cancelled"]
