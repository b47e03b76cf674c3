"""The machine of a simulated run: its servers and files, and the contexts of the processes on it."""

import logging
import random
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from memesnipe.bus.redis_bus import Bus
from memesnipe.config.policies import fill_model_of
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import BLOCKS, Evaluation, Segment, run_segment
from memesnipe.evolution.samples import Sample
from memesnipe.evolution.spans import cut
from memesnipe.feeds.choice import AS_FAST_AS_POSSIBLE, FeedChoice
from memesnipe.market.events import join
from memesnipe.roles.context import Context
from memesnipe.sdk.registry import discover
from memesnipe.storage.lease import Epochs
from memesnipe.telemetry.logs import Logger
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.simulator.database import Database
from memesnipe.testing.simulator.market import SimulatedFeed, market
from memesnipe.testing.simulator.redis_client import RedisClient
from memesnipe.testing.simulator.redis_server import RedisServer
from memesnipe.testing.simulator.scheduler import Process
from memesnipe.testing.simulator.settings import simulated_settings

_ONLY_CRITICAL: Final = structlog.make_filtering_bound_logger(logging.CRITICAL)
_SILENT: Final[Logger] = structlog.wrap_logger(None, wrapper_class=_ONLY_CRITICAL)
_SNAPSHOT_EVERY_S: Final = 0.2  # a run takes seconds
TAPE_SPAN_S: Final = 100  # and has six minutes of events
SLICE_EVENTS: Final = 40  # of some 150
families: Final = cache(discover)
metrics: Final = cache(ActorMetrics)


@dataclass(slots=True)
class Machine:
    """What the processes of one run share."""

    home: Path
    database: Database
    server: RedisServer
    rng: random.Random
    market: int
    run_id: int
    live: bool  # the feed delivers events as they happen, and no decision is waited for
    arenas: int = 0  # that have processes of their own

    @property
    def choice(self) -> FeedChoice:
        """Return the options of the run."""
        history = self.home / "history.tape"
        return FeedChoice(
            "replay", 1.0 if self.live else AS_FAST_AS_POSSIBLE, history=[str(history)] if history.exists() else []
        )

    def feed(self, process: Process) -> SimulatedFeed:
        """Return the feed of a process, not open yet."""
        return SimulatedFeed(market(self.market), self.rng, process, live=self.live)


class InlineWriter(Executor):
    """Writes at once what the product writes in a thread."""

    def submit(self, task: Any, /, *arguments: Any, **options: Any) -> "Future[Any]":
        """Run the task and return its result."""
        done: Future[Any] = Future()
        done.set_result(task(*arguments, **options))
        return done


class SimulatedContext(Context):
    """The resources of a role in a simulated process."""

    def __init__(self, machine: Machine, process: Process, epochs: Epochs) -> None:
        super().__init__(
            machine.home,
            machine.run_id,
            clock=process,
            snapshot_every_s=_SNAPSHOT_EVERY_S,
            tape_span_s=TAPE_SPAN_S,
            slice_events=SLICE_EVENTS,
            epochs=epochs,
        )
        bus = Bus("", process, lambda *_: RedisClient(machine.server, process))  # type: ignore[arg-type]
        vars(self).update(
            settings=simulated_settings(),
            database=machine.database.of(process),
            bus=bus,
            families=families(),
            choice=machine.choice,
            arenas=machine.arenas,
        )

    @property
    def stream_key(self) -> bytes:
        """The key of the run's entries."""
        return b"0123456789abcdef"

    @property
    def installation(self) -> str:
        """The name of the installation."""
        return "simulated"

    def compile_strategies(self) -> None:
        """Compile nothing: all runs of the real process share what is compiled."""

    def background_writer(self) -> Executor:
        """Return a writer that writes at once."""
        return InlineWriter()

    def log(self, actor: str) -> Logger:  # noqa: ARG002 - a failure is repeated by its seed, and read there
        """Return a logger that writes nothing."""
        return _SILENT


_evaluated: dict[bytes, list[Evaluation]] = {}


def evaluate_sample(sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
    """Evaluate genomes: the fittest strategy is the one with most orders, so that every run trades.

    Equal samples and genomes have equal results, which are computed once.
    """
    window = sample.window
    slices = [sample.select(cut(slice_.load(), window.span)) for slice_ in window.slices]
    key = blake2b(join(*slices).tobytes() + "".join(genome.spec_id for genome in genomes).encode()).digest()
    if key not in _evaluated:
        segment = Segment(window.span, slices)
        settings = simulated_settings()
        capital_usd = settings.simulation.shadow_capital_usd
        records = run_segment(segment, genomes, families(), fill_model_of(settings), capital_usd)
        _evaluated[key] = [
            Evaluation(genome.spec_id, record.result, None, float(record.result.orders), np.zeros((2 * BLOCKS, 3)))
            for genome, record in zip(genomes, records, strict=True)
        ]
    return _evaluated[key]
