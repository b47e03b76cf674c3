"""The database of commands that need no `memesnipe up`: that of the running system, or an embedded one meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from memesnipe.config.home import STARTING, Home, read_condition
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.errors import MemeSnipeError, NoRunYetError, first_line
from memesnipe.runtime.lock import acquire, holder
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect, migrate
from memesnipe.telemetry.logs import without_secrets

NO_RUN: Final = "there is no run in this folder yet; start one with `memesnipe up`"


@contextmanager
def open_database(settings: Settings, *, create: bool = False) -> Iterator[tuple[Engine, str]]:
    """Yield the migrated database and its URL: DATABASE_URL, else that of the system in this folder, else embedded.

    Args:
        settings: with `database_url` and `memesnipe_home`.
        create: whether to create an embedded database if there is none yet.

    Raises:
        InputError: there is none, and ``create`` is false.
        MemeSnipeError: it does not respond, or another command is starting in this folder.
    """
    home = settings.installation.memesnipe_home.resolve()
    with ExitStack() as stack:
        if settings.servers.database_url is None and holder(home) is not None and Home(home).settings.is_file():
            settings = read_resolved(Home(home).settings)
        if settings.servers.database_url is not None:
            url = settings.servers.database_url.get_secret_value()
        else:
            if not (create or Home(home).has_database):
                raise NoRunYetError(NO_RUN)
            with _starting(home):
                stack.callback(acquire(home).close)
            servers = stack.enter_context(LocalServers(*Home(home).server_folders))
            url = servers.start(need_redis=False).database_url or ""
        with _starting(home):
            engine = migrated(url)
        stack.callback(engine.dispose)
        yield engine, url


@contextmanager
def _starting(home: Path) -> Iterator[None]:
    """Replace an error by that of a system which is still starting, where one is: its servers may not run yet."""
    try:
        yield
    except MemeSnipeError as error:
        condition = read_condition(home)
        if holder(home) is None or not condition.startswith(STARTING):
            raise
        raise MemeSnipeError(
            f"the system in this folder is starting ({condition}); try again when `memesnipe status` says healthy"
        ) from error


def migrated(url: str) -> Engine:
    """Connect to the database at ``url`` and migrate its tables.

    Raises:
        MemeSnipeError: it does not respond.
    """
    engine = connect(url)
    try:
        migrate(engine)
    except OperationalError as error:
        reason, shown = first_line(error), without_secrets(url).replace("+psycopg", "")
        raise MemeSnipeError(f"PostgreSQL at {shown} does not respond: {reason}") from error
    return engine
