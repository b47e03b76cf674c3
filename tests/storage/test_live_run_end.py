"""A run with a wallet ends once every live order has its outcome, and the executor has applied it."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from memesnipe.storage.runs import WALLET, is_complete, open_orders
from memesnipe.storage.schema import FeedCursorRow, MessageRow, OrderRow, RunRow, StreamOffsetRow
from memesnipe.storage.schema_submissions import ReportRow, SubmissionRow


def test_a_live_run_waits_for_every_outcome(database: sa.Engine, new_run: int, insert: Callable[..., None]) -> None:
    def set_row(table: Any, **values: Any) -> None:
        with database.begin() as connection:
            connection.execute(sa.update(table).where(table.run_id == new_run).values(**values))

    def is_over() -> bool:
        with database.connect() as connection:
            return is_complete(connection, new_run, ("executor",))

    insert(FeedCursorRow, seq=10, ended=True)
    insert(StreamOffsetRow, actor="executor", stream="events", number=10, seq=10, consumed=10)
    assert is_over()
    set_row(RunRow, settings={WALLET: "A"})
    assert is_over()
    insert(OrderRow, account="paper", order_id="1")
    assert is_over(), "orders on paper are not waited for"
    insert(OrderRow, account="live", order_id="live-1")
    assert not is_over(), "it is committed, and not submitted"
    insert(SubmissionRow, order_id="live-1", mint="m", intent={}, status="signed")
    assert not is_over(), "it may land"
    set_row(SubmissionRow, status="landed")
    assert not is_over(), "it is not finalized"
    set_row(SubmissionRow, contradiction="a confirmed transaction has disappeared")
    assert is_over(), "it would be waited for forever"
    set_row(SubmissionRow, status="reconciled", contradiction="")
    assert is_over()
    insert(ReportRow, number=1, payload="{}")
    assert not is_over(), "a report is not published"
    with database.begin() as connection:
        connection.execute(sa.delete(ReportRow).where(ReportRow.run_id == new_run))
    insert(MessageRow, stream="execution_reports", number=1, seq=10, payload="{}")
    assert not is_over(), "a report is not applied"
    insert(StreamOffsetRow, actor="executor", stream="execution_reports", number=1, seq=10, consumed=1)
    assert is_over()


def test_open_orders_are_those_of_the_run_and_of_live_money(
    database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    for order_id, status in (("live-1", "signed"), ("live-2", "unknown"), ("live-3", "cancelled")):
        insert(OrderRow, account="live", order_id=order_id)
        insert(SubmissionRow, order_id=order_id, mint="m", intent={}, status=status)
    insert(OrderRow, account="live", order_id="live-4")
    insert(OrderRow, account="paper", order_id="5")
    with database.connect() as connection:
        assert open_orders(connection, new_run) == 3
        assert open_orders(connection, new_run + 1) == 0
