"""The journal on a real PostgreSQL: effects, messages and positions become true together or not at all."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from memesnipe.bus.streams import READERS
from memesnipe.storage.journal import Journal, StreamOffset
from memesnipe.storage.schema import Message, StrategyRow, Token


@pytest.fixture
def journal(database: sa.Engine, new_run: int) -> Journal:
    made = Journal(database, new_run, "executor", ["fills"])
    made.open()
    return made


def count(database: sa.Engine, run_id: int) -> int:
    with database.connect() as connection:
        query = sa.select(sa.func.count()).select_from(Message).where(Message.run_id == run_id)
        return int(connection.scalar(query) or 0)


def test_what_was_committed_is_there_for_the_next_process(database: sa.Engine, journal: Journal) -> None:
    work = journal.work()
    work.send("fills", 7, {"a": 1.1})
    work.snapshot = (7, b"state")
    sent = journal.commit(work, {"events": StreamOffset(7, 7, 7)})
    assert sent == [("fills", 1, 7, b'{"seq":7,"a":1.1}')]

    later = Journal(database, journal.run_id, "executor", ["fills"])
    later.open()
    assert later.positions(["events", "other"]) == {"events": StreamOffset(7, 7, 7), "other": StreamOffset()}
    assert later.snapshot() == (7, b"state")
    assert list(later.unpublished({"fills": range(0)}, READERS).messages) == sent
    assert list(later.unpublished({"fills": range(1, 2)}, READERS).messages) == []
    more = later.work()
    more.send("fills", 8, {})
    assert later.commit(more, {})[0][1] == 2, "numbers go on where they were"


def test_a_commit_that_fails_leaves_nothing(database: sa.Engine, journal: Journal) -> None:
    work = journal.work()
    work.send("fills", 7, {})
    work.change(sa.text("SELECT 1 / 0"))
    with pytest.raises(DBAPIError):
        journal.commit(work, {"events": StreamOffset(7, 7, 7)})
    assert count(database, journal.run_id) == 0
    assert journal.positions(["events"]) == {"events": StreamOffset()}
    again = journal.work()
    again.send("fills", 7, {})
    assert journal.commit(again, {})[0][1] == 1, "no number is lost"


def test_adding_what_is_there_fails_and_putting_overwrites(database: sa.Engine, journal: Journal) -> None:
    row = {
        "spec_id": "a", "genome": {}, "generation": 0, "mode": "simulating", "since_seq": 1, "allocation_usd": 0.0,
        "result": None,
    }  # fmt: skip
    first = journal.work()
    first.add(Token, [{"token": 0, "mint": "x"}])
    first.put(StrategyRow, [row])
    journal.commit(first, {})
    second = journal.work()
    second.add(Token, [{"token": 0, "mint": "y"}])
    with pytest.raises(IntegrityError, match="tokens"):
        journal.commit(second, {})
    third = journal.work()
    third.put(StrategyRow, [{**row, "mode": "paper"}])
    journal.commit(third, {})
    with database.connect() as connection:
        assert connection.scalar(sa.select(Token.mint).where(Token.run_id == journal.run_id)) == "x"
        assert connection.scalar(sa.select(StrategyRow.mode).where(StrategyRow.run_id == journal.run_id)) == "paper"


def test_a_message_is_never_numbered_twice(database: sa.Engine, journal: Journal) -> None:
    with database.begin() as connection:
        row = {"run_id": journal.run_id, "stream": "fills", "number": 1, "seq": 3, "payload": "{}"}
        connection.execute(sa.insert(Message).values(row))
    work = journal.work()
    work.send("fills", 7, {})
    with pytest.raises(IntegrityError, match="messages"):
        journal.commit(work, {"events": StreamOffset(7, 7, 7)})
    assert journal.positions(["events"]) == {"events": StreamOffset()}


def test_what_every_reader_took_in_is_neither_owed_nor_kept(database: sa.Engine, journal: Journal) -> None:
    work = journal.work()
    for seq in range(1, 11):
        work.send("fills", seq, {})
    journal.commit(work, {})
    readers = {"fills": ("position", "slow")}
    assert journal.first_unread("fills", readers["fills"]) == 1, "nobody has read anything yet"
    for reader, position in (("position", 9), ("slow", 5)):
        other = Journal(database, journal.run_id, reader, [])
        other.open()
        other.commit(other.work(), {"fills": StreamOffset(position, position, position)})
    assert journal.first_unread("fills", readers["fills"]) == 6
    for held, rebuild, unpublished in (
        (range(0), ["fills"], [6, 7, 8, 9, 10]),  # all is lost
        (range(1, 8), [], [8, 9, 10]),
        (range(6, 8), [], [8, 9, 10]),
        (range(7, 11), ["fills"], [6, 7, 8, 9, 10]),  # what is unread begins below it
        (range(1, 4), ["fills"], [6, 7, 8, 9, 10]),  # going on would leave a gap where messages may be forgotten
        (range(1, 12), ["fills"], [6, 7, 8, 9, 10]),  # more than was ever sent
    ):
        lacking = journal.unpublished({"fills": held}, readers)
        assert lacking.rebuild == rebuild
        assert [number for _, number, _, _ in lacking.messages] == unpublished
    unasked = journal.unpublished({"fills": range(1, 4)}, {})
    assert (unasked.rebuild, [number for _, number, _, _ in unasked.messages]) == ([], [4, 5, 6, 7, 8, 9, 10])
    journal.forget("fills", 6)
    assert count(database, journal.run_id) == 5
