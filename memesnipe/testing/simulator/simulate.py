"""Simulated runs by seed: one, or many in parallel processes."""

import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from memesnipe.testing.simulator.database import Database
from memesnipe.testing.simulator.history import History
from memesnipe.testing.simulator.outcome import check_outcome

_CHUNK = 20  # seeds of one task
# A file system in memory, where there is one: the files of a run are synced to disk after every batch of events.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """The result of one simulated run."""

    seed: int
    steps: int
    faults: tuple[str, ...]  # the kinds of the injected faults, in order
    trades: int
    error: str  # "" if every check has passed

    @property
    def is_correct(self) -> bool:
        """Return whether every check has passed."""
        return not self.error


@cache
def _database() -> Database:
    return Database()


def simulate(seed: int) -> SimulatedRun:
    """Run a history to its end and check it; a defect is a result, with its traceback."""
    database = _database()
    with TemporaryDirectory(prefix="memesnipe-simulated-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        history = History(seed, database, Path(folder))
        error = ""
        try:
            history.run()
            check_outcome(history)
        except Exception as defect:  # noqa: BLE001 - any error is the finding
            error = "".join(traceback.format_exception(defect, limit=-6))
        finally:
            history.stop()
        (trades,) = database.raw.execute("SELECT count(*) FROM trades").fetchone()
    scheduler = history.scheduler
    return SimulatedRun(seed, scheduler.steps, tuple(fault.kind for fault in scheduler.injected), trades, error)


def _simulate_several(seeds: Sequence[int]) -> list[SimulatedRun]:
    return [simulate(seed) for seed in seeds]


def simulate_all(first_seed: int, count: int, workers: int) -> Iterator[SimulatedRun]:
    """Yield the results of the seeds from ``first_seed`` on, in order."""
    last = first_seed + count
    chunks = [range(start, min(start + _CHUNK, last)) for start in range(first_seed, last, _CHUNK)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for runs in pool.map(_simulate_several, chunks):
            yield from runs
