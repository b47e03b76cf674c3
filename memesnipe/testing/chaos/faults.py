"""The faults of `memesnipe chaos`: targets and moments drawn from a seed, many aimed at a target's activity."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from memesnipe.roles.activity import BREEDING, COMMITTING, PUBLISHING, RECOVERING, WAITING, WORKING
from memesnipe.testing.chaos.targets import ALL_ACTORS, POSTGRES, RAY, REDIS, REDIS_EMPTIED, Targets, targets_of

# Activities at which a target may be aimed.
_AIMS: Final[dict[str, tuple[str, ...]]] = {
    "market_data": (WORKING, COMMITTING, PUBLISHING, RECOVERING),
    "strategy_factory": (BREEDING, BREEDING, COMMITTING, RECOVERING),
    REDIS: (PUBLISHING,),
    REDIS_EMPTIED: (PUBLISHING,),
    POSTGRES: (COMMITTING,),
} | dict.fromkeys(RAY, (WAITING,))
_AIMS_OF_OTHERS: Final = (WORKING, COMMITTING, PUBLISHING, RECOVERING)
_WEIGHT_OF_ACTORS: Final = 3  # actors are drawn more often, because their recovery is our code
_AIMED: Final = 0.6  # share of aimed fault plans
_MAX_DELAY_S: Final = 1.5
_AIM_TIMEOUT_S: Final = 8.0  # afterwards the target is killed at any activity
_TOGETHER: Final = 0.25  # share of fault plans with several targets
_LAST_DRAWN, _LAST_KILL = 0.75, 0.85  # shares of the tape, so that targets recover before its end

OnHit = Callable[[str, str], None]  # target, its activity


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Targets killed at the same moment: a delay after an event, or when the first target is at an activity."""

    event: float
    targets: tuple[str, ...]
    delay_s: float = 0.0
    aim: str = ""


def draw(kills: int, seed: int, events: int, arenas: int = 0) -> list[FaultPlan]:
    """Draw the fault plans of a seed, in order of their events; with a kill for each target every target occurs."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    drawn = targets_of(arenas)
    weights = [_WEIGHT_OF_ACTORS if target in ALL_ACTORS else 1 for target in drawn]
    targets = [*drawn, *rng.choices(drawn, weights, k=max(0, kills - len(drawn)))][:kills]
    rng.shuffle(targets)
    groups: list[tuple[str, ...]] = []
    while targets:
        size = rng.choice((2, 3)) if rng.random() < _TOGETHER else 1
        groups.append(tuple(targets[:size]))
        targets = targets[size:]
    gap = _LAST_DRAWN * events / max(len(groups), 1)
    return [_draw_plan(rng, (i + rng.random()) * gap, group) for i, group in enumerate(groups)]


def _draw_plan(rng: random.Random, event: float, targets: tuple[str, ...]) -> FaultPlan:
    if rng.random() < _AIMED:
        return FaultPlan(event, targets, aim=rng.choice(_AIMS.get(targets[0], _AIMS_OF_OTHERS)))
    return FaultPlan(event, targets, delay_s=rng.choice((0.0, rng.uniform(0, _MAX_DELAY_S))))


class FaultInjector:
    """Executes the fault plans of a seed, and counts the kills."""

    def __init__(self, targets: Targets, kills: int, seed: int, events: int, on_hit: OnHit, arenas: int = 0) -> None:
        self.hits: Counter[str] = Counter()
        self.busy_hits: Counter[str] = Counter()
        self.hit_while: Counter[str] = Counter()
        self.together = 0
        self._targets, self._on_hit = targets, on_hit
        self._planned = draw(kills, seed, events, arenas)[::-1]
        self._armed: list[tuple[float, FaultPlan]] = []
        self._last = _LAST_KILL * events

    def update(self, seq: int) -> None:
        """Execute the plans due at this event of the run."""
        now = time.monotonic()
        while self._planned and seq >= self._planned[-1].event:
            self._armed.append((now, self._planned.pop()))
        remaining: list[tuple[float, FaultPlan]] = []
        for since, plan in self._armed:
            if seq < self._last and not self._is_due(plan, now - since):
                remaining.append((since, plan))
                continue
            # Targets without a process are killed as soon as they have one.
            missed = self._kill(plan.targets)
            if missed:
                remaining.append((since, replace(plan, targets=missed, delay_s=0.0, aim="")))
        self._armed = remaining

    def _is_due(self, plan: FaultPlan, waited_s: float) -> bool:
        if plan.aim and waited_s < _AIM_TIMEOUT_S:
            return self._targets.stop_at(plan.targets[0], plan.aim)
        return waited_s >= plan.delay_s

    def _kill(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """Kill targets; return those without a process."""
        missed = []
        for target in targets:
            activity = self._targets.kill(target)
            if not activity:
                missed.append(target)
                continue
            self.hits[target] += 1
            self.hit_while[activity] += 1
            self.busy_hits[target] += activity != WAITING
            self._on_hit(target, activity)
        self.together += len(targets) - len(missed) > 1
        return tuple(missed)
