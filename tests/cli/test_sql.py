"""`memesnipe sql` and `memesnipe redis` as a user runs them, on external servers."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
import sqlalchemy as sa

from memesnipe.bus.command_query import run_read_command
from memesnipe.config.settings import settings_from
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.database import open_database
from memesnipe.servers.process import free_port
from memesnipe.storage import views
from memesnipe.storage.runs import begin_run
from memesnipe.storage.schema import TradeRow
from tests.cli.in_process import memesnipe


def test_values_of_every_type_are_shown_without_control_characters(
    tmp_path: Path, database: sa.Engine, database_url: str
) -> None:
    query = (
        "SELECT 12345678901234567890::numeric AS wide, 1.5::numeric AS half, sum(2) AS whole, '\\x00ff'::bytea AS raw, "
        "interval '1 day' AS span, '10.0.0.1'::inet AS host, 'NaN'::float8 AS none, E'a\\tb\\x1b[31m' AS name, "
        "'{\"a\": [1, 0.5]}'::jsonb AS nested"
    )
    shown = memesnipe(tmp_path, "sql", query, "--json", DATABASE_URL=database_url)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == {
        "rows": [
            {
                "wide": "12345678901234567890", "half": 1.5, "whole": 2, "raw": "\\x00ff", "span": "1 day, 0:00:00",
                "host": "10.0.0.1", "none": None, "name": "a\tb\x1b[31m", "nested": {"a": [1, 0.5]},
            }
        ],
        "cut": False,
    }  # fmt: skip
    series = "SELECT n, E'\\x1b[31m' FROM generate_series(1, 3) n"
    cut = memesnipe(tmp_path, "sql", series, "--limit", "2", DATABASE_URL=database_url)
    assert cut.stdout == "n\t?column?\n1\t\\x1b[31m\n2\t\\x1b[31m\n"
    assert "Only the first 2 rows are shown" in cut.stderr


def test_the_tables_are_listed_with_columns_and_meaning(tmp_path: Path, database: sa.Engine) -> None:
    listed = memesnipe(tmp_path, "sql")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert memesnipe(tmp_path, "sql", "--tables").stdout == listed.stdout
    assert "trades: One outcome of an order: a fill" in listed.stdout and "round trips" in listed.stdout
    found = json.loads(memesnipe(tmp_path, "sql", "--json").stdout)["tables"]
    made = sa.inspect(database)
    assert set(found) == set(made.get_table_names()) - {"alembic_version"}
    for name, table in found.items():
        assert table["meaning"].endswith("."), name
        assert set(table["columns"]) == {column["name"] for column in made.get_columns(name)}, name


def test_the_queries_of_the_runbook_are_valid(tmp_path: Path, database: sa.Engine, database_url: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    queries = re.findall(r'memesnipe sql "([^"]+)"', text)
    assert len(queries) >= 4
    for query in queries:
        done = memesnipe(tmp_path, "sql", " ".join(query.split()), DATABASE_URL=database_url)
        assert done.returncode == 0, query
        assert done.stdout.count("\n") > 1 or done.stderr == "(no rows)\n", query


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md", "docs/operations.md"])
def test_the_fills_that_a_page_counts_are_those_of_the_report(
    tmp_path: Path, database: sa.Engine, database_url: str, new_run: int, insert: Callable[..., None], page: str
) -> None:
    for number, status in enumerate(("PAPER", "PAPER", "FAILED", "PAPER")):
        insert(TradeRow, order_id=f"paper-{number}", account="paper", status=status)
    newest = begin_run(database, uuid4().hex, {}, {}).run_id
    of_newest = TradeRow.run_id == new_run, TradeRow.order_id != "paper-0"
    with database.begin() as connection:
        connection.execute(sa.update(TradeRow).where(*of_newest).values(run_id=newest))
    text = " ".join((Path(__file__).parents[2] / page).read_text().split())
    query = next(each for each in re.findall(r'memesnipe sql "([^"]+)"', text) if "count(*) FROM trades" in each)
    done = memesnipe(tmp_path, "sql", query, "--json", DATABASE_URL=database_url)
    with database.connect() as connection:
        fills = views.report(connection, newest)["fills"]
    assert json.loads(done.stdout)["rows"] == [{"count": fills}] == [{"count": 2}]


def test_without_rows_the_columns_are_named(tmp_path: Path, database: sa.Engine, database_url: str) -> None:
    done = memesnipe(tmp_path, "sql", "SELECT 1 AS one, 2 AS two WHERE false", DATABASE_URL=database_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ttwo\n", "(no rows)\n")


def test_a_script_may_leave_the_header_out(tmp_path: Path, database: sa.Engine, database_url: str) -> None:
    for query, values in (("SELECT 3 AS three, NULL AS none", "3\tNone\n"), ("SELECT 1 WHERE false", "")):
        done = memesnipe(tmp_path, "sql", "--no-header", query, DATABASE_URL=database_url)
        assert (done.returncode, done.stdout) == (0, values)


def test_a_second_statement_is_refused_in_one_line(tmp_path: Path, database: sa.Engine, database_url: str) -> None:
    query = "SELECT 1; COMMIT; CREATE TABLE hole (i int)"
    refused = memesnipe(tmp_path, "sql", query, DATABASE_URL=database_url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "memesnipe: input: the query failed: only one statement is allowed\n"
    assert not sa.inspect(database).has_table("hole")


def test_redis_is_read_and_not_written(
    tmp_path: Path, empty_redis: Callable[[], str], as_operator: Callable[[str], str]
) -> None:
    url = empty_redis()
    with redis.Redis.from_url(as_operator(url)) as client:
        client.xadd("events:price", {"seq": 1, "data": b"\x1b[31m\xff"}, id="1-7")
    shown = memesnipe(tmp_path, "redis", "xrevrange", "events:price", "+", "-", "COUNT", "5", REDIS_URL=url)
    assert (shown.returncode, shown.stdout) == (0, "1-7 seq=1 data=\\x1b[31m\\xff\n"), shown.stderr
    assert json.loads(memesnipe(tmp_path, "redis", "xlen", "events:price", "--json", REDIS_URL=url).stdout) == {
        "reply": 1
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["xadd", "commands", "1-1", "seq", "1"], "xadd: it is not read-only"),
        (["eval", "return redis.call('flushall')", "0"], "eval: it is not read-only"),
        (["flushall"], "flushall: it is not read-only"),
        (["nonsense"], "nonsense: there is no such command"),
        (["xlen"], "xlen: wrong number of arguments"),
        (["keys", "*"], "keys: "),
        (["get", "\udcff"], "get: 'utf-8' codec can't encode"),
    ],
)
def test_commands_that_write_are_refused(redis_url: str, words: list[str], expected: str) -> None:
    with pytest.raises(InputError, match=re.escape(expected)):
        run_read_command(redis_url, words)
    with pytest.raises(MemeSnipeError, match="Redis does not respond"):
        run_read_command(f"redis://127.0.0.1:{free_port(0)}/0", words)


@pytest.fixture
def stopped() -> Iterator[Path]:
    """The folder of a system that has run and was stopped; PostgreSQL, which is not root, can read it."""
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-test-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    with open_database(settings_from({"memesnipe_home": folder}, env_file=None), create=True):
        pass
    yield folder
    shutil.rmtree(folder)


def test_the_database_of_a_stopped_system_can_be_read_and_not_written(stopped: Path) -> None:
    home = {"MEMESNIPE_HOME": str(stopped)}
    read = memesnipe(stopped, "sql", "SELECT count(*) AS runs FROM runs", "--json", **home)
    assert (read.returncode, json.loads(read.stdout)["rows"]) == (0, [{"runs": 0}]), read.stderr
    written = memesnipe(stopped, "sql", "CREATE TABLE hole (i int)", **home)
    assert (written.returncode, len(written.stderr.splitlines())) == (2, 1), written.stderr
