"""Pages of a list: which rows, in which order, and how many there are in all."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Select, func, select

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list are wanted."""

    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a page, and the number of all rows of the list."""

    rows: list[Json]
    total: int


def records(conn: Connection, query: Executable) -> list[Json]:
    """Return rows as dicts, without the id of the run."""
    found = conn.execute(query).mappings()
    # SQLAlchemy's names can be of a subclass of str, which orjson rejects as a key.
    return [{str(name): value for name, value in row.items() if name != "run_id"} for row in found]


def count(conn: Connection, query: Select[Any]) -> int:
    """Return the number of rows of a query without a limit."""
    return conn.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
