"""Ad-hoc database queries: one statement, which cannot write, with limits on time and rows."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import psycopg
from sqlalchemy import make_url

from memesnipe.errors import InputError, MemeSnipeError, first_line

_CONNECT_S: Final = 5


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The names of a query's columns, its rows as dictionaries, and whether rows beyond the limit were left out."""

    columns: list[str]
    rows: list[dict[str, Any]]
    is_truncated: bool


def run_query(url: str, query: str, *, max_rows: int, timeout_s: float) -> QueryResult:
    """Run one query on the database at ``url`` in a read-only transaction; return its first ``max_rows`` rows.

    The extended protocol permits only one statement: a second one after a semicolon could end the transaction.

    Raises:
        InputError: the query is invalid, writes, returns no rows, or takes longer than ``timeout_s`` seconds.
        MemeSnipeError: the database is unreachable, or the connection was lost.
    """
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(plain, connect_timeout=_CONNECT_S)
    except psycopg.OperationalError as error:
        raise MemeSnipeError(f"the database does not respond: {first_line(error)}") from error
    with closing(connection):
        connection.read_only = True
        try:
            return _stream(connection, query, max_rows, timeout_s)
        except psycopg.errors.QueryCanceled as error:
            raise InputError(f"the query took longer than {timeout_s:g} s and was stopped") from error
        except (psycopg.Error, UnicodeError) as error:
            message = _explain(first_line(error))
            if connection.closed or connection.broken:
                raise MemeSnipeError(f"the connection to the database was lost: {message}") from error
            raise InputError(f"the query failed: {message}") from error


def _stream(connection: psycopg.Connection, query: str, max_rows: int, timeout_s: float) -> QueryResult:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{int(timeout_s * 1000)}ms"])
        _drop_superuser_rights(cursor)
    with connection.cursor() as cursor:
        stream: Any = cursor.stream(query.encode())
        with closing(stream):  # ends the query on the server, whatever rows remain
            found = list(islice(stream, max_rows + 1))
            columns = _names([column.name for column in cursor.description or ()])
    if not found:
        columns = _described(connection, query)
    rows = [dict(zip(columns, row, strict=True)) for row in found[:max_rows]]
    return QueryResult(columns, rows, is_truncated=len(found) > max_rows)


def _drop_superuser_rights(cursor: psycopg.Cursor[Any]) -> None:
    """Drop the rights of a superuser until the end of the transaction.

    With them a query could write files and run programs on the server, even in a read-only transaction.
    """
    cursor.execute(
        "SELECT current_setting('is_superuser') = 'on' AND EXISTS "
        "(SELECT FROM pg_roles WHERE rolname = 'pg_read_all_data')"
    )
    if cursor.fetchone() == (True,):
        cursor.execute("SET LOCAL ROLE pg_read_all_data")


def _explain(message: str) -> str:
    if "cannot insert multiple commands" in message:
        return "only one statement is allowed"
    if any(sign in message for sign in ("didn't produce", "EMPTY_QUERY", "COPY cannot be used")):
        return "it returns no rows; use SELECT"
    return message


def _described(connection: psycopg.Connection, query: str) -> list[str]:
    """Return the names of the columns of a query without running it: a stream without rows does not have them."""
    connection.pgconn.prepare(b"", query.encode())
    described = connection.pgconn.describe_prepared(b"")
    return _names([(described.fname(i) or b"").decode() for i in range(described.nfields)])


def _names(columns: Sequence[str]) -> list[str]:
    """Return the names of the columns; a repeated name gets its position as a suffix, so that no column is lost."""
    names: list[str] = []
    for i, column in enumerate(columns, start=1):
        names.append(f"{column}_{i}" if column in names else column)
    return names
