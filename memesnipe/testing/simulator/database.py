"""The database of the simulator: SQLite in memory, which executes the statements written for PostgreSQL.

The journal, the lease and the queries are those of the product. The few expressions that SQLite lacks are rewritten.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import URL, BigInteger, Connection, Engine, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import StaticPool

from memesnipe.storage import schema_control, schema_searches
from memesnipe.storage.schema import Base
from memesnipe.testing.simulator.scheduler import Process

_TABLES: Final = (schema_control, schema_searches)  # modules whose tables must be known before they are created
_REWRITTEN: Final = (
    ("CURRENT_TIMESTAMP + interval '10 seconds'", "simulated_now(10)"),
    ("CURRENT_TIMESTAMP", "simulated_now(0)"),
)
_OF_DEFINITIONS: Final = (("gen_random_uuid()::text", "'0123456789abcdef'"),)
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


@compiles(JSONB, "sqlite")
def _json(*_: Any, **__: Any) -> str:
    return "JSON"


@compiles(BigInteger, "sqlite")
def _integer(*_: Any, **__: Any) -> str:
    return "INTEGER"  # the only type of a primary key that SQLite numbers


class Database:
    """One SQLite database with the tables of the product; `reset` empties it."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        self.now_s: Callable[[], float] = lambda: 0.0
        self.on_statement: Callable[[], None] = lambda: None  # called before each statement
        event.listen(self.engine, "before_cursor_execute", self._rewrite, retval=True)
        Base.metadata.create_all(self.engine)
        self.raw: sqlite3.Connection = self.engine.raw_connection().driver_connection  # type: ignore[assignment]
        self.raw.create_function("simulated_now", 1, self._now)
        self._empty = sqlite3.connect(":memory:")
        self.raw.backup(self._empty)

    def _rewrite(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        self.on_statement()
        is_definition = statement.lstrip().startswith("CREATE")
        for old, new in _OF_DEFINITIONS if is_definition else _REWRITTEN:
            if old in statement:
                statement = statement.replace(old, new)
        return statement, parameters

    def _now(self, seconds: float) -> str:
        return (_EPOCH + timedelta(seconds=self.now_s() + seconds)).strftime("%Y-%m-%d %H:%M:%S.%f")

    def reset(self) -> None:
        """Remove all rows."""
        self._empty.backup(self.raw)

    def of(self, process: Process) -> "ProcessEngine":
        """Return the database as visible to a process."""
        return ProcessEngine(self.engine, process)


class ProcessEngine:
    """The engine of one process: the scheduler runs other processes before and after each transaction."""

    def __init__(self, engine: Engine, process: Process) -> None:
        self._engine, self._process = engine, process

    @property
    def url(self) -> URL:
        """Return the address of the database."""
        return self._engine.url

    def execution_options(self, **_: Any) -> "ProcessEngine":
        """Return this engine: a transaction of one statement differs from others only in its speed."""
        return self

    def connect(self) -> AbstractContextManager[Connection]:
        """Open a connection that only reads; a fault raises OperationalError."""
        return self._opened(self._engine.connect)

    def begin(self) -> AbstractContextManager[Connection]:
        """Open a connection with a transaction, which is committed at the end; a fault raises OperationalError."""
        return self._opened(self._engine.begin)

    @contextmanager
    def _opened(self, open_connection: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        self._process.step()
        fault = self._process.take_fault("database")
        if fault == "refused":
            raise _lost()
        with open_connection() as connection:
            yield connection
        if fault == "reply_lost":
            raise _lost()
        self._process.step()

    def dispose(self) -> None:
        """Close the connections of the process; the database stays open."""


def _lost() -> OperationalError:
    return OperationalError("", {}, ConnectionError("the server closed the connection unexpectedly"))
