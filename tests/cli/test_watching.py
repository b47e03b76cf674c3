"""The report at the end of `memesnipe up` is of the end, and so is the status of the run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.cli.watching import final_report
from memesnipe.protocol.streams import EVENT_READERS
from memesnipe.storage.schema import FeedCursorRow, OrderRow, StreamOffsetRow
from memesnipe.storage.schema_control import LeaseRow
from memesnipe.storage.views import report, run_status

Insert = Callable[..., None]


@pytest.fixture
def session(database: sa.Engine, new_run: int, insert: Insert) -> Any:
    """A session whose actors have just stopped: their leases go on for some seconds."""
    insert(LeaseRow, actor="executor", epoch=1, expires_at=datetime.now(UTC) + timedelta(seconds=10))
    return SimpleNamespace(database=database, run=SimpleNamespace(run_id=new_run))


def status_now(session: Any) -> str:
    with session.database.connect() as connection:
        status = run_status(connection, session.run.run_id)
        assert report(connection, session.run.run_id)["status"] == status
    return status


def test_a_run_that_was_stopped_is_not_shown_as_running(session: Any, insert: Insert) -> None:
    insert(FeedCursorRow)
    assert status_now(session) == "running"
    insert(OrderRow, order_id="late", side="buy", decided_seq=1)  # after the last report that was shown
    found = final_report(session, {"status": "running", "orders": 0})
    assert (found["status"], found["orders"], found["accounts"]["paper"]["orders"]) == ("stopped", 1, 1)
    assert found["accounts"].keys() == {"paper"}
    assert status_now(session) == "stopped"


def test_a_run_that_is_complete_is_finished(session: Any, insert: Insert) -> None:
    insert(FeedCursorRow, ended=True, seq=3)
    for reader in EVENT_READERS:
        insert(StreamOffsetRow, actor=reader, stream="events", seq=3, consumed=3)
    assert final_report(session, {})["status"] == "finished"
    assert status_now(session) == "finished"


def test_without_the_database_the_last_report_is_shown(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    last = {"status": "running", "orders": 7}
    assert final_report(SimpleNamespace(database=away, run=session.run), last) == {"status": "stopped", "orders": 7}
    assert "the last one from before the end" in capsys.readouterr().err
