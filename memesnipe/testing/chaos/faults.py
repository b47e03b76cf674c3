"""What `memesnipe chaos` kills when: drawn from a seed, and aimed at those who are in the middle of something."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from memesnipe.protocol.streams import ACTORS
from memesnipe.roles.activity import BREEDING, COMMITTING, PUBLISHING, RECOVERING, WAITING, WORKING
from memesnipe.testing.chaos.targets import POSTGRES, RAY, REDIS, REDIS_EMPTIED, TARGETS, Targets

# In the middle of what a target may be hit on purpose.
_AIMS: Final[dict[str, tuple[str, ...]]] = {
    "market_data": (WORKING, COMMITTING, PUBLISHING, RECOVERING),
    "strategy_factory": (BREEDING, BREEDING, COMMITTING, RECOVERING),
    REDIS: (PUBLISHING,),
    REDIS_EMPTIED: (PUBLISHING,),
    POSTGRES: (COMMITTING,),
} | dict.fromkeys(RAY, (WAITING,))
_AIMS_OF_OTHERS: Final = (WORKING, COMMITTING, PUBLISHING, RECOVERING)
_WEIGHT_OF_ACTORS: Final = 3  # what they are in the middle of is ours to get right
_AIMED: Final = 0.6  # share of the kills
_MAX_DELAY_S: Final = 1.5
_PATIENCE_S: Final = 8.0  # then it is killed whatever it does
_TOGETHER: Final = 0.25  # share of the moments at which more than one thing dies
_LAST_DRAWN, _LAST_KILL = 0.75, 0.85  # of the tape: what was killed last must be back before the end

OnHit = Callable[[str, str], None]  # target, what it was in the middle of


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Targets that die at the same moment: some time after an event, or once the first of them is at something."""

    event: float
    targets: tuple[str, ...]
    delay_s: float = 0.0
    aim: str = ""


def draw(kills: int, seed: int, events: int) -> list[FaultPlan]:
    """The volleys of a seed, in the order of their events. From 13 kills on every target is among them."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    weights = [_WEIGHT_OF_ACTORS if target in ACTORS else 1 for target in TARGETS]
    targets = [*TARGETS, *rng.choices(TARGETS, weights, k=max(0, kills - len(TARGETS)))][:kills]
    rng.shuffle(targets)
    groups: list[tuple[str, ...]] = []
    while targets:
        size = rng.choice((2, 3)) if rng.random() < _TOGETHER else 1
        groups.append(tuple(targets[:size]))
        targets = targets[size:]
    gap = _LAST_DRAWN * events / max(len(groups), 1)
    return [_volley(rng, (i + rng.random()) * gap, group) for i, group in enumerate(groups)]


def _volley(rng: random.Random, event: float, targets: tuple[str, ...]) -> FaultPlan:
    if rng.random() < _AIMED:
        return FaultPlan(event, targets, aim=rng.choice(_AIMS.get(targets[0], _AIMS_OF_OTHERS)))
    return FaultPlan(event, targets, delay_s=rng.choice((0.0, rng.uniform(0, _MAX_DELAY_S))))


class FaultInjector:
    """Fires the volleys of a seed, and keeps what was hit."""

    def __init__(self, targets: Targets, kills: int, seed: int, events: int, on_hit: OnHit) -> None:
        self.hits: Counter[str] = Counter()
        self.busy_hits: Counter[str] = Counter()
        self.hit_while: Counter[str] = Counter()
        self.together = 0
        self._targets, self._on_hit = targets, on_hit
        self._planned = draw(kills, seed, events)[::-1]
        self._armed: list[tuple[float, FaultPlan]] = []
        self._last = _LAST_KILL * events

    def look(self, seq: int) -> None:
        """Fire what is due while the run is at this event."""
        now = time.monotonic()
        while self._planned and seq >= self._planned[-1].event:
            self._armed.append((now, self._planned.pop()))
        still: list[tuple[float, FaultPlan]] = []
        for since, volley in self._armed:
            if seq < self._last and not self._is_due(volley, now - since):
                still.append((since, volley))
                continue
            # What is not there to be killed is killed as soon as it is.
            left = self._shoot(volley.targets)
            if left:
                still.append((since, replace(volley, targets=left, delay_s=0.0, aim="")))
        self._armed = still

    def _is_due(self, volley: FaultPlan, waited_s: float) -> bool:
        if volley.aim and waited_s < _PATIENCE_S:
            return self._targets.catch(volley.targets[0], volley.aim)
        return waited_s >= volley.delay_s

    def _shoot(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """Kill them; those that were not there."""
        missed = []
        for target in targets:
            doing = self._targets.kill(target)
            if not doing:
                missed.append(target)
                continue
            self.hits[target] += 1
            self.hit_while[doing] += 1
            self.busy_hits[target] += doing != WAITING
            self._on_hit(target, doing)
        self.together += len(targets) - len(missed) > 1
        return tuple(missed)
