"""A backup of a running system, restored into an empty folder, continues the run, and `verify` finds no difference."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.installation import TAPE_EVENTS, Installation, wait_for

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]


def test_a_restored_run_continues_and_verifies(installations: Callable[..., Installation], tape: Path) -> None:
    first, second = installations(), installations()
    feed = ("up", "--feed", "replay", "--tape", str(tape), "--speed")
    process = first.start(*feed, "60")

    def has_consumed() -> bool:
        assert process.poll() is None, first.stderr
        return bool(first.heartbeat("executor").get("seq", 0) > TAPE_EVENTS // 20)

    wait_for("events to be consumed", has_consumed, 400)
    shown = json.loads(first.run("monitor", "--json").stdout)
    assert shown["running"] is True and shown["report"]["run_id"] == 1 and "executor" in shown["health"]["parts"]
    made = first.run("backup", "-o", str(second.folder / "one.backup"), "--json")
    assert made.returncode == 0, made.stderr
    first.interrupt(process)
    process.wait(120)

    restored = second.run("restore", "one.backup", "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["newest_run"] == 1
    assert second.run("restore", "one.backup").returncode == 2, "it has data now"
    ended = second.run(*feed, "max", "--until-end", "--json", timeout_s=400)
    assert ended.returncode == 0, ended.stderr
    assert "Run 1 continues" in ended.stderr
    report = json.loads(ended.stdout)
    assert report["events"]["consumed"] == TAPE_EVENTS
    verified = second.run("verify", "--json")
    verdict = json.loads(verified.stdout)
    assert (verified.returncode, verdict["clean"], verdict["differences"]) == (0, True, [])
