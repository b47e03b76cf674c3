from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa

from memesnipe.storage.database import connect, migrate


@pytest.fixture
def at_revision(database: sa.Engine, database_url: str) -> Iterator[Callable[[str], sa.Engine]]:
    """Return a function that makes a schema of its own with the tables of an earlier revision, once a test."""
    name = f"earlier_{uuid4().hex}"
    with database.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    old = connect(database_url, f"-c search_path={name}")

    def migrated(revision: str) -> sa.Engine:
        migrate(old, revision)
        return old

    yield migrated
    old.dispose()
    with database.begin() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
