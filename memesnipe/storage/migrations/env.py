"""Alembic's entry point: run the migrations on the connection that `memesnipe.storage.database.migrate` opened."""

from alembic import context

from memesnipe.storage import (  # noqa: F401 - the imports register tables
    schema_actions,
    schema_control,
    schema_searches,
    schema_submissions,
    schema_verdicts,
)
from memesnipe.storage.schema import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
