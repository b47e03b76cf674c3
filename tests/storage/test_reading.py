"""What people may ask the database, as the role that reads and as the one that owns the tables."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.servers.postgres import reader_url
from memesnipe.servers.process import free_port
from memesnipe.storage.reading import Answer, answer

HOLE = "CREATE TABLE hole (i int)"


@pytest.fixture(params=["reader", "owner"])
def url(request: pytest.FixtureRequest, server_home: Path, database_url: str, database: sa.Engine) -> str:
    """The embedded server has a role that only reads; somebody else's server has what its URL says."""
    reader = reader_url(server_home / "postgres", database_url)
    assert reader is not None
    return reader if request.param == "reader" else database_url


def ask(url: str, query: str) -> Answer:
    return answer(url, query, max_rows=3, timeout_s=5)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (f"SELECT 1; COMMIT; {HOLE}", "one statement at a time"),
        (f"SELECT 1; {HOLE}", "one statement at a time"),
        (f"ROLLBACK; {HOLE}", "one statement at a time"),
        (HOLE, "read-only transaction"),
        (f"DO $$ BEGIN EXECUTE '{HOLE}'; END $$", "read-only transaction"),
        (f"WITH gone AS (DELETE FROM runs RETURNING 1) {HOLE}", "syntax error"),
        ("WITH gone AS (DELETE FROM runs RETURNING 1) SELECT * FROM gone", "read-only transaction|permission denied"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "transaction read-write mode must be set before"),
        ("INSERT INTO runs (feed) VALUES ('x') RETURNING run_id", "read-only transaction|permission denied"),
        ("COPY runs FROM PROGRAM 'touch /tmp/hole'", "denied|read-only transaction"),
        ("COMMIT", "it gives no rows"),
        ("LISTEN x", "it gives no rows"),
        ("", "it gives no rows"),
        ("-- nothing", "it gives no rows"),
        ("COPY (SELECT 1) TO STDOUT", "it gives no rows"),
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("SELECT '\udcff'", "can't encode"),
    ],
)
def test_what_writes_or_gives_no_rows_is_refused_in_one_line(
    url: str, database: sa.Engine, query: str, told: str
) -> None:
    with pytest.raises(InputError, match=told) as refused:
        ask(url, query)
    assert "\n" not in str(refused.value)
    assert not sa.inspect(database).has_table("hole")


def test_rows_are_cut_at_the_limit_and_none_of_their_columns_is_lost(url: str) -> None:
    assert ask(url, "SELECT 1 AS a, 2 AS a, 'a%' LIKE 'a%' AS c") == Answer([{"a": 1, "a_2": 2, "c": True}], False)
    assert ask(url, "SELECT generate_series(1, 3) AS n;").is_cut is False
    many = ask(url, "SELECT generate_series(1, 1000000000) AS n")
    assert many == Answer([{"n": 1}, {"n": 2}, {"n": 3}], is_cut=True)
    assert ask(url, "SELECT run_id FROM runs WHERE false") == Answer([], is_cut=False)


def test_a_query_that_takes_long_is_stopped(url: str) -> None:
    with pytest.raises(InputError, match=r"took longer than 0\.2 s"):
        answer(url, "SELECT pg_sleep(60)", max_rows=1, timeout_s=0.2)


def test_a_database_that_does_not_answer_is_no_fault_of_the_query() -> None:
    with pytest.raises(MemeSnipeError, match="does not answer") as refused:
        ask(f"postgresql+psycopg://a:secret@127.0.0.1:{free_port(0)}/b", "SELECT 1")
    assert "secret" not in str(refused.value)
    assert refused.value.exit_code == 1
