"""A run that an earlier version has traded is migrated, verified, and read by every view and command.

`make_earlier_run.py` makes the backup of it: tables of revision 0011, in which eight later migrations are due.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import redis
import sqlalchemy as sa

from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.commands import Commands
from memesnipe.config.home import Home
from memesnipe.config.settings import settings_from
from memesnipe.runtime.restore import restore_backup
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect
from memesnipe.storage.market_view import Market
from memesnipe.storage.schema import OrderRow, StrategyRow, TokenRow
from tests.api.conftest import Served
from tests.cli.in_process import Done, memesnipe
from tests.runtime.make_earlier_run import EVENTS, OUTPUT

pytestmark = pytest.mark.timeout(120)

RUN = 1
LEFT_OUT = ("/api/health", "/api/events")  # it needs actors; it never ends


class Upgraded:
    """An installation into which the backup was restored."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self.engine = connect(url)

    def run(self, *arguments: str) -> Done:
        return memesnipe(self.home.parent, *arguments, MEMESNIPE_HOME=str(self.home), DATABASE_URL=self.url)


@pytest.fixture(scope="module")
def upgraded() -> Iterator[Upgraded]:
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-upgraded-", dir="/tmp")).resolve()
    folder.chmod(0o755)  # PostgreSQL runs as another user where we are root
    with LocalServers(*Home(folder / "servers").server_folders) as servers:
        url = servers.start(need_redis=False).database_url or ""
        settings = settings_from({"memesnipe_home": folder / "home", "database_url": url}, env_file=None)
        restore_backup(settings, OUTPUT)
        made = Upgraded(folder / "home", url)
        yield made
        made.engine.dispose()
    shutil.rmtree(folder)


def test_the_run_has_traded(upgraded: Upgraded) -> None:
    with upgraded.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(OrderRow)) >= 10
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) >= "0019"


def test_verify_names_what_later_versions_have_changed_and_nothing_else(upgraded: Upgraded) -> None:
    """Since then, a fill that is missing on one side has the parity of the worse outcome, and results have it too."""
    done = upgraded.run("verify", "--run", str(RUN), "--json")
    found = json.loads(done.stdout)
    assert not found["same_code"] and found["events"] == EVENTS and found["orders"] >= 10
    assert done.returncode == (0 if found["clean"] else 1), done.stderr
    changed = ("trades ", "messages fills/", "messages simulation_results/")
    others = [line for line in found["differences"] if not line.startswith(changed)]
    others += [line for line in found["differences"] if line.startswith("trades ") and "parity_bps" not in line]
    assert others == []


@pytest.mark.parametrize(
    "command",
    [
        ("report", str(RUN), "--no-map", "-o", "one.html"),
        ("strategies", "--json"),
        ("sql", "SELECT * FROM positions"),
        ("explain", "STRATEGY"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_reads_it(upgraded: Upgraded, command: tuple[str, ...]) -> None:
    with upgraded.engine.connect() as connection:
        strategy = connection.scalars(sa.select(StrategyRow.spec_id).order_by(StrategyRow.spec_id)).first()
    done = upgraded.run(*(strategy or "" if word == "STRATEGY" else word for word in command))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_view_of_the_api_reads_it(upgraded: Upgraded, redis_url: str, as_operator: Callable[[str], str]) -> None:
    with upgraded.engine.connect() as connection:
        known = {
            "spec_id": connection.scalars(sa.select(OrderRow.spec_id)).first(),
            "mint": connection.scalars(sa.select(TokenRow.mint).order_by(TokenRow.token)).first(),
            "ending": "csv",
        }
    with redis.Redis.from_url(as_operator(redis_url)) as bus:
        backend = Backend(upgraded.engine, bus, lambda: True, started_at=datetime(2026, 1, 2, tzinfo=UTC))
        market = Market(lambda run_id: Home(upgraded.home).run(run_id).event_log)
        commands = Commands(upgraded.engine, "token", upgraded.home / "halt")
        api = create_api(backend, commands, market, lambda _: {"genome": "one"}, 3)
        served = Served(api)
        paths = api.openapi()["paths"]
        read = [path for path, methods in paths.items() if "get" in methods and path not in LEFT_OUT]
        statuses = {path: httpx.get(served.url + path.format(**known), timeout=30).status_code for path in read}
        served.stop()
    assert len(read) > 20
    assert {path: status for path, status in statuses.items() if status != 200} == {}
