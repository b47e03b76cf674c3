"""The whole system on three hosts: it continues, and verifies, where a host of an arena or of the desk is lost."""

from pathlib import Path

import pytest

from tests.cluster.hosts import Host
from tests.cluster.system import System
from tests.system.installation import TAPE_EVENTS, wait_for

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]


def test_the_desk_comes_back_elsewhere(three_hosts: list[Host], tape: Path) -> None:
    system = System(three_hosts, tape)
    wait_for("the run to begin", lambda: system.published > TAPE_EVENTS // 10, 300)
    lost = system.host_of("Executor")
    assert lost is not None
    (other,) = [host for host in system.workers if host is not lost]
    lost.kill()
    wait_for("the desk to come back", lambda: system.host_of("Executor") is other, 200)
    system.finish()


def test_an_arena_that_is_cut_off_comes_back_elsewhere(three_hosts: list[Host], tape: Path) -> None:
    system = System(three_hosts, tape)
    wait_for("the run to begin", lambda: system.published > TAPE_EVENTS // 10, 300)
    desk = system.host_of("Executor")
    (lost,) = [host for host in system.workers if host is not desk]
    assert desk is not None
    assert system.arenas_on(lost) == 1
    lost.unplug()
    wait_for("the arena to come back", lambda: system.arenas_on(desk) == 2, 200)
    lost.plug()
    lost.kill()  # a node that Ray has given up ends; its service starts another
    system.join(lost)
    system.finish()
    assert "Ray runtime started" in lost.output("ray0.log")
