"""The tables for users who write queries: what each has in its rows, and its columns."""

from typing import Any

from memesnipe.storage import schema_control, schema_searches, schema_submissions
from memesnipe.storage.schema import Base

_MODULES = (schema_control, schema_searches, schema_submissions)  # loaded, so that their tables are known


def tables() -> dict[str, dict[str, Any]]:
    """Return the meaning and the columns of every table, by its name."""
    found = {mapper.class_.__tablename__: mapper for mapper in Base.registry.mappers}
    return {
        name: {
            "meaning": " ".join((found[name].class_.__doc__ or "").replace("``", "`").split()),
            "columns": [column.name for column in found[name].columns],
        }
        for name in sorted(found)
    }
