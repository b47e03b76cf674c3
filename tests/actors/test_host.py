"""The loop of an actor, without Ray: it runs once at a time, and opens its role again after every error."""

import json
import logging
import threading
from pathlib import Path

import pytest

from actors import host as hosts
from actors.host import Host
from memesnipe.config.settings import load_settings, write_resolved
from memesnipe.roles.context import Context
from memesnipe.roles.reload import Reload
from memesnipe.telemetry.logs import open_log
from memesnipe.telemetry.metrics import ActorMetrics

TIMEOUT_S = 20.0


class FailingRole:
    """A role whose first two steps fail; later steps wait for `leave`."""

    seq = 7

    def __init__(self, host: "FailingHost") -> None:
        self._host = host

    def open(self) -> None:
        self._host.opened += 1

    def step(self) -> None:
        if self._host.opened <= 2:
            raise RuntimeError(f"error {self._host.opened}")
        self._host.working.release()
        self._host.leave.wait(TIMEOUT_S)

    def close(self) -> None:
        self._host.closed += 1


class FailingHost(Host):
    name = "executor"

    def __init__(self, home: Path) -> None:
        super().__init__(str(home), 1)
        self.opened = self.closed = 0
        self.working, self.leave = threading.Semaphore(0), threading.Event()

    def make_role(self, context: Context, metrics: ActorMetrics) -> FailingRole:
        return FailingRole(self)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FailingHost:
    monkeypatch.setattr(Host, "_beat", lambda self: None)  # there is no Redis
    return FailingHost(tmp_path)


def test_the_role_is_opened_again_after_each_error(host: FailingHost, tmp_path: Path) -> None:
    loop = threading.Thread(target=host.run)
    loop.start()
    assert host.working.acquire(timeout=TIMEOUT_S)
    assert (host.opened, host.closed) == (3, 2)
    host.stop()
    host.leave.set()
    loop.join(TIMEOUT_S)
    assert host.closed == 3
    log = (tmp_path / "logs" / "executor.jsonl").read_text()
    assert log.count('"recovering"') == 2 and "error 2" in log


def test_a_replaced_actor_works_again_once_its_role_is_open(host: FailingHost) -> None:
    waiting = threading.Thread(target=host.wait_until_open, daemon=True)
    waiting.start()
    loop = threading.Thread(target=host.run)
    assert waiting.is_alive(), "nothing is open"
    loop.start()
    waiting.join(TIMEOUT_S)
    assert not waiting.is_alive() and host.opened >= 1
    host.stop()
    host.leave.set()
    loop.join(TIMEOUT_S)


def test_a_second_call_while_the_first_runs_starts_no_second_loop(
    host: FailingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "STOP_S", 0.05)
    first = threading.Thread(target=host.run)
    first.start()
    assert host.working.acquire(timeout=TIMEOUT_S)
    assert host.run() == "executor"
    assert host.opened == 3
    host.stop()
    host.leave.set()
    first.join(TIMEOUT_S)
    monkeypatch.setattr(hosts, "STOP_S", TIMEOUT_S)
    assert host.run() == "executor", "the loop that ended has released the lock"
    assert host.opened == 3


def test_reloadable_settings_are_taken_over_by_the_context_and_the_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    write_resolved(settings, tmp_path / "settings.json")
    context = Context(tmp_path, 3)
    role_log = context.log("executor")
    reload = Reload(tmp_path / "settings.json", open_log(tmp_path / "logs", "executor_heartbeat", "INFO"))
    reload.poll(context)
    role_log.debug("not written")
    write_resolved(settings.changed(log_level="DEBUG", max_feed_silence_secs=7), tmp_path / "settings.json")
    reload.poll(context)
    reload.poll(context)
    role_log.debug("written")
    logging.getLogger("memesnipe").setLevel(logging.NOTSET)
    assert context.settings.telemetry.max_feed_silence_secs == 7
    (line,) = (tmp_path / "logs" / "executor_heartbeat.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["event"], found["log_level"], found["max_feed_silence_secs"]) == ("settings reloaded", "DEBUG", "7")
    (line,) = (tmp_path / "logs" / "executor.jsonl").read_text().splitlines()
    assert (json.loads(line)["event"], json.loads(line)["run"]) == ("written", 3)
