"""Fault plans: drawn from the seed, aimed at activities, and always executed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memesnipe.config.home import Home, installation_of
from memesnipe.roles.activity import BREEDING, COMMITTING, PUBLISHING, WAITING, WORKING, ActivityTracker
from memesnipe.servers.leftovers import MARK
from memesnipe.servers.process import wait_until
from memesnipe.testing.chaos import faults as chaos_faults
from memesnipe.testing.chaos.faults import FaultInjector, FaultPlan, draw
from memesnipe.testing.chaos.targets import POSTGRES, REDIS, TARGETS, Targets

EVENTS = 10_000


class FakeTargets(Targets):
    """Targets with activities set by the test; a killed target restarts at once unless its activity is empty."""

    def __init__(self, **activities: str) -> None:
        self.now = dict.fromkeys(TARGETS, WAITING) | activities
        self.killed: list[str] = []

    def activity_of(self, target: str) -> str:
        return self.now[target]

    def stop_at(self, target: str, aim: str) -> bool:
        return self.now[target] == aim

    def kill(self, target: str) -> str:
        if self.now[target]:
            self.killed.append(target)
        return self.now[target]


def injector_for(targets: Targets, monkeypatch: pytest.MonkeyPatch, *plans: FaultPlan) -> FaultInjector:
    monkeypatch.setattr(chaos_faults, "draw", lambda *_: list(plans))
    return FaultInjector(targets, len(plans), 1, EVENTS, lambda *_: None)


@pytest.mark.parametrize("seed", range(20))
def test_draw_is_reproducible_and_covers_all_targets_and_moments(seed: int) -> None:
    plans = draw(40, seed, EVENTS)
    targets = [target for plan in plans for target in plan.targets]
    assert (len(targets), set(targets)) == (40, set(TARGETS))
    assert plans == draw(40, seed, EVENTS) != draw(40, seed + 1, EVENTS)
    assert [p.event for p in plans] == sorted(p.event for p in plans)
    assert any(p.aim for p in plans) and any(p.delay_s for p in plans) and any(len(p.targets) > 1 for p in plans)
    assert draw(0, seed, EVENTS) == []


def test_arenas_of_their_own_are_targets_and_change_nothing_for_other_runs() -> None:
    targets = [target for plan in draw(40, 3, EVENTS, 2) for target in plan.targets]
    assert set(targets) == {*TARGETS, "arena_0", "arena_1"}
    assert draw(40, 3, EVENTS, 0) == draw(40, 3, EVENTS)


def test_an_arena_is_killed_as_the_other_actors(tmp_path: Path) -> None:
    tracker = ActivityTracker()
    tracker.open(Home(tmp_path).run(1).activity("arena_1"))
    tracker.begin(WORKING)  # this very process, which belongs to no installation
    targets = Targets(tmp_path)
    assert (targets.activity_of("arena_1"), targets.activity_of("arena_0")) == (WORKING, "")
    assert targets.kill("arena_1") == ""


def test_an_aimed_kill_waits_for_the_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = FakeTargets(strategy_factory=WORKING)
    injector = injector_for(targets, monkeypatch, FaultPlan(100, ("strategy_factory", REDIS), aim=BREEDING))
    injector.update(99)
    injector.update(100)
    assert targets.killed == []
    targets.now["strategy_factory"] = BREEDING
    injector.update(100)
    assert targets.killed == ["strategy_factory", REDIS]
    assert (injector.busy_hits["strategy_factory"], injector.busy_hits[REDIS], injector.together) == (1, 0, 1)
    assert injector.hit_while == {BREEDING: 1, WAITING: 1}


def test_overdue_plans_are_executed_near_the_end_or_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = FakeTargets()
    injector = injector_for(
        targets, monkeypatch, FaultPlan(1, ("executor",), aim=COMMITTING), FaultPlan(2, ("position",), delay_s=9)
    )
    injector.update(8_499)
    assert targets.killed == []
    injector.update(8_500)
    assert targets.killed == ["executor", "position"]
    monkeypatch.setattr(chaos_faults, "_AIM_TIMEOUT_S", 0.0)
    injector = injector_for(targets, monkeypatch, FaultPlan(1, ("portfolio",), aim=COMMITTING))
    injector.update(2)
    assert targets.killed[-1] == "portfolio"


def test_an_absent_target_is_killed_after_its_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = FakeTargets(executor="")
    injector = injector_for(targets, monkeypatch, FaultPlan(1, ("executor", "position")))
    injector.update(2)
    assert (targets.killed, injector.together) == (["position"], 0)
    targets.now["executor"] = WORKING
    injector.update(2)
    injector.update(3)
    assert targets.killed == ["position", "executor"]


def test_a_server_has_the_activity_of_the_actor_that_uses_it(tmp_path: Path) -> None:
    tracker = ActivityTracker()
    tracker.open(Home(tmp_path).run(1).activity("position"))
    targets = Targets(tmp_path)
    tracker.begin(COMMITTING)
    assert (targets.activity_of(POSTGRES), targets.activity_of(REDIS)) == (COMMITTING, WAITING)
    tracker.set(PUBLISHING)
    assert (targets.activity_of(POSTGRES), targets.activity_of(REDIS)) == (WAITING, PUBLISHING)
    assert (targets.activity_of("position"), targets.activity_of("executor")) == (PUBLISHING, "")


def test_an_actor_is_stopped_at_the_aimed_activity_until_killed(tmp_path: Path) -> None:
    path = Home(tmp_path).run(1).activity("executor")
    script = (
        "import sys, pathlib; from memesnipe.roles.activity import ActivityTracker; "
        "p = ActivityTracker(); p.open(pathlib.Path(sys.argv[1]));"
    )
    script += "print(flush=True)\nwhile True: p.set('working'); p.set('committing')"
    actor = subprocess.Popen(
        [sys.executable, "-c", script, str(path), "ray::"],
        stdout=subprocess.PIPE,
        cwd=Path.cwd(),
        env=os.environ | {MARK: installation_of(tmp_path)},
    )
    assert actor.stdout is not None
    with actor.stdout:
        actor.stdout.readline()
    targets = Targets(tmp_path)
    assert not targets.stop_at("executor", BREEDING)
    assert wait_until(lambda: targets.stop_at("executor", COMMITTING), 20)
    assert [targets.activity_of("executor") for _ in range(100)] == [COMMITTING] * 100
    assert targets.kill("executor") == COMMITTING
    assert actor.wait(20) == -signal.SIGKILL
    assert (targets.activity_of("executor"), targets.kill("executor")) == ("", "")


def test_a_process_of_another_installation_is_never_killed(tmp_path: Path) -> None:
    tracker = ActivityTracker()
    tracker.open(Home(tmp_path).run(1).activity("executor"))
    tracker.begin(WORKING)  # this very process
    assert Targets(tmp_path).kill("executor") == ""
