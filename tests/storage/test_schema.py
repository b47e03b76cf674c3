"""The migrations and the mapped classes describe the same tables."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from memesnipe.storage import schema_control, schema_searches  # noqa: F401 - they add their tables
from memesnipe.storage.schema import Base


def test_the_migrations_create_exactly_the_tables_of_the_schema(database: sa.Engine) -> None:
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
