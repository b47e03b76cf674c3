"""Twenty parts of a running system are killed at moments that a seed draws, and its books are those of a calm run."""

import json
from collections.abc import Callable

import pytest

from memesnipe.protocol.streams import ACTORS
from memesnipe.roles.activity import WAITING
from memesnipe.testing.chaos.targets import TARGETS
from tests.system.installation import Installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

KILLS = 20
BUSY_HITS = 4  # of about 10 that hit an actor; more than half of all are aimed


def test_twenty_kills_change_nothing_in_the_books(installations: Callable[..., Installation]) -> None:
    done = installations().run("chaos", "--kills", str(KILLS), "--seed", "3", "--json", timeout_s=800)
    assert done.stdout, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["differences"] == []
    assert verdict["same_as_in_peace"] is verdict["verified"] is verdict["clean"] is True
    assert done.returncode == 0
    assert verdict["kills"] == sum(verdict["by_target"].values()) == KILLS
    assert set(verdict["by_target"]) == set(TARGETS), "every part was hit"
    busy = {actor: verdict["busy_hits"][actor] for actor in ACTORS}
    assert sum(busy.values()) >= BUSY_HITS, f"too many of the actors that were hit had nothing to do: {busy}"
    assert sum(count > 0 for count in busy.values()) >= 3, busy
    assert len(verdict["hit_while"].keys() - {WAITING}) >= 3, verdict["hit_while"]
    assert verdict["together"] > 0
    names = [command["name"] for command in verdict["commands"]]
    assert names == ["halt", "risk_reset"] * (len(names) // 2) != []
    assert verdict["events"]["consumed"] == verdict["events"]["published"]
    assert verdict["trades"] > 0, "a market without trades shows nothing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
        ("DATABASE_URL", "postgresql://someone:else@127.0.0.1:1/theirs"),
        ("RAY_ADDRESS", "127.0.0.1:1"),
    ],
)
def test_servers_of_others_are_not_killed(installations: Callable[..., Installation], name: str, value: str) -> None:
    refused = installations(**{name: value}).run("chaos", "--kills", "1", "--json")
    assert refused.returncode == 3
    assert name in refused.stderr
    assert not refused.stdout
