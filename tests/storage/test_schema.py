"""The migrations and the mapped classes describe the same tables."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from memesnipe.storage import (  # noqa: F401 - they add their tables
    schema_actions,
    schema_control,
    schema_searches,
    schema_submissions,
)
from memesnipe.storage.schema import Base


def test_the_migrations_create_exactly_the_tables_of_the_schema(database: sa.Engine) -> None:
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


@pytest.mark.parametrize(("table", "column"), [("messages", "payload"), ("snapshots", "state")])
def test_no_commit_waits_for_the_compression_of_a_large_value(database: sa.Engine, table: str, column: str) -> None:
    stored = "SELECT attstorage FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attname = :column"
    with database.connect() as connection:
        assert connection.scalar(sa.text(stored), {"table": table, "column": column}) == "e"
