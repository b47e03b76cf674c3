"""`memesnipe up --detach`: the command returns, the system stays, and `down` or a kill of its owner ends all of it."""

import json
import os
import signal
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.system.installation import Installation, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.mark.long
def test_a_detached_system_outlives_its_command_and_ends_as_a_whole(installations: Callable[..., Installation]) -> None:
    one = installations(GENERATION_INTERVAL_SECS="300", REBALANCE_INTERVAL_SECS="60")
    started = one.run("up", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    running = json.loads(started.stdout)
    assert httpx.get(running["dashboard"], timeout=10).status_code == 200
    owner = psutil.Process(running["pid"])
    assert os.getsid(owner.pid) == owner.pid, "no terminal reaches it"

    def state() -> dict[str, object]:
        found: dict[str, object] = json.loads(one.run("status", "--json").stdout)
        return found

    wait_for("it to be healthy", lambda: state().get("status") == "healthy")
    assert state()["detached"] is True
    refused = one.run("up", "--detach")
    assert (refused.returncode, "already running" in refused.stderr) == (1, True)

    owner.send_signal(signal.SIGKILL)
    wait_for("nothing to outlive the killed owner", lambda: not one.leftovers(), 150)
    assert one.run("up", "--detach").returncode == 0
    assert json.loads(one.run("down", "--json").stdout) == {"stopped": True}
    wait_for("no process to be left", lambda: not one.leftovers(), 30)


def test_a_start_that_fails_in_the_background_returns_its_exit_code(installations: Callable[..., Installation]) -> None:
    one = installations(DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    failed = one.run("up", "--detach", "--json")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "PostgreSQL at postgresql://nobody" in failed.stderr and "does not respond" in failed.stderr
    assert not one.leftovers()
