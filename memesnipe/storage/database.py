"""The connection to PostgreSQL, and the migrations that bring it up to date."""

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, make_url, text

MIGRATIONS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 24_000_000  # key of the advisory lock: two that start together do not migrate together

# A server that has gone without a word is noticed in seconds; by default that takes hours.
_ATTENTIVE: Final = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

# An actor that stands still in the middle of a transaction must not keep its lease from the one that takes its place,
# so the server ends that transaction; who waits for a lock fails meanwhile, and says why. Statements have no limit of
# their own: cancelled, a long read at recovery would only begin again for ever, and a server that stands still
# cancels nothing. An actor that waits for one says `stalled`.
OF_ACTORS: Final = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"


def connect(url: str, options: str = "") -> Engine:
    """An engine for ``url``; it connects at first use and notices connections that died.

    Args:
        url: where the server is; what its query says about the connection goes before our defaults.
        options: settings of the server for these connections.
    """
    given = make_url(url).query
    arguments = {**_ATTENTIVE, **({"options": options} if options else {})}
    arguments = {name: value for name, value in arguments.items() if name not in given}
    return create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=4, pool_timeout=10, connect_args=arguments)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Apply the migrations up to a revision that are not applied yet."""
    from alembic import command  # noqa: PLC0415 - slow to load, and most connections migrate nothing
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
