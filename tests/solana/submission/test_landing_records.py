"""What is measured of orders on a local chain: times in order, bids, blocks, lanes, and what resending achieves."""

import sqlalchemy as sa

from memesnipe.engine.fills import FillModel
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.localnet.faults import FaultRates
from memesnipe.localnet.node import Node
from memesnipe.runtime.landing_report import landing_report
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service_errors import UnreachableError
from memesnipe.solana.submission.ports import Lane
from memesnipe.solana.submission.services import RpcLane
from memesnipe.storage.live_orders import read_live_orders
from memesnipe.storage.schema_submissions import SubmissionRow
from memesnipe.storage.submissions import Submissions, record_of
from tests.solana.submission.trading_desk import FEES, Desk, buy, running


class BrokenLane:
    """A lane that never accepts."""

    name = "broken"

    async def send(self, transaction: bytes) -> None:
        raise UnreachableError("http://nowhere", "connection refused")


def _one_lane(rpc: Rpc) -> list[Lane]:
    return [RpcLane(rpc), BrokenLane()]


def measured(database: sa.Engine, run_id: int, node: Node, orders: int) -> tuple[Desk, list[LandingRecord]]:
    """Return a desk whose orders have ended, and what is stored of them."""
    desk = Desk(node, lambda: Submissions(database, run_id), _one_lane)
    desk.orders = {f"order-{n}": buy(n, 1_000_000 + n) for n in range(1, orders + 1)}
    desk.run()
    desk.check()
    query = sa.select(SubmissionRow.__table__).where(SubmissionRow.run_id == run_id)
    with database.connect() as connection:
        return desk, [record_of(row) for row in connection.execute(query).mappings()]


def test_an_order_has_its_times_its_bid_its_block_and_its_lanes(database: sa.Engine, new_run: int) -> None:
    with running(FaultRates(), 1) as node:
        desk, records = measured(database, new_run, node, 4)
        blocks = {str(one.signature): one.slot for one in node.chain.history.of_address(desk.wallet)}
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


def test_an_outcome_is_told_once_after_its_commit(database: sa.Engine, new_run: int) -> None:
    with running(FaultRates(), 1) as node:
        desk, records = measured(database, new_run, node, 3)
    assert sorted(one.outcome_ns for one in desk.outcomes_seen) == sorted(one.outcome_ns for one in records)


def test_resending_turns_lost_sends_into_latency(database: sa.Engine, new_run: int) -> None:
    """With every second send lost, all orders land, after two sends on average."""
    orders, drop = 30, 0.5
    with running(FaultRates(drop=drop), 5, slot_ms=50) as node:
        _, records = measured(database, new_run, node, orders)
    landed = [one for one in records if one.outcome == "landed"]
    assert len(landed) == orders
    mean, deviation = 1 / (1 - drop), drop**0.5 / (1 - drop)
    sends = sum(one.sends for one in landed) / orders
    error = 3 * deviation / orders**0.5
    assert mean - error < sends < mean + error + 2.0, "once or twice more before it is seen"
    again = [one for one in landed if one.sends > 1]
    assert all(one.sent_ns < one.absent_ns <= one.seen_ns for one in again)
    assert all(one.seen_ns - one.sent_ns > 40_000_000 * (one.sends - 2) for one in again), "a send at each poll"


def test_the_landing_report_has_the_planted_errors_of_the_chain(database: sa.Engine, new_run: int) -> None:
    """Three of ten transactions fail on the chain, and every fourth send is lost, which resending makes good."""
    orders, planted = 40, 0.3
    with running(FaultRates(drop=0.25, fail=planted), 3, slot_ms=200) as node:
        measured(database, new_run, node, orders)
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
    assert report["latency"]["from_acceptance"] == landing["landed"], "the orders have the times of a replay"
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
    assert abs(report["prices"]["quote"]["mean"]) < 5, "the exchange has one price"


def test_what_never_lands_is_expired_and_what_cannot_be_built_is_not_sent(database: sa.Engine, new_run: int) -> None:
    with running(FaultRates(drop=1.0), 1) as node:
        desk = Desk(node, lambda: Submissions(database, new_run), _one_lane)
        desk.orders = {"order-1": buy(1), "order-2": buy(2, 11 * 10**9)}
        desk.run()
    lost, unbuilt = sorted(desk.outcomes_seen, key=lambda one: one.outcome)
    assert (lost.outcome, lost.landed_slot, lost.seen_ns) == ("expired", 0, 0)
    assert lost.sends > 10
    assert (unbuilt.outcome, unbuilt.sends, unbuilt.sent_ns) == ("unsent", 0, 0)
    assert "simulation failed" in unbuilt.failure
