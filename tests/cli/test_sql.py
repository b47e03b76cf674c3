"""`memesnipe sql` as a user types it, on a database that somebody else looks after."""

import json
from pathlib import Path

import sqlalchemy as sa

from tests.cli.test_commands import memesnipe


def test_values_of_every_kind_are_shown_and_no_terminal_obeys_them(
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
    assert cut.stdout == "1\t\\x1b[31m\n2\t\\x1b[31m\n"
    assert "Only the first 2 rows" in cut.stderr


def test_a_second_statement_is_refused_in_one_line(tmp_path: Path, database: sa.Engine, database_url: str) -> None:
    query = "SELECT 1; COMMIT; CREATE TABLE hole (i int)"
    refused = memesnipe(tmp_path, "sql", query, DATABASE_URL=database_url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "memesnipe: input: the query failed: one statement at a time\n"
    assert not sa.inspect(database).has_table("hole")
