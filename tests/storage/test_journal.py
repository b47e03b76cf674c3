"""The journal on a real PostgreSQL: effects, messages and offsets are committed together or not at all."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from memesnipe.protocol.messages import ExecutorProgress
from memesnipe.protocol.streams import PROGRESS, READERS
from memesnipe.storage.journal import Journal, StreamOffset
from memesnipe.storage.schema import MessageRow, StrategyRow, TokenRow


@pytest.fixture
def journal(database: sa.Engine, new_run: int) -> Journal:
    made = Journal(database, new_run, "executor", [PROGRESS])
    made.open()
    return made


def count(database: sa.Engine, run_id: int) -> int:
    with database.connect() as connection:
        query = sa.select(sa.func.count()).select_from(MessageRow).where(MessageRow.run_id == run_id)
        return int(connection.scalar(query) or 0)


def test_the_next_process_reads_the_committed_state(database: sa.Engine, journal: Journal) -> None:
    work = journal.unit_of_work()
    work.send(ExecutorProgress(seq=7))
    work.snapshot = (7, b"state")
    sent = journal.commit(work, {"events": StreamOffset(7, 7, 7)})
    assert sent == [(PROGRESS, 1, 7, b'{"seq":7,"v":1}')]

    later = Journal(database, journal.run_id, "executor", [PROGRESS])
    later.open()
    assert later.offsets(["events", "other"]) == {"events": StreamOffset(7, 7, 7), "other": StreamOffset()}
    assert later.snapshot() == (7, b"state")
    assert list(later.unpublished({PROGRESS: range(0)}, READERS).messages) == sent
    assert list(later.unpublished({PROGRESS: range(1, 2)}, READERS).messages) == []
    more = later.unit_of_work()
    more.send(ExecutorProgress(seq=8))
    assert later.commit(more, {})[0][1] == 2, "numbers continue"


def test_a_failed_commit_has_no_effect(database: sa.Engine, journal: Journal) -> None:
    work = journal.unit_of_work()
    work.send(ExecutorProgress(seq=7))
    work.change(sa.text("SELECT 1 / 0"))
    with pytest.raises(DBAPIError):
        journal.commit(work, {"events": StreamOffset(7, 7, 7)})
    assert count(database, journal.run_id) == 0
    assert journal.offsets(["events"]) == {"events": StreamOffset()}
    again = journal.unit_of_work()
    again.send(ExecutorProgress(seq=7))
    assert journal.commit(again, {})[0][1] == 1, "no number is lost"


def test_add_fails_on_existing_rows_and_put_overwrites_them(database: sa.Engine, journal: Journal) -> None:
    row = {
        "spec_id": "a", "genome": {}, "generation": 0, "mode": "simulating", "since_seq": 1, "allocation_usd": 0.0,
        "result": None,
    }  # fmt: skip
    first = journal.unit_of_work()
    first.add(TokenRow, [{"token": 0, "mint": "x"}])
    first.put(StrategyRow, [row])
    journal.commit(first, {})
    second = journal.unit_of_work()
    second.add(TokenRow, [{"token": 0, "mint": "y"}])
    with pytest.raises(IntegrityError, match="tokens"):
        journal.commit(second, {})
    third = journal.unit_of_work()
    third.put(StrategyRow, [{**row, "mode": "paper"}])
    journal.commit(third, {})
    with database.connect() as connection:
        assert connection.scalar(sa.select(TokenRow.mint).where(TokenRow.run_id == journal.run_id)) == "x"
        assert connection.scalar(sa.select(StrategyRow.mode).where(StrategyRow.run_id == journal.run_id)) == "paper"


def test_a_message_is_never_numbered_twice(database: sa.Engine, journal: Journal) -> None:
    with database.begin() as connection:
        row = {"run_id": journal.run_id, "stream": PROGRESS, "number": 1, "seq": 3, "payload": "{}"}
        connection.execute(sa.insert(MessageRow).values(row))
    work = journal.unit_of_work()
    work.send(ExecutorProgress(seq=7))
    with pytest.raises(IntegrityError, match="messages"):
        journal.commit(work, {"events": StreamOffset(7, 7, 7)})
    assert journal.offsets(["events"]) == {"events": StreamOffset()}


def test_messages_that_all_readers_consumed_are_not_republished(database: sa.Engine, journal: Journal) -> None:
    work = journal.unit_of_work()
    for seq in range(1, 11):
        work.send(ExecutorProgress(seq=seq))
    journal.commit(work, {})
    readers = {PROGRESS: ("position", "slow")}
    assert journal.first_unread(PROGRESS, readers[PROGRESS]) == 1, "no reader has consumed anything yet"
    for reader, position in (("position", 9), ("slow", 5)):
        other = Journal(database, journal.run_id, reader, [])
        other.open()
        other.commit(other.unit_of_work(), {PROGRESS: StreamOffset(position, position, position)})
    assert journal.first_unread(PROGRESS, readers[PROGRESS]) == 6
    for held, rebuild, unpublished in (
        (range(0), [PROGRESS], [6, 7, 8, 9, 10]),  # all is lost
        (range(1, 8), [], [8, 9, 10]),
        (range(6, 8), [], [8, 9, 10]),
        (range(7, 11), [PROGRESS], [6, 7, 8, 9, 10]),  # what is unread begins below it
        (range(1, 4), [PROGRESS], [6, 7, 8, 9, 10]),  # going on would leave a gap where messages may be forgotten
        (range(1, 12), [PROGRESS], [6, 7, 8, 9, 10]),  # more than was ever sent
    ):
        lacking = journal.unpublished({PROGRESS: held}, readers)
        assert lacking.rebuild == rebuild
        assert [number for _, number, _, _ in lacking.messages] == unpublished
    unasked = journal.unpublished({PROGRESS: range(1, 4)}, {})
    assert (unasked.rebuild, [number for _, number, _, _ in unasked.messages]) == ([], [4, 5, 6, 7, 8, 9, 10])
    journal.delete_before(PROGRESS, 6)
    assert count(database, journal.run_id) == 5
