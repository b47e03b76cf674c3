"""Ray dies in the middle of a replay: it is told, Ray is started again, and the books are those of a calm run."""

import json
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from memesnipe.testing.chaos.targets import Targets
from tests.system.installation import TAPE_EVENTS, Installation, processes_of, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def test_a_replay_goes_on_after_parts_of_ray_were_killed(
    installations: Callable[..., Installation], tape: Path
) -> None:
    one = installations()
    process = one.start("up", "--feed", "replay", "--speed", "max", "--until-end", "--json", "--tape", str(tape))

    def has_come_to(seq: int) -> bool:
        assert process.poll() is None, one.stderr
        return bool(one.heartbeat("executor").get("seq", 0) >= seq)

    wait_for("the first events", lambda: has_come_to(500), 400)
    first = {pid for pid, command in processes_of(one.folder).items() if "ray::" in command or "/gcs_server" in command}
    assert Targets(one.folder / ".memesnipe").kill("ray gcs_server")
    wait_for("that to be noticed", lambda: "gcs_server (its control service) has ended" in one.stderr, 30)
    wait_for("`status` to say so", lambda: "Ray died" in one.run("status", "--json").stdout, 60)
    wait_for("Ray to be back", lambda: "Ray has restarted after" in one.stderr, 400)
    assert not first & set(processes_of(one.folder)), "nothing of the first Ray is left to trade beside the second"

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
    audit = one.run("verify", "--json")
    assert json.loads(audit.stdout)["clean"], audit.stdout
