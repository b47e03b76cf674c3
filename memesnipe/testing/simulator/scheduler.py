"""The scheduler: runs simulated processes in turn, in virtual time, and injects the faults of a plan.

A process runs in a greenlet. It stops at every call of the bus or the journal, and the scheduler chooses by seed the
process that continues. Two calls of one process may thus have any number of calls of the others between them.
"""

import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from greenlet import getcurrent, greenlet

from memesnipe.testing.simulator.faults import IN_TRANSACTIONS, LOCAL, Fault

_STEP_S: Final = (0.002, 0.02)  # the longest time that a call takes: on a fast and on a slow machine


class KilledError(Exception):
    """The process was killed at this call."""


class Process:
    """One simulated process; it is also the clock of what runs in it."""

    def __init__(self, name: str, scheduler: "Scheduler") -> None:
        self.name = name
        self.scheduler = scheduler
        self.wake_s = 0.0
        self._is_waiting = False
        self._faults: dict[str, str] = {}  # port -> the fault of its next call
        self._greenlet = greenlet(self._run)

    def work(self) -> None:
        """Run until the process is killed."""
        raise NotImplementedError

    def _run(self) -> None:
        with suppress(KilledError):
            self.work()

    @property
    def has_ended(self) -> bool:
        """Return whether the process was killed, or has returned."""
        return self._greenlet.dead

    def resume(self) -> None:
        """Continue until the next call of a port."""
        self._greenlet.switch()

    def kill(self) -> None:
        """End the process where it stands."""
        with suppress(KilledError):  # raised here by a process that had not begun
            self._greenlet.throw(KilledError)

    def step(self) -> None:
        """Let other processes run before a call of a port.

        Raises:
            KilledError: the plan kills this process here.
        """
        self.scheduler.reach(self, in_transaction=False)
        self.scheduler.greenlet.switch()

    def step_in_transaction(self) -> None:
        """Pass a statement within a transaction, where no other process runs.

        Raises:
            KilledError: the plan kills this process here.
        """
        self.scheduler.reach(self, in_transaction=True)

    def add_fault(self, port: str, kind: str) -> None:
        """Let the next call of a port fail."""
        self._faults[port] = kind

    def take_fault(self, port: str) -> str:
        """Return the fault of this call of a port; "" for none."""
        return self._faults.pop(port, "")

    def monotonic_s(self) -> float:
        """Return the virtual time in seconds."""
        return self.scheduler.now_s

    def now_ns(self) -> int:
        """Return the virtual time of day in ns since 1970 UTC."""
        return self.scheduler.now_ns()

    def sleep(self, seconds: float) -> None:
        """Let other processes run for this time, or until `wake` is called."""
        self.wake_s = self.scheduler.now_s + seconds
        self._is_waiting = True
        self.step()
        self._is_waiting = False

    def wake(self) -> None:
        """End the wait of `sleep`."""
        if self._is_waiting:
            self.wake_s = min(self.wake_s, self.scheduler.now_s)


class Scheduler:
    """Chooses the process of each step, and passes the faults of the plan to their targets."""

    def __init__(
        self,
        rng: random.Random,
        plan: list[Fault],
        inject: Callable[[Fault, Process], None],
    ) -> None:
        """Create a scheduler without processes.

        Args:
            rng: of all choices.
            plan: the faults, by step.
            inject: applies a fault that affects other parts than the process at whose step it is due.
        """
        self._rng, self._inject = rng, inject
        self._step_s = rng.choice(_STEP_S)
        self._start_ns = 0
        self._plan = deque(plan)
        self.injected: list[Fault] = []
        self.now_s = 0.0
        self.steps = 0
        self.processes: list[Process] = []
        self.current: Process | None = None
        self.greenlet = getcurrent()  # that of the caller, in which the scheduler runs

    def reach(self, process: Process, *, in_transaction: bool) -> None:
        """Count a step, and inject the faults that are due.

        Raises:
            KilledError: one of them kills the process.
        """
        self.steps += 1
        self.now_s += self._rng.random() * self._step_s
        while self._plan and self._plan[0].step <= self.steps:
            if in_transaction and self._plan[0].kind not in IN_TRANSACTIONS:
                return
            fault = self._plan.popleft()
            self.injected.append(fault)
            if fault.kind == "kill":
                raise KilledError
            if fault.kind == "pause":
                process.wake_s = self.now_s + fault.value
            elif fault.kind in LOCAL:
                process.add_fault(*LOCAL[fault.kind])
            else:
                self._inject(fault, process)

    def now_ns(self) -> int:
        """Return the virtual time of day in ns since 1970 UTC."""
        return self._start_ns + int(self.now_s * 1e9)

    def set_now_ns(self, now_ns: int) -> None:
        """Set the time of day; the monotonic time does not change."""
        self._start_ns += now_ns - self.now_ns()

    def run_one(self) -> Process:
        """Run one process up to its next step; return it."""
        awake = [process for process in self.processes if process.wake_s <= self.now_s]
        if not awake:
            self.now_s = min(process.wake_s for process in self.processes)
            awake = [process for process in self.processes if process.wake_s <= self.now_s]
        chosen = awake[int(self._rng.random() * len(awake))]
        self.current = chosen
        chosen.resume()
        self.current = None
        return chosen
