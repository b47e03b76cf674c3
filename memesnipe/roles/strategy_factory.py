"""The strategy factory: breeds generations on the latest hours of the market, and publishes the best as specs."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy import delete

from memesnipe.bus.merge import Entry
from memesnipe.config.policies import admission_of, budget_of, search_of
from memesnipe.engine.genome import Genome
from memesnipe.evolution.breeding import Breeder, BreederState, specs_of
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.samples import Sample
from memesnipe.feeds.choice import write_past_of
from memesnipe.market.events import GENERATION
from memesnipe.protocol.messages import ArenaStandings, BacktestJob, BacktestResult
from memesnipe.protocol.streams import ARENA_STANDINGS, BACKTEST_JOBS
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.roles.search_rows import elite_rows, evaluation_rows
from memesnipe.roles.training_window import TrainingWindow
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.runs import read_mints
from memesnipe.storage.schema import EliteRow, EvaluationRow, GenerationRow
from memesnipe.telemetry.metrics import ActorMetrics

_STATE = TypeAdapter(BreederState)

# (number of the generation, sample, genomes) -> one evaluation a genome
Evaluate = Callable[[int, Sample, list[Genome]], list[Evaluation]]


class StrategyFactory(Consumer):
    """Breeds with `memesnipe.evolution.genetic_algorithm.GeneticAlgorithm` on the latest hours of the market."""

    name = "strategy_factory"

    def __init__(self, context: Context, metrics: ActorMetrics, evaluate: Evaluate) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        self._breeder = Breeder(
            context.families,
            search_of(settings),
            settings.simulation.seed,
            admission=admission_of(settings),
            budget=budget_of(settings),
        )
        self._evaluate = evaluate
        self._lockstep = context.choice.lockstep
        self._past = context.past_tape if context.choice.past_hours else None
        self._window = TrainingWindow(
            context.event_log,
            settings.evolution.training_hours,
            context.slice_events,
            [*(Path(path) for path in context.choice.history), *([self._past] if self._past else [])],
            self._read_mints,
        )

    def _read_mints(self) -> list[str]:
        with self.context.database.connect() as connection:
            return read_mints(connection, self.context.run_id)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Learn from standings, and breed where a generation is due; outside lockstep only the latest one due."""
        due = 0
        for entry in entries:
            if isinstance(entry.payload, ArenaStandings):
                self._breeder.learn(entry.payload)
            elif entry.payload.flags & GENERATION:
                due = entry.seq
                if self._lockstep:
                    self._breed(due, work)
        if due and not self._lockstep:
            self._breed(due, work)

    def with_dependencies(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries before the first generation, in lockstep, that the standings of the last one must precede.

        They are published before the feed goes on, but may be missing after a loss of Redis.
        """
        learned, bred = self.offsets[ARENA_STANDINGS].number, self._breeder.index
        for i, entry in enumerate(entries if self._lockstep else ()):
            if entry.stream == ARENA_STANDINGS:
                learned = entry.number
            elif entry.payload.flags & GENERATION:
                if learned < bred:
                    return entries[:i]
                bred += 1
        return entries

    def _write_past(self) -> None:
        """Write the past of a generated market, where this installation does not have it yet."""
        if self._past is not None and not self._past.is_file():
            write_past_of(self.context.choice, self._past)

    def _breed(self, seq: int, work: UnitOfWork) -> None:
        started = self.clock.monotonic_s()
        index = self._breeder.index
        self._write_past()
        window = self._window.at(seq)
        race = self._breeder.ask(window)
        window_events = window.count
        announced = self.journal.unit_of_work()
        # One job a generation: if there are more jobs than generations, this one was announced before a crash.
        if self.journal.numbers_after(announced)[BACKTEST_JOBS] <= index:
            announced.send(BacktestJob(seq=seq, generation=index, genomes=race.count, window_events=window_events))
            # Without offsets: what was read since the last commit is not in a stored state, and is read again.
            self.context.bus.publish(self.journal.commit(announced, {}))
        generation = self._breeder.run(race, partial(self._evaluate, index))
        summary = {
            "evaluations": race.count,
            "best_fitness": generation.best_fitness,
            "median_fitness": generation.median_fitness,
            "seconds": self.clock.monotonic_s() - started,
        }
        proposed = {"proposed": len(generation.proposals), "reason": generation.reason}
        found = {**summary, **proposed, **asdict(generation.luck), "pbo": generation.pbo}
        work.add(GenerationRow, [{"index": index, "seq": seq, "window_events": window_events, **found}])
        work.add(EvaluationRow, evaluation_rows(generation))
        work.change(delete(EliteRow).where(EliteRow.run_id == self.context.run_id))
        work.add(EliteRow, elite_rows(self._breeder.elites))
        work.send(
            BacktestResult(
                seq=seq,
                generation=index,
                genomes=race.count,
                window_events=window_events,
                evaluations=race.count,
                best_fitness=generation.best_fitness,
                median_fitness=generation.median_fitness,
                seconds=summary["seconds"],
                proposed=len(generation.proposals),
            )
        )
        for spec in specs_of(generation, seq):
            work.send(spec)
        self._needs_snapshot = True
        self.metrics.add("generations")
        self.metrics.add("evaluations", race.count)
        self.metrics.set("evaluations_per_second", race.count / max(summary["seconds"], 1e-3))
        self.metrics.add("specs", len(generation.proposals))
        self.log.info("generation", index=index, seq=seq, **summary, **proposed)

    def dump(self) -> bytes:
        """Return the state of the search."""
        return _STATE.dump_json(self._breeder.dump())

    def load(self, state: bytes) -> None:
        """Continue from a state of `dump`."""
        self._breeder.load(_STATE.validate_json(state))
