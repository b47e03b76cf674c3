"""Faults in a replay or a system of its own, which shorter tests cover on a system that they share."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.telemetry.metrics import ActorMetrics
from tests.system.installation import TAPE_EVENTS, Installation, processes_of, wait_for
from tests.system.live import (
    CALM,
    LiveSystem,
    consumed,
    kill_ray_and_await_another,
    orders_of,
    seq_of,
    stands_by,
    verified,
)

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]

REPLAY = ("up", "--feed", "replay", "--speed", "max", "--until-end", "--json", "--tape")


def test_a_replay_goes_on_after_parts_of_ray_were_killed(
    installations: Callable[..., Installation], tape: Path
) -> None:
    one = installations()
    process = one.start(*REPLAY, str(tape))

    def has_come_to(seq: int) -> bool:
        assert process.poll() is None, one.stderr
        return seq_of(one) >= seq

    wait_for("the first events", lambda: has_come_to(500), 400)
    kill_ray_and_await_another(one)

    wait_for("more events", lambda: has_come_to(3000))
    (holder,) = (pid for pid, command in processes_of(one.folder).items() if "-m actors.cluster" in command)
    psutil.Process(holder).kill()
    wait_for("that to be noticed", lambda: "its process ended with -9" in one.stderr, 30)
    wait_for("Ray to be back again", lambda: one.stderr.count("Ray has restarted after") == 2, 400)

    assert process.wait(300) == 0, one.stderr
    assert "Traceback" not in one.stderr
    report = json.loads(one.stdout)
    assert report["events"]["consumed"] == report["events"]["published"] == TAPE_EVENTS
    assert report["trades"] > 0
    verified(one)


def test_a_second_executor_takes_over_a_replay_and_it_comes_to_its_end(
    installations: Callable[..., Installation], tape: Path
) -> None:
    one = installations()
    process = one.start(*REPLAY, str(tape))
    wait_for("the first trades", lambda: seq_of(one) >= 2500)
    second = Executor(Context(one.folder / ".memesnipe", 1), ActorMetrics("second"))
    second.open()
    began = second.seq
    wait_for("the second to have done some work", lambda: second.step() or second.seq > began + 300)
    wait_for("the first to stand by", lambda: stands_by(one))
    second.close()  # the first comes back once the second's lease has run out
    assert process.wait(240) == 0
    assert verified(one)["trades"] > 0


def test_it_goes_on_after_it_was_stopped_and_after_it_was_killed(installations: Callable[..., Installation]) -> None:
    one = installations(**CALM)
    system = LiveSystem(one)
    process = system.start()
    wait_for("orders", lambda: orders_of(one))
    before = consumed(one)
    one.interrupt(process)
    assert process.wait(60) == 0
    wait_for("no process to be left", lambda: not one.leftovers(), 30)

    process = system.start()
    assert "continues" in one.stderr
    wait_for("it to go on", lambda: consumed(one) > before)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    wait_for("nothing to outlive the killed one", lambda: not one.leftovers(), 150)

    process = system.start()
    before = consumed(one)
    wait_for("it to go on after being killed", lambda: consumed(one) > before)
    one.interrupt(process)
    assert process.wait(60) == 0
    verified(one)
