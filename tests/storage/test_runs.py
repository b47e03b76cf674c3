"""A run is resumed only where the result is the same experiment."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from memesnipe.errors import InputError
from memesnipe.storage import views
from memesnipe.storage.database import migrate
from memesnipe.storage.runs import begin_run, finish_run, is_complete, read_cursor, run_options
from memesnipe.storage.schema import FeedCursorRow, MessageRow, StreamOffsetRow


def test_an_unfinished_run_of_the_same_feed_and_settings_is_resumed(database: sa.Engine) -> None:
    first = begin_run(database, "replay:a", {"speed": 1.0}, {"seed": 1, "landing_ratio": 0.9})
    again = begin_run(database, "replay:a", {"speed": 2.0}, {"seed": 1, "landing_ratio": 0.9})
    assert (again.run_id, again.resumed) == (first.run_id, True)
    assert run_options(database, first.run_id) == {"speed": 2.0}
    other_settings = begin_run(database, "replay:a", {}, {"seed": 2, "landing_ratio": 0.9})
    other_feed = begin_run(database, "replay:b", {}, {"seed": 1, "landing_ratio": 0.9})
    assert len({first.run_id, other_settings.run_id, other_feed.run_id}) == 3
    finish_run(database, first.run_id)
    assert not begin_run(database, "replay:a", {}, {"seed": 1, "landing_ratio": 0.9}).resumed


def test_a_run_is_complete_once_the_last_decision_is_applied(database: sa.Engine) -> None:
    run_id = begin_run(database, "replay:complete", {}, {}).run_id

    def complete(**cursor: int | bool) -> bool:
        with database.begin() as connection:
            connection.execute(sa.update(FeedCursorRow).where(FeedCursorRow.run_id == run_id).values(**cursor))
            return is_complete(connection, run_id, ("executor",))

    def reached(stream: str, seq: int) -> None:
        with database.begin() as connection:
            row = {"run_id": run_id, "actor": "executor", "stream": stream, "number": 1, "seq": seq, "consumed": 1}
            connection.execute(sa.insert(StreamOffsetRow).values(row))

    assert not complete(seq=10, decision_seq=10, ended=False)
    assert not complete(ended=True)
    reached("events", 10)
    assert not complete(ended=True)
    reached("allocations_channel", 10)
    assert complete(ended=True)
    assert not complete(ended=False)


@pytest.mark.parametrize(("seq", "is_due"), [(9, True), (10, False)])
def test_a_run_is_complete_once_every_control_with_an_effect_is_applied(
    database: sa.Engine, seq: int, is_due: bool
) -> None:
    run_id = begin_run(database, f"replay:controls {seq}", {}, {}).run_id
    with database.begin() as connection:
        cursor = {"seq": 10, "decision_seq": 0, "ended": True}
        connection.execute(sa.update(FeedCursorRow).where(FeedCursorRow.run_id == run_id).values(cursor))
        offset = {"run_id": run_id, "actor": "executor", "number": 10, "seq": 10, "consumed": 10}
        connection.execute(sa.insert(StreamOffsetRow).values({**offset, "stream": "events"}))
        report = {"run_id": run_id, "stream": "execution_reports", "number": 1, "seq": seq, "payload": "{}"}
        connection.execute(sa.insert(MessageRow).values(report))
        assert is_complete(connection, run_id, ("executor",)) is not is_due
        connection.execute(sa.insert(StreamOffsetRow).values({**offset, "stream": "execution_reports", "number": 1}))
        assert is_complete(connection, run_id, ("executor",))


def test_rows_from_before_accounts_belong_to_the_paper_account(at_revision: Callable[[str], sa.Engine]) -> None:
    rows = {
        "orders": "VALUES ({run}, 'a-1', 'a', 0, 'm', 'buy', 'signal', 'landed', 1, 1, 1, 1, 1, 1)",
        "trades": "VALUES ({run}, 'a-1', 'a', 0, 'm', 'buy', 'PAPER', 'signal', '', 1, 1, 1, 1, 1, 1, 1.0)",
        "refusals": "VALUES ({run}, 'a-1', 1, 1, 'a', 0, 'm', 'buy', 'halted', '')",
        "positions": "VALUES ({run}, 'a', 0, 'm', 1, 1, 1, 1, 1, 1)",
        "equity": "VALUES ({run}, 1, 1, 1, 1.0, 1.0, 0.0)",
        "breaker": "VALUES ({run}, 'warning', 0.06, 9, 1)",
    }
    old = at_revision("0007")
    with old.begin() as connection:
        row = "INSERT INTO runs (feed, status, options, settings) VALUES ('a', 'open', '{}', '{}') RETURNING run_id"
        run_id = connection.scalar(sa.text(row))
        for table, values in rows.items():
            connection.execute(sa.text(f"INSERT INTO {table} {values.format(run=run_id)}"))
    migrate(old)
    with old.begin() as connection:
        for table in rows:
            assert connection.scalars(sa.text(f"SELECT account FROM {table}")).all() == ["paper"], table
        live = "INSERT INTO equity (run_id, account, seq, ts, equity_lamports, equity_usd, cash_usd, drawdown) "
        connection.execute(sa.text(f"{live} VALUES ({run_id}, 'live', 1, 1, 1, 1.0, 1.0, 0.0)"))
        assert views.risk(connection, run_id or 0)["level"] == "warning"


@pytest.mark.parametrize("has_numbers", [False, True])
def test_transitions_are_numbered_once_whichever_form_revision_3_had(
    at_revision: Callable[[str], sa.Engine], has_numbers: bool
) -> None:
    old = at_revision("0003")
    with old.begin() as connection:
        row = "INSERT INTO runs (feed, status, options, settings) VALUES ('a', 'open', '{}', '{}') RETURNING run_id"
        run_id = connection.scalar(sa.text(row))
        if has_numbers:  # for a day, revision 3 numbered them itself
            connection.execute(
                sa.text("ALTER TABLE lifecycle ADD number bigint NOT NULL, DROP CONSTRAINT lifecycle_pkey")
            )
            connection.execute(sa.text("ALTER TABLE lifecycle ADD PRIMARY KEY (run_id, number)"))
        for number, (seq, spec_id) in enumerate(((5, "b"), (5, "a"), (9, "a"))):
            columns = {"run_id": run_id, "seq": seq, "spec_id": spec_id, "from_mode": "a", "to_mode": "b", "reason": ""}
            values = columns | ({"number": 10 + number} if has_numbers else {})
            names = ", ".join(values)
            given = ", ".join(f":{name}" for name in values)
            connection.execute(sa.text(f"INSERT INTO lifecycle ({names}) VALUES ({given})"), values)
    migrate(old)
    with old.connect() as connection:
        found = connection.execute(sa.text("SELECT seq, spec_id, number FROM lifecycle ORDER BY number")).all()
        key = sa.inspect(connection).get_pk_constraint("lifecycle")["constrained_columns"]
    assert key == ["run_id", "number"]
    expected = [(5, "b", 10), (5, "a", 11), (9, "a", 12)] if has_numbers else [(5, "a", 1), (5, "b", 2), (9, "a", 3)]
    assert [tuple(row) for row in found] == expected


def test_a_run_from_before_feed_tokens_continues_at_its_position(at_revision: Callable[[str], sa.Engine]) -> None:
    old = at_revision("0006")
    with old.begin() as connection:
        row = "INSERT INTO runs (feed, status, options, settings) VALUES ('a', 'open', '{}', '{}') RETURNING run_id"
        run_id = connection.scalar(sa.text(row))
        cursor = "INSERT INTO feed_cursors VALUES (:run, 512, 500, 7, 12, 0, false)"
        connection.execute(sa.text(cursor), {"run": run_id})
    migrate(old)
    with old.connect() as connection:
        found = read_cursor(connection, run_id)
    assert (found.position, found.seq, found.token) == (512, 500, 512)


@pytest.mark.parametrize("token", [None, 7, "slot:9", {"a": {"delivered": 3}, "b": None}])
def test_a_feed_token_is_read_as_it_was_committed(database: sa.Engine, token: object) -> None:
    run_id = begin_run(database, f"replay:{token}", {}, {}).run_id
    with database.begin() as connection:
        assert read_cursor(connection, run_id).token is None
        connection.execute(sa.update(FeedCursorRow).where(FeedCursorRow.run_id == run_id).values(token=token))
        assert read_cursor(connection, run_id).token == token


def test_migrating_twice_changes_nothing(database: sa.Engine) -> None:
    before = sa.inspect(database).get_table_names()
    migrate(database)
    assert sa.inspect(database).get_table_names() == before


def test_the_tables_of_a_later_version_are_refused(at_revision: Callable[[str], sa.Engine]) -> None:
    later = at_revision("head")
    with later.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match=r"a later version of MemeSnipe has changed the tables.*9999"):
        migrate(later)
