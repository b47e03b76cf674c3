"""Ad-hoc queries as the read-only role and as the owner of the tables."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.servers.postgres import reader_url
from memesnipe.servers.process import free_port
from memesnipe.storage.query import QueryResult, run_query

HOLE = "CREATE TABLE hole (i int)"


@pytest.fixture(params=["reader", "owner"])
def url(request: pytest.FixtureRequest, server_home: Path, database_url: str, database: sa.Engine) -> str:
    """The embedded server has a role that only reads; another server has the role of its URL."""
    reader = reader_url(server_home / "postgres", database_url)
    assert reader is not None
    return reader if request.param == "reader" else database_url


def query_rows(url: str, query: str) -> QueryResult:
    return run_query(url, query, max_rows=3, timeout_s=5)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"SELECT 1; COMMIT; {HOLE}", "only one statement is allowed"),
        (f"SELECT 1; {HOLE}", "only one statement is allowed"),
        (f"ROLLBACK; {HOLE}", "only one statement is allowed"),
        (HOLE, "read-only transaction"),
        (f"DO $$ BEGIN EXECUTE '{HOLE}'; END $$", "read-only transaction"),
        (f"WITH gone AS (DELETE FROM runs RETURNING 1) {HOLE}", "syntax error"),
        ("WITH gone AS (DELETE FROM runs RETURNING 1) SELECT * FROM gone", "read-only transaction|permission denied"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "transaction read-write mode must be set before"),
        ("INSERT INTO runs (feed) VALUES ('x') RETURNING run_id", "read-only transaction|permission denied"),
        ("COPY runs FROM PROGRAM 'touch /tmp/hole'", "denied|read-only transaction"),
        ("COMMIT", "it returns no rows"),
        ("LISTEN x", "it returns no rows"),
        ("", "it returns no rows"),
        ("-- nothing", "it returns no rows"),
        ("COPY (SELECT 1) TO STDOUT", "it returns no rows"),
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("SELECT '\udcff'", "can't encode"),
    ],
)
def test_a_query_that_writes_or_returns_no_rows_is_rejected_in_one_line(
    url: str, database: sa.Engine, query: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as refused:
        query_rows(url, query)
    assert "\n" not in str(refused.value)
    assert not sa.inspect(database).has_table("hole")


def test_rows_are_truncated_at_the_limit_and_repeated_columns_are_kept(url: str) -> None:
    repeated = query_rows(url, "SELECT 1 AS a, 2 AS a, 'a%' LIKE 'a%' AS c")
    assert repeated == QueryResult(["a", "a_2", "c"], [{"a": 1, "a_2": 2, "c": True}], False)
    assert query_rows(url, "SELECT generate_series(1, 3) AS n;").is_truncated is False
    many = query_rows(url, "SELECT generate_series(1, 1000000000) AS n")
    assert many == QueryResult(["n"], [{"n": 1}, {"n": 2}, {"n": 3}], is_truncated=True)
    assert query_rows(url, "SELECT run_id FROM runs WHERE false") == QueryResult(["run_id"], [], is_truncated=False)


def test_a_query_that_takes_long_is_stopped(url: str) -> None:
    with pytest.raises(InputError, match=r"took longer than 0\.2 s"):
        run_query(url, "SELECT pg_sleep(60)", max_rows=1, timeout_s=0.2)


def test_an_unreachable_database_is_no_input_error() -> None:
    with pytest.raises(MemeSnipeError, match="does not respond") as refused:
        query_rows(f"postgresql+psycopg://a:secret@127.0.0.1:{free_port(0)}/b", "SELECT 1")
    assert "secret" not in str(refused.value)
    assert refused.value.exit_code == 1
