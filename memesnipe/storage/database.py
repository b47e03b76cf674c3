"""Connections to PostgreSQL, and the migrations of its schema."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event, make_url, text

from memesnipe.errors import InputError

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 24_000_000  # key of the advisory lock that keeps migrations from running concurrently

# An unreachable server is detected within seconds; with the defaults that takes hours.
_TIMEOUTS: Final = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

# An actor that stalls in a transaction must not withhold its lease from its replacement, so the server ends such a
# transaction. A process that waits for the lock fails earlier, with a lock timeout. Statements have no timeout: a long
# read at recovery would be cancelled and repeated forever, and a stalled server cancels nothing. The heartbeat of an
# actor that waits for a stalled server has the state `stalled`.
ACTOR_OPTIONS: Final = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"


def connect(url: str, options: str = "", *, checked: bool = True) -> Engine:
    """Return an engine for ``url``, which connects at first use.

    Args:
        url: of the database; connection parameters in its query take precedence over the defaults here.
        options: server settings for these connections.
        checked: whether a connection is tested before each use, with a request more, and replaced if it is dead. If
            not, the first statement after a loss raises an error, and later ones have new connections.
    """
    in_url = make_url(url).query
    arguments = {**_TIMEOUTS, **({"options": options} if options else {})}
    arguments = {name: value for name, value in arguments.items() if name not in in_url}
    return create_engine(
        url, pool_pre_ping=checked, pool_size=2, max_overflow=4, pool_timeout=10, connect_args=arguments
    )


def time_statements(engine: Engine, observe: Callable[[float], None]) -> None:
    """Call ``observe`` with the duration in seconds of every statement that ends without an error."""

    def begin(_connection: Any, _cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: Any) -> None:
        context.began_s = time.perf_counter()

    def end(_connection: Any, _cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: Any) -> None:
        observe(time.perf_counter() - context.began_s)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Apply the outstanding migrations up to a revision.

    Raises:
        InputError: a later version of MemeSnipe has migrated the database.
    """
    from alembic import command  # noqa: PLC0415 - slow to load, and most connections migrate nothing
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:  # the only one of an unchanged installation: its revision is not among ours
            raise InputError(
                "a later version of MemeSnipe has changed the tables of this database: use that version, or restore a "
                f"backup from before the upgrade into an empty MEMESNIPE_HOME ({error})"
            ) from None
