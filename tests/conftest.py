"""The embedded servers that the tests of a worker share, rows for them, and which worker runs what."""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from xdist.remote import Producer

from memesnipe.config.home import Home
from memesnipe.servers.redis import operator_url
from memesnipe.servers.servers import LocalServers, ServerUrls
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.schema import Base, RunRow
from tests.scheduling import FileScheduling

Insert = Callable[..., None]
_ZEROS: dict[type[Any], Any] = {sa.BigInteger: 0, sa.Double: 0.0, sa.Text: "", sa.Boolean: False}

# A background job of a shell ignores Ctrl-C, and so does all that it starts, which tests send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# By default the workers of a Ray wait for every other program, here the tests that run beside.
os.environ.update({"RAY_worker_niceness": "0"})


def _worker(session: pytest.Session) -> str:
    """Return the name of this worker of pytest-xdist; "" without workers."""
    return str(getattr(session.config, "workerinput", {}).get("workerid", ""))


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Compile the engine once for all, into the cache, while another worker reads the tests and writes their bytecode.

    Otherwise both workers would do the latter, and every process that is the first to need a function the former.
    """
    if _worker(session) == "gw1":
        from memesnipe.engine.warm import compile_all
        from memesnipe.sdk.registry import discover

        compile_all(discover())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile the generated market in the worker that has read the tests while another one still compiles the engine.

    Collect garbage less often: the modules and tests, which stay, are a million objects to look through.
    """
    if _worker(session) == "gw0":
        from memesnipe.feeds.synth_market.market import compile_generator

        compile_generator()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    return FileScheduling(config, log)


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    # PostgreSQL does not run as root, and pytest's own folders are closed to everyone else.
    home = Path(tempfile.mkdtemp(prefix="memesnipe-test-", dir="/tmp")).resolve()
    home.chmod(0o755)
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def server_urls(server_home: Path) -> Iterator[ServerUrls]:
    with LocalServers(*Home(server_home).server_folders) as servers:
        yield servers.start()


@pytest.fixture(scope="session")
def database_url(server_urls: ServerUrls) -> str:
    """A server that is never killed, so its commits do not wait for the disk."""
    assert server_urls.database_url is not None
    engine = sa.create_engine(server_urls.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off'))
    engine.dispose()
    return server_urls.database_url


@pytest.fixture(scope="session")
def redis_url(server_urls: ServerUrls) -> str:
    assert server_urls.redis_url is not None
    return server_urls.redis_url


@pytest.fixture(scope="session")
def as_operator(server_home: Path) -> Callable[[str], str]:
    """Gives the URL of the shared Redis as the user who may do everything."""
    return lambda url: operator_url(server_home / "redis", url)


@pytest.fixture(scope="session")
def empty_redis(redis_url: str, as_operator: Callable[[str], str]) -> Callable[[], str]:
    """Gives the URL of an empty database of the shared Redis, at each call of another one of 1 to 15."""
    numbers = cycle(range(1, 16))

    def empty() -> str:
        url = redis_url.removesuffix("/0") + f"/{next(numbers)}"
        with redis.Redis.from_url(as_operator(url)) as client:
            client.flushdb()
        return url

    return empty


@pytest.fixture(scope="session")
def database(database_url: str) -> Iterator[sa.Engine]:
    """A migrated database; what belongs to a test belongs to its own run."""
    engine = connect(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def new_run(database: sa.Engine) -> int:
    """A fresh run, and the newest one."""
    row = _filled(RunRow, feed="synthetic", status="open")
    del row["run_id"]  # the database numbers the runs
    with database.begin() as conn:
        run_id: int = conn.execute(sa.insert(RunRow).values(row).returning(RunRow.run_id)).scalar_one()
    return run_id


@pytest.fixture
def insert(database: sa.Engine, new_run: int) -> Insert:
    """Insert a row of the fresh run; columns that are not given are zero or empty."""

    def insert_row(table: type[Base], **given: Any) -> None:
        with database.begin() as conn:
            conn.execute(sa.insert(table).values(_filled(table, run_id=new_run, **given)))

    return insert_row


def _filled(table: type[Base], **given: Any) -> dict[str, Any]:
    needed = [c for c in table.__table__.columns if not c.nullable and c.server_default is None]
    return {column.name: _ZEROS.get(type(column.type), {}) for column in needed} | given
