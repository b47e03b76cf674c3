"""`memesnipe sql`: ask the database of what runs in this folder."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from memesnipe.cli.lock import holder
from memesnipe.errors import InputError, MemeSnipeError, first_line
from memesnipe.installation import RESOLVED
from memesnipe.settings import Settings, load_settings, read_resolved
from memesnipe.storage.database import connect


def ask(query: str) -> list[dict[str, Any]]:
    """The rows of a query.

    Raises:
        InputError: the query is wrong.
        MemeSnipeError: there is no database to ask.
    """
    home = load_settings().memesnipe_home.resolve()
    settings: Settings = read_resolved(home / RESOLVED) if holder(home) else load_settings()
    if settings.database_url is None:
        raise MemeSnipeError("the embedded PostgreSQL runs only while `memesnipe up` does; start it first")
    engine = connect(settings.database_url.get_secret_value())
    try:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            return [dict(row) for row in connection.execute(text(query)).mappings()]
    except DBAPIError as error:
        raise InputError(f"the query failed: {first_line(error)}") from error
    finally:
        engine.dispose()
