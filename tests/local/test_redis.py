"""The embedded Redis, with the real server."""

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis

from memesnipe.local import redis as embedded
from memesnipe.local.process import LocalServerError, free_port, is_alive, is_server_of, read_pid, wait_until
from memesnipe.local.redis import EmbeddedRedis

OWNER = """
import sys, time
from pathlib import Path
from memesnipe.local import child
from memesnipe.local.redis import EmbeddedRedis
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


def test_data_survives_a_stop_and_the_settings_hold(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "a folder")
    url = server.start()
    put(url, "coin", "WIF")
    with redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.info("persistence")["aof_enabled"] == 1
        assert client.info("memory")["maxmemory_policy"] == "noeviction"
        with pytest.raises(redis.ResponseError):
            client.config_get("dir")
    server.stop()
    server.stop()
    assert get(server.start(), "coin") == "WIF"
    server.stop()


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
        assert get(url, "coin") == "kept"  # the refused start did no harm
        owner.send_signal(signal.SIGKILL)
    if fate == "orphan":
        assert is_server_of(pid, tmp_path)
    elif sys.platform == "linux":
        assert wait_until(lambda: not is_server_of(pid, tmp_path), 10)
    server = EmbeddedRedis(tmp_path)
    assert get(server.start(), "coin") == "kept"
    assert not is_server_of(pid, tmp_path)
    server.stop()


def test_a_stranger_with_the_old_pid_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as stranger:
        (tmp_path / "redis.pid").write_text(f"{stranger.pid}\n")
        server = EmbeddedRedis(tmp_path)
        server.start()
        assert is_alive(stranger.pid) and stranger.poll() is None
        server.stop()
        stranger.kill()


def test_a_port_lost_in_between_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    said: list[str] = []

    def start() -> None:
        try:
            EmbeddedRedis(tmp_path).start()
        except LocalServerError as error:
            said.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert said == ["Redis must be started from the main thread"]


def test_no_binary_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(embedded, "_WHEELS", ())
    with pytest.raises(LocalServerError, match="install Redis"):
        EmbeddedRedis(tmp_path).start()


def test_a_broken_config_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalServerError, match="Redis cannot start in"):
        EmbeddedRedis(tmp_path / "file").start()
    assert (tmp_path / "file").read_text() == ""
