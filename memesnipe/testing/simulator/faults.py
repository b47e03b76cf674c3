"""The faults of a simulated run, and a plan of them by seed."""

import random
from dataclasses import dataclass
from typing import Final

# Faults of the process at whose step they are due: the port whose next call fails, and how.
LOCAL: Final = {
    "redis_drop_before": ("redis", "drop_before"),  # the connection is lost, and the command was not executed
    "redis_drop_after": ("redis", "drop_after"),  # the command was executed, and the reply is lost
    "redis_repeat": ("redis", "repeat"),  # the command is executed twice
    "database_refused": ("database", "refused"),  # the transaction does not begin
    "database_reply_lost": ("database", "reply_lost"),  # the transaction was committed, and the reply is lost
}
IN_TRANSACTIONS: Final = ("kill",)

# kind -> how often it is chosen
_WEIGHTS: Final = {
    "kill": 10,
    "pause": 3,
    "replace": 2,  # another process of the same role starts while the old one still runs
    "redis_drop_before": 2,
    "redis_drop_after": 2,
    "redis_repeat": 2,
    "redis_restart": 3,  # with an earlier state of its data
    "redis_flush": 2,
    "redis_foreign_entry": 1,
    "database_refused": 2,
    "database_reply_lost": 3,
    "snapshot_lost": 1,  # the executor's snapshot file is removed, truncated or replaced by an older one
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is due at a step of the run."""

    step: int
    kind: str
    value: float = 0.0  # in [0, 1) for a choice within the fault; seconds of a pause


def plan_faults(rng: random.Random, most: int, steps: int, *, commands: bool) -> list[Fault]:
    """Return up to ``most`` faults within the first ``steps`` steps, and up to as many commands of users."""
    kinds = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=rng.randint(0, most))
    if commands:
        kinds += ["command"] * rng.randint(1, most)
    faults = []
    for kind in kinds:
        value = rng.choice((0.2, 2.0, 15.0)) if kind == "pause" else rng.random()
        faults.append(Fault(rng.randint(1, steps), kind, value))
    return sorted(faults, key=lambda fault: fault.step)
