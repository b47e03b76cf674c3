"""Of two concurrent processes of one actor, only one has effects."""

import threading
import time
from dataclasses import asdict
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.protocol.messages import ExecutorProgress
from memesnipe.protocol.streams import PROGRESS
from memesnipe.storage import lease as lease_module
from memesnipe.storage.database import ACTOR_OPTIONS, connect
from memesnipe.storage.journal import Journal, StreamOffset
from memesnipe.storage.lease import Lease, LeaseLostError
from memesnipe.storage.runs import Cursor, read_cursor
from memesnipe.storage.schema import FeedCursorRow, MessageRow
from memesnipe.storage.schema_control import LeaseRow as Row


def _journal(database: sa.Engine, run_id: int) -> Journal:
    journal = Journal(database, run_id, "executor", [PROGRESS])
    journal.open()
    return journal


def _commit(journal: Journal, content: int) -> None:
    work = journal.unit_of_work()
    work.send(ExecutorProgress(seq=content))
    journal.commit(work, {"events": StreamOffset(content, content, content)})


def test_a_replaced_process_commits_nothing(database: sa.Engine, new_run: int) -> None:
    first = _journal(database, new_run)
    _commit(first, 1)
    second = _journal(database, new_run)
    with pytest.raises(LeaseLostError):
        _commit(first, 2)
    _commit(second, 3)
    with database.connect() as connection:
        kept = connection.scalars(
            sa.select(MessageRow.seq).where(MessageRow.run_id == new_run).order_by(MessageRow.number)
        )
        assert list(kept) == [1, 3]
    assert second.offsets(["events"])["events"].number == 3


def test_a_replaced_process_waits_until_the_lease_expires(database: sa.Engine, new_run: int) -> None:
    first = _journal(database, new_run)
    second = _journal(database, new_run)
    with pytest.raises(LeaseLostError):
        _commit(first, 1)
    with pytest.raises(LeaseLostError, match="holds the lease"):
        first.open()
    _commit(second, 1)
    with database.begin() as connection:
        long_ago = sa.func.now() - sa.text("interval '1 second'")
        connection.execute(sa.update(Row).where(Row.run_id == new_run).values(expires_at=long_ago))
    first.open()
    _commit(first, 2)
    with pytest.raises(LeaseLostError):
        _commit(second, 3)


def test_no_lease_is_taken_during_a_commit(database: sa.Engine, new_run: int) -> None:
    """Between the check of a lease and the commit another process waits: it cannot read a partial state."""
    lease = Lease(database, new_run, "executor")
    lease.take()
    with database.begin() as connection:
        lease.assert_held(connection)
        with database.connect() as impatient:
            impatient.execute(sa.text("SET lock_timeout = '50ms'"))
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                impatient.execute(sa.update(Row).where(Row.run_id == new_run).values(epoch=9))


def _cursor(journal: Journal, seq: int, **more: Any) -> None:
    cursor = Cursor(position=seq, seq=seq, ts=seq, rejected=0, decision_seq=0, ended=False)
    journal.advance({**asdict(cursor), **more})


@pytest.fixture
def run_of_a_feed(database: sa.Engine, new_run: int) -> int:
    with database.begin() as connection:
        connection.execute(sa.insert(FeedCursorRow).values(run_id=new_run))
    return new_run


def test_a_replaced_process_advances_no_cursor(database: sa.Engine, run_of_a_feed: int) -> None:
    new_run = run_of_a_feed
    first = _journal(database, new_run)
    _cursor(first, 1, token={"signals": 7, "pumpfun": None}, rejected_because={"late": 2})
    second = _journal(database, new_run)
    with pytest.raises(LeaseLostError, match="has taken the lease"):
        _cursor(first, 2)
    with database.connect() as connection:
        kept = read_cursor(connection, new_run)
    assert (kept.seq, kept.token, kept.rejected_because) == (1, {"signals": 7, "pumpfun": None}, {"late": 2})
    _cursor(second, 3)
    with database.connect() as connection:
        kept = read_cursor(connection, new_run)
    assert (kept.seq, kept.token, kept.rejected_because) == (3, None, {})


def test_a_cursor_is_advanced_before_or_after_the_lease_is_taken(database: sa.Engine, run_of_a_feed: int) -> None:
    """While another process takes the lease, the cursor waits, and is then refused: neither sees half of the other."""
    new_run = run_of_a_feed
    first, moved = _journal(database, new_run), threading.Event()
    outcome: list[BaseException] = []

    def advance() -> None:
        moved.wait(10)
        try:
            _cursor(first, 1)
        except LeaseLostError as error:
            outcome.append(error)

    thread = threading.Thread(target=advance)
    thread.start()
    with database.begin() as connection:
        connection.execute(sa.update(Row).where(Row.run_id == new_run).values(epoch=9))
        moved.set()
        waits = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%feed_cur%'"
        )
        deadline_s = time.monotonic() + 10
        with database.connect() as observer:
            while not observer.scalar(waits):
                assert time.monotonic() < deadline_s, "the cursor did not wait for the lease"
                observer.rollback()
    thread.join(10)
    assert [type(error) for error in outcome] == [LeaseLostError]


def test_without_events_the_lease_is_renewed_and_a_replaced_process_waits(
    database: sa.Engine, new_run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _journal(database, new_run)
    second = _journal(database, new_run)
    with pytest.raises(LeaseLostError):
        _commit(first, 1)
    with database.begin() as connection:
        long_ago = sa.func.now() - sa.text("interval '1 second'")
        connection.execute(sa.update(Row).where(Row.run_id == new_run).values(expires_at=long_ago))
    second.renew()  # too early to ask the database again
    with database.connect() as connection:
        assert connection.scalar(sa.select(Row.expires_at < sa.func.now()).where(Row.run_id == new_run))
    monkeypatch.setattr(lease_module, "_RENEW_S", 0.0)
    second.renew()
    with pytest.raises(LeaseLostError, match="holds the lease"):
        first.open()
    with pytest.raises(LeaseLostError, match="has taken the lease"):
        first.renew()


def test_a_process_that_stalls_in_a_commit_loses_the_lease(
    database: sa.Engine, database_url: str, new_run: int
) -> None:
    stuck_engine = connect(database_url, ACTOR_OPTIONS.replace("=30s", "=200ms"))
    stuck = Lease(stuck_engine, new_run, "executor")
    stuck.take()
    with pytest.raises(sa.exc.DBAPIError, match="idle-in-transaction"), stuck_engine.begin() as connection:
        stuck.assert_held(connection)
        Lease(database, new_run, "executor").take()  # waits for the server to end that transaction
        connection.execute(sa.text("SELECT 1"))
    stuck_engine.dispose()
