"""What is measured of orders on a local chain: times in order, bids, blocks, lanes, and what resending achieves."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from memesnipe.engine.fills import FillModel
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.localnet.faults import FaultRates
from memesnipe.localnet.market import keypair_of
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.runtime.landing_report import landing_report
from memesnipe.signer.startup import SignerFiles
from memesnipe.solana.service_errors import UnreachableError
from memesnipe.solana.submission.services import RpcLane
from memesnipe.solana.transaction import FeePlan
from memesnipe.storage.live_orders import read_live_orders
from memesnipe.storage.schema_submissions import SubmissionRow
from memesnipe.storage.submissions import Submissions, record_of
from memesnipe.testing.live_orders.checks import differences
from memesnipe.testing.live_orders.desk import LiveDesk
from memesnipe.testing.live_orders.lanes import TIP_ACCOUNTS
from memesnipe.testing.live_orders.market import live_market
from memesnipe.testing.live_orders.signer_files import write_signer_files
from tests.solana.submission.signer import running_signer


class BrokenLane:
    """A lane that never accepts."""

    name = "broken"

    async def send(self, transaction: bytes) -> None:
        raise UnreachableError("http://nowhere", "connection refused")


WALLET = keypair_of("wallet of measured orders")
FEES = FeePlan(50_000, 100_000, 10_000, TIP_ACCOUNTS[0])


@contextmanager
def desk_of(
    database: sa.Engine, run_id: int, folder: Path, rates: FaultRates, seed: int, slot_ms: int = 20
) -> Iterator[LiveDesk]:
    """Yield a desk whose transactions are sent through the node and a lane that never accepts."""
    with live_market(WALLET.pubkey(), rates, seed, slot_ms) as market:
        files = SignerFiles(**write_signer_files(folder / "signer", WALLET, 20 * SOL))
        with running_signer(files, market.node.rpc_url) as signer:
            yield LiveDesk(
                market, lambda: Submissions(database, run_id), signer.url, signer.secret,
                lanes=lambda rpc, _: [RpcLane(rpc), BrokenLane()], fees=FEES,
            )  # fmt: skip
            gc.collect()


def measured(database: sa.Engine, run_id: int, desk: LiveDesk, orders: int) -> list[LandingRecord]:
    """Let buys end whose price hardly moves the market's; return what is stored of them."""
    for number in range(1, orders + 1):
        desk.buy(number, 100_000 + number)
    desk.run()
    assert differences(desk, []) == []
    query = sa.select(SubmissionRow.__table__).where(SubmissionRow.run_id == run_id)
    with database.connect() as connection:
        return [record_of(row) for row in connection.execute(query).mappings()]


def test_an_order_has_its_times_its_bid_its_block_and_its_lanes(
    database: sa.Engine, new_run: int, tmp_path: Path
) -> None:
    with desk_of(database, new_run, tmp_path, FaultRates(), 1) as desk:
        records = measured(database, new_run, desk, 4)
        blocks = desk.market.slots()
    for one in records:
        assert 0 < one.accepted_ns <= one.built_ns <= one.signed_ns <= one.sent_ns <= one.seen_ns <= one.outcome_ns
        assert one.outcome == "landed"
        assert one.landed_slot in blocks.values()
        assert 0 <= one.landed_slot - one.built_slot < 1_000
        assert one.tip_lamports == FEES.tip_lamports
        assert 0 < one.priority_fee_lamports <= FEES.max_priority_lamports
        assert one.landed_unix_s > 1_700_000_000
        lanes = one.lanes
        assert {*lanes} == {"rpc", "broken"}
        assert lanes["rpc"].accepted == one.sends
        assert (lanes["broken"].accepted, lanes["broken"].accepted_ns) == (0, 0)
        assert lanes["broken"].failed == one.sends
        assert "connection refused" in lanes["broken"].error
        assert one.sent_ns <= lanes["rpc"].accepted_ns
    paid = {fill.network_fee_lamports for fill in desk.fills[1:]}
    assert {5_000 + one.priority_fee_lamports + one.tip_lamports for one in records} >= paid, "as the chain charged"


