"""Processor time of the processes of a local Ray: wall clock depends on what else a machine does, this much less."""

import time
from collections.abc import Iterable
from typing import Any

import psutil


class ProcessorTime:
    """Measures a phase of work: the processor time of this process, of each worker and of Ray's other processes.

    A phase consists of rounds, in each of which the workers run at the same time and the next one begins when all of
    them have ended.

    Attributes:
        longest: seconds of the worker with most processor time in each round, summed over the rounds.
    """

    def __init__(self) -> None:
        children = psutil.Process().children(recursive=True)
        names = {process: _title(process) for process in children}
        self._workers = [process for process, name in names.items() if name.startswith("ray::")]
        self._others = [process for process, name in names.items() if not name.startswith("ray::")]
        self.longest = 0.0
        self._started = self._now()

    def _now(self) -> tuple[float, float, float]:
        return time.process_time(), sum(_seconds(self._workers)), sum(_seconds(self._others))

    def round(self, work: Any, *arguments: Any) -> Any:
        """Do one round of work; return its result."""
        before = _seconds(self._workers)
        result = work(*arguments)
        self.longest += max((b - a for a, b in zip(before, _seconds(self._workers), strict=True)), default=0.0)
        return result

    def finish(self) -> dict[str, float]:
        """Return the processor time of the phase in seconds.

        Returns:
            ``driver_s`` of this process, ``workers_s`` of all workers, ``ray_s`` of Ray's other processes, and
            ``path_s`` along the critical path: this process, then the longest worker of each round. What this process
            does while workers are at work counts too.
        """
        driver, workers, ray = (after - before for before, after in zip(self._started, self._now(), strict=True))
        return {"driver_s": driver, "workers_s": workers, "ray_s": ray, "path_s": driver + self.longest}


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has ended since it was found
        return ""


def _seconds(processes: Iterable[psutil.Process]) -> list[float]:
    return [sum(process.cpu_times()[:2]) if process.is_running() else 0.0 for process in processes]
