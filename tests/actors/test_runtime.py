"""A host runs one loop, however often it is told to."""

import threading
from pathlib import Path

import pytest

from actors import runtime
from actors.runtime import ActorHost
from memesnipe.telemetry.metrics import ActorMetrics


def test_a_second_call_while_the_first_still_runs_starts_no_second_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()
    loops: list[int] = []

    def loop(self: ActorHost, metrics: ActorMetrics) -> None:
        loops.append(threading.get_ident())
        entered.release()
        leave.wait(20)

    monkeypatch.setattr(ActorHost, "_run_once", loop)
    monkeypatch.setattr(ActorHost, "_beat", lambda self: None)
    monkeypatch.setattr(runtime, "_STOP_S", 0.05)
    host = ActorHost("executor", str(tmp_path), 1, 0)
    first = threading.Thread(target=host.run)
    first.start()
    assert entered.acquire(timeout=20)
    assert host.run() == "executor"
    assert len(loops) == 1
    host.stop()
    leave.set()
    first.join(20)
    assert host.run() == "executor", "the loop that ended has let go of the lock"
