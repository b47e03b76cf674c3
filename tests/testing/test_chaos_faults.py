"""What chaos kills when: drawn from the seed, aimed at who is busy, and never lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memesnipe.config.home import installation_of
from memesnipe.roles.activity import BREEDING, COMMITTING, PUBLISHING, WAITING, WORKING, ActivityTracker, activity_file
from memesnipe.servers.leftovers import MARK
from memesnipe.servers.process import wait_until
from memesnipe.testing.chaos import faults as chaos_fire
from memesnipe.testing.chaos.faults import FaultInjector, FaultPlan, draw
from memesnipe.testing.chaos.targets import POSTGRES, REDIS, TARGETS, Targets

EVENTS = 10_000


class Dummies(Targets):
    """Targets of which a test says what they do; each is back at once unless it is said to be away."""

    def __init__(self, **doing: str) -> None:
        self.now = dict.fromkeys(TARGETS, WAITING) | doing
        self.killed: list[str] = []

    def doing(self, target: str) -> str:
        return self.now[target]

    def catch(self, target: str, aim: str) -> bool:
        return self.now[target] == aim

    def kill(self, target: str) -> str:
        if self.now[target]:
            self.killed.append(target)
        return self.now[target]


def fire_of(targets: Targets, monkeypatch: pytest.MonkeyPatch, *volleys: FaultPlan) -> FaultInjector:
    monkeypatch.setattr(chaos_fire, "draw", lambda *_: list(volleys))
    return FaultInjector(targets, len(volleys), 1, EVENTS, lambda *_: None)


@pytest.mark.parametrize("seed", range(20))
def test_a_seed_draws_every_target_and_every_kind_of_moment(seed: int) -> None:
    volleys = draw(40, seed, EVENTS)
    targets = [target for volley in volleys for target in volley.targets]
    assert (len(targets), set(targets)) == (40, set(TARGETS))
    assert volleys == draw(40, seed, EVENTS) != draw(40, seed + 1, EVENTS)
    assert [v.event for v in volleys] == sorted(v.event for v in volleys)
    assert any(v.aim for v in volleys) and any(v.delay_s for v in volleys) and any(len(v.targets) > 1 for v in volleys)
    assert draw(0, seed, EVENTS) == []


def test_an_aimed_kill_waits_until_its_target_is_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = Dummies(strategy_factory=WORKING)
    fire = fire_of(targets, monkeypatch, FaultPlan(100, ("strategy_factory", REDIS), aim=BREEDING))
    fire.look(99)
    fire.look(100)
    assert targets.killed == []
    targets.now["strategy_factory"] = BREEDING
    fire.look(100)
    assert targets.killed == ["strategy_factory", REDIS]
    assert (fire.busy_hits["strategy_factory"], fire.busy_hits[REDIS], fire.together) == (1, 0, 1)
    assert fire.hit_while == {BREEDING: 1, WAITING: 1}


def test_patience_and_the_tape_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = Dummies()
    fire = fire_of(
        targets, monkeypatch, FaultPlan(1, ("executor",), aim=COMMITTING), FaultPlan(2, ("position",), delay_s=9)
    )
    fire.look(8_499)
    assert targets.killed == []
    fire.look(8_500)
    assert targets.killed == ["executor", "position"]
    monkeypatch.setattr(chaos_fire, "_PATIENCE_S", 0.0)
    fire = fire_of(targets, monkeypatch, FaultPlan(1, ("portfolio",), aim=COMMITTING))
    fire.look(2)
    assert targets.killed[-1] == "portfolio"


def test_who_is_not_there_is_killed_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = Dummies(executor="")
    fire = fire_of(targets, monkeypatch, FaultPlan(1, ("executor", "position")))
    fire.look(2)
    assert (targets.killed, fire.together) == (["position"], 0)
    targets.now["executor"] = WORKING
    fire.look(2)
    fire.look(3)
    assert targets.killed == ["position", "executor"]


def test_a_server_is_busy_while_an_actor_uses_it(tmp_path: Path) -> None:
    pulse = ActivityTracker()
    pulse.open(activity_file(tmp_path, 1, "position"))
    targets = Targets(tmp_path)
    pulse.begin(COMMITTING)
    assert (targets.doing(POSTGRES), targets.doing(REDIS)) == (COMMITTING, WAITING)
    pulse.at(PUBLISHING)
    assert (targets.doing(POSTGRES), targets.doing(REDIS)) == (WAITING, PUBLISHING)
    assert (targets.doing("position"), targets.doing("executor")) == (PUBLISHING, "")


def test_who_is_caught_in_the_middle_stays_there_until_it_is_killed(tmp_path: Path) -> None:
    path = activity_file(tmp_path, 1, "executor")
    acts = (
        "import sys, pathlib; from memesnipe.roles.activity import ActivityTracker; "
        "p = ActivityTracker(); p.open(pathlib.Path(sys.argv[1]));"
    )
    acts += "print(flush=True)\nwhile True: p.at('working'); p.at('committing')"
    actor = subprocess.Popen(
        [sys.executable, "-c", acts, str(path), "ray::"],
        stdout=subprocess.PIPE,
        cwd=Path.cwd(),
        env=os.environ | {MARK: installation_of(tmp_path)},
    )
    assert actor.stdout is not None
    with actor.stdout:
        actor.stdout.readline()
    targets = Targets(tmp_path)
    assert not targets.catch("executor", BREEDING)
    assert wait_until(lambda: targets.catch("executor", COMMITTING), 20)
    assert [targets.doing("executor") for _ in range(100)] == [COMMITTING] * 100
    assert targets.kill("executor") == COMMITTING
    assert actor.wait(20) == -signal.SIGKILL
    assert (targets.doing("executor"), targets.kill("executor")) == ("", "")


def test_a_process_that_is_not_ours_is_never_killed(tmp_path: Path) -> None:
    pulse = ActivityTracker()
    pulse.open(activity_file(tmp_path, 1, "executor"))
    pulse.begin(WORKING)  # this very process
    assert Targets(tmp_path).kill("executor") == ""
