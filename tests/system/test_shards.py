"""Arenas as actors of their own: one is killed in the middle of a run, and the run verifies."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.installation import TAPE_EVENTS, Installation, wait_for

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(600)]


def test_a_run_with_two_arenas_survives_the_loss_of_one(installations: Callable[..., Installation], tape: Path) -> None:
    installation = installations(ARENA_SHARDS="2")
    up = installation.start("up", "--feed", "replay", "--tape", str(tape), "--speed", "max", "--until-end", "--json")

    def arena() -> dict[str, int]:
        assert up.poll() is None, installation.stderr
        found: dict[str, int] = installation.heartbeat("arena_1")
        return found if found.get("seq", 0) > 500 else {}

    before = wait_for("the arena to simulate", arena)
    os.kill(before["pid"], signal.SIGKILL)
    wait_for("another arena in its place", lambda: arena().get("pid", before["pid"]) != before["pid"])
    wait_for("the end of the run", lambda: up.poll() is not None, 400)
    assert up.returncode == 0, installation.stderr
    report = json.loads(installation.stdout)
    assert report["events"] == {"published": TAPE_EVENTS, "consumed": TAPE_EVENTS, "rejected": 0}
    assert report["fills"] > 0
    verified = installation.run("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
