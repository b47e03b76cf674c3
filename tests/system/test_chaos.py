"""Parts of a running system are killed at moments that a seed draws, and its records are those of a run undisturbed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from memesnipe.protocol.streams import ACTORS
from memesnipe.roles.activity import WAITING
from memesnipe.testing.chaos.targets import RAY, TARGETS, targets_of
from tests.system.installation import Installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def chaos(installation: Installation, kills: int, seed: int) -> dict[str, Any]:
    """Return what `memesnipe chaos` found where it found nothing wrong; its replays stay in the installation."""
    installation.env["TMPDIR"] = str(installation.folder)
    done = installation.run("chaos", "--kills", str(kills), "--seed", str(seed), "--keep", "--json", timeout_s=800)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["differences"] == [], "\n".join(found["differences"])
    assert found["same_as_in_peace"] is found["verified"] is found["clean"] is True
    assert done.returncode == 0
    assert found["kills"] == sum(found["by_target"].values()) == kills
    assert found["together"] > 0
    names = [command["name"] for command in found["commands"]]
    assert names == ["halt", "risk_reset"] * (len(names) // 2) != []
    assert found["events"]["consumed"] == found["events"]["published"]
    assert found["trades"] > 0, "a market without trades shows nothing"
    return found


def test_every_actor_and_server_is_killed_and_the_records_stay_the_same(
    installations: Callable[..., Installation],
) -> None:
    one = installations()
    targets = set(TARGETS) - set(RAY)
    found = chaos(one, len(targets), seed=3)
    assert found["by_target"] == dict.fromkeys(targets, 1)
    assert sum(found["busy_hits"][actor] for actor in ACTORS) >= 2, found["busy_hits"]
    (logs,) = one.folder.glob("memesnipe-chaos-*/faults/.memesnipe/logs")
    supervisor, up = ((logs / name).read_text() for name in ("supervisor.jsonl", "up.jsonl"))
    assert supervisor.count("is being restarted") + supervisor.count("starting another") >= len(ACTORS)
    assert up.count("server died and was restarted") == 3  # Redis twice


@pytest.mark.long
def test_twenty_kills_change_nothing_in_the_records(installations: Callable[..., Installation]) -> None:
    found = chaos(installations(), 20, seed=3)
    assert set(found["by_target"]) == set(TARGETS), "every part was hit"
    busy = {actor: found["busy_hits"][actor] for actor in ACTORS}
    assert sum(busy.values()) >= 4, f"too many of the actors that were hit had nothing to do: {busy}"
    assert sum(count > 0 for count in busy.values()) >= 3, busy
    assert len(found["hit_while"].keys() - {WAITING}) >= 3, found["hit_while"]


@pytest.mark.long
def test_kills_of_two_arenas_leave_the_records_of_a_run_with_one(installations: Callable[..., Installation]) -> None:
    targets = set(targets_of(2)) - set(RAY)
    found = chaos(installations(ARENA_SHARDS="2"), len(targets), seed=3)
    assert found["by_target"] == dict.fromkeys(targets, 1)
