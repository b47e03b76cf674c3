"""What the records say of a strategy's live orders: landing and prices, of its own orders in the live account alone."""

import pytest
import sqlalchemy as sa

from memesnipe.engine.orders import Order
from memesnipe.execution.landing_record import LandingRecord, LaneRecord
from memesnipe.execution.submission import Submission
from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.storage.live_orders import live_summary, newest_run_with_orders, read_live_orders
from memesnipe.storage.schema import TradeRow
from memesnipe.storage.submissions import Submissions
from tests.conftest import Insert

OUTCOMES = ("landed", "landed", "slipped", "failed", "expired", "unsent", "cancelled")


def store(database: sa.Engine, run_id: int) -> None:
    submissions = Submissions(database, run_id)
    for number, outcome in enumerate(OUTCOMES, start=1):
        spec_id = "a" if number != 2 else "b"
        submissions.add(f"live-{number}", Order(spec_id, number, 0, BUY_SIDE, "x", 5, 1, 2, 0.1, 9, 0, 5), "mint")
        record = LandingRecord(accepted_ns=10 - number, outcome=outcome, lanes={"rpc": LaneRecord(2, 1, 7, "slow")})
        submissions.save(f"live-{number}", Submission(OrderStatus.RECONCILED), [], record)


def test_orders_are_read_as_they_were_measured_in_the_order_of_their_acceptance(
    database: sa.Engine, new_run: int
) -> None:
    store(database, new_run)
    with database.connect() as connection:
        assert newest_run_with_orders(connection) == new_run
        orders = read_live_orders(connection, new_run)
    assert [order.record.outcome for order in orders] == [*OUTCOMES[::-1]]
    assert [order.was_sent for order in orders] == [False, False, True, True, True, True, True]
    assert [order.landed for order in orders] == [False, False, False, False, True, True, True]
    assert orders[0].record.lanes == {"rpc": LaneRecord(2, 1, 7, "slow")}
    assert (orders[0].spec_id, orders[0].decided_ts, orders[0].network_fee_lamports) == ("a", 5, 0)


def test_the_summary_of_a_strategy_counts_its_own_live_orders(
    database: sa.Engine, new_run: int, insert: Insert
) -> None:
    store(database, new_run)
    for number, (spec_id, account, parity) in enumerate(
        [("a", "live", 100.0), ("a", "live", 300.0), ("a", "live", 10_000.0), ("a", "live", -10_000.0),
         ("a", "live", None), ("a", "paper", 9_000.0), ("b", "live", -50.0)]
    ):  # fmt: skip
        insert(TradeRow, order_id=str(number), spec_id=spec_id, account=account, parity_bps=parity)
    with database.connect() as connection:
        found, nothing = (live_summary(connection, new_run, spec_id) for spec_id in ("a", "nobody"))
    assert found == {
        "sent": 4, "landed": 2, "rate": 0.5,
        "low": pytest.approx(0.15, abs=0.01), "high": pytest.approx(0.85, abs=0.01),
        "compared": 2, "parity_bps": 200.0, "missed": 1, "gained": 1,
    }  # fmt: skip
    assert (nothing["sent"], nothing["rate"], nothing["low"], nothing["high"]) == (0, None, 0.0, 1.0)
    assert (nothing["compared"], nothing["parity_bps"]) == (0, None)