def test_an_outcome_is_told_once_after_its_commit(database: sa.Engine, new_run: int, tmp_path: Path) -> None:
    with desk_of(database, new_run, tmp_path, FaultRates(), 1) as desk:
        records = measured(database, new_run, desk, 3)
    assert sorted(one.outcome_ns for one in desk.measured) == sorted(one.outcome_ns for one in records)


def test_resending_turns_lost_sends_into_latency(database: sa.Engine, new_run: int, tmp_path: Path) -> None:
    """With every second send lost, all orders land, after two sends on average."""
    orders, drop = 30, 0.5
    with desk_of(database, new_run, tmp_path, FaultRates(drop=drop), 5, slot_ms=50) as desk:
        records = measured(database, new_run, desk, orders)
    landed = [one for one in records if one.outcome == "landed"]
    assert len(landed) == orders
    mean, deviation = 1 / (1 - drop), drop**0.5 / (1 - drop)
    sends = sum(one.sends for one in landed) / orders
    error = 3 * deviation / orders**0.5
    assert mean - error < sends < mean + error + 2.0, "once or twice more before it is seen"
    again = [one for one in landed if one.sends > 1]
    assert all(one.sent_ns < one.absent_ns <= one.seen_ns for one in again)
    assert all(one.seen_ns - one.sent_ns > 40_000_000 * (one.sends - 2) for one in again), "a send at each poll"


def test_the_landing_report_has_the_planted_errors_of_the_chain(
    database: sa.Engine, new_run: int, tmp_path: Path
) -> None:
    """Three of ten transactions fail on the chain, and every fourth send is lost, which resending makes good."""
    orders, planted = 40, 0.3
    with desk_of(database, new_run, tmp_path, FaultRates(drop=0.25, fail=planted), 3, slot_ms=200) as desk:
        measured(database, new_run, desk, orders)
    with database.connect() as connection:
        found = read_live_orders(connection, new_run)
    report = landing_report(found, FillModel())
    landing = report["landing"]
    assert landing["sent"] == orders
    assert abs(landing["rate"] - (1 - planted)) < 3.3 * (planted * (1 - planted) / orders) ** 0.5
    assert report["outcomes"] == {"failed": orders - landing["landed"], "landed": landing["landed"]}
    (accepted_by,) = report["accepted_by"]
    assert (accepted_by["lanes"], accepted_by["is_exact"], accepted_by["sent"]) == ("rpc", True, orders)
    assert [(lane["lane"], lane["accepted"] > 0) for lane in report["lanes"]] == [("broken", False), ("rpc", True)]
    assert report["latency"]["from_acceptance"] == 0, "the orders were decided when they were accepted"
    assert 0 < report["latency"]["latency_ms"]["p50"] < 60_000
    groups = report["fit"]["bids"]  # a first purchase creates an account, and so bids for more units
    assert sum(group["sent"] for group in groups) == orders
    fitted = sum(group["sent"] * group["fitted"] for group in groups) / orders
    between = sorted([landing["rate"], landing["assumed"]])
    assert between[0] - 0.01 < fitted < between[1] + 0.01, "between what was seen and what is assumed"
    failed = [one for one in found if one.record.outcome == "failed"]
    assert failed
    assert all(one.network_fee_lamports == 5_000 + one.record.priority_fee_lamports for one in failed)
    assert report["prices"]["quote"]["fills"] == landing["landed"]
    assert abs(report["prices"]["quote"]["mean"]) < 5, "the price hardly moves"


def test_what_never_lands_is_expired_and_what_cannot_be_built_is_not_sent(
    database: sa.Engine, new_run: int, tmp_path: Path
) -> None:
    with desk_of(database, new_run, tmp_path, FaultRates(drop=1.0), 1) as desk:
        desk.buy(1, 1_000_000)
        desk.buy(2, 11 * SOL)
        desk.run()
    lost, unbuilt = sorted(desk.measured, key=lambda one: one.outcome)
    assert (lost.outcome, lost.landed_slot, lost.seen_ns) == ("expired", 0, 0)
    assert lost.sends > 10
    assert (unbuilt.outcome, unbuilt.sends, unbuilt.sent_ns) == ("unsent", 0, 0)
    assert "simulation failed" in unbuilt.failure
