"""`memesnipe sql`: a read-only query to the database of the system in this folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from memesnipe.cli.numbers import integer_option, number_option
from memesnipe.cli.options import Json
from memesnipe.config.home import Home
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.terminal import print_json, print_message, without_controls

sql = typer.Typer()

_INTEGER_LIMIT: Final = 2**63  # most JSON readers take 64-bit integers


@sql.command("sql")
def sql_command(
    query: Annotated[
        str | None, typer.Argument(help="One SQL query; it cannot write. Without one, the tables are listed.")
    ] = None,
    limit: Annotated[int, integer_option("--limit", 1, 1_000_000, "Maximum number of rows.")] = 1_000,
    timeout: Annotated[float, number_option("--timeout", 0.1, 60, "Seconds until the query is cancelled.")] = 30.0,
    tables: Annotated[bool, typer.Option("--tables", help="List the tables with their columns.")] = False,
    header: Annotated[
        bool, typer.Option("--header/--no-header", help="Print the names of the columns first, or values only.")
    ] = True,
    json: Json = False,
) -> None:
    """Run a read-only SQL query on the database of the system in this folder, or list its tables."""
    if query is not None and tables:
        raise InputError("--tables: takes no query; leave one of them out")
    if query is None:
        _list_tables(json=json)
        return

    from memesnipe.storage.query import run_query  # noqa: PLC0415 - SQLAlchemy is slow to load

    with readable_database() as url:
        found = run_query(url, query, max_rows=limit, timeout_s=timeout)
    if json:
        print_json({"rows": [_plain(row) for row in found.rows], "cut": found.is_truncated})
        return
    if header:
        typer.echo("\t".join(map(without_controls, found.columns)))
    for row in found.rows:
        typer.echo("\t".join(without_controls(str(value)) for value in row.values()))
    if not found.rows:
        print_message("(no rows)")
    if found.is_truncated:
        print_message(f"Only the first {limit:,} rows are shown; there are more (raise --limit, or use COUNT(*)).")


def _list_tables(*, json: bool) -> None:
    from memesnipe.storage.tables import tables  # noqa: PLC0415 - as above

    found = tables()
    if json:
        print_json({"tables": found})
        return
    for name, table in found.items():
        typer.echo(f"{name}: {table['meaning']}\n    {', '.join(table['columns'])}")


@contextmanager
def readable_database() -> Iterator[str]:
    """Yield the database's URL as `database_url`; without a running system, the embedded server is started meanwhile.

    Raises:
        NoRunYetError: there is no database yet.
        MemeSnipeError: it does not respond.
    """
    from memesnipe.cli.current_settings import current_settings  # noqa: PLC0415 - slow to load

    settings, home = current_settings()
    if settings.servers.database_url is not None:
        yield database_url()
        return
    from memesnipe.runtime.database import open_database  # noqa: PLC0415
    from memesnipe.servers.postgres import reader_url  # noqa: PLC0415

    with open_database(settings) as (_, url):
        yield reader_url(Home(home).postgres, url) or url


def database_url() -> str:
    """Return the database's URL, as the read-only role where the server has one."""
    from memesnipe.cli.current_settings import current_settings  # noqa: PLC0415 - slow to load
    from memesnipe.servers.postgres import reader_url  # noqa: PLC0415

    settings, home = current_settings()
    if settings.servers.database_url is None:
        raise MemeSnipeError("the embedded PostgreSQL runs only while `memesnipe up` does; start it first")
    url = settings.servers.database_url.get_secret_value()
    return reader_url(Home(home).postgres, url) or url


def _plain(value: Any) -> Any:
    """Return a database value as a JSON value; types that JSON lacks become text as PostgreSQL writes it."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        value = int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, bytes | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, int) and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
