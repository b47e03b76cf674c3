"""The connection to PostgreSQL, and the migrations that bring it up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

MIGRATIONS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 24_000_000  # key of the advisory lock: two that start together do not migrate together


def connect(url: str) -> Engine:
    """An engine for ``url``; it connects at first use and notices connections that died."""
    return create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=4)


def migrate(engine: Engine) -> None:
    """Apply the migrations that are not applied yet."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
