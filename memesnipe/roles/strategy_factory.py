"""The strategy factory: breeds generations on the latest events, and publishes the best as specs."""

import statistics
from collections.abc import Callable

from pydantic import TypeAdapter

from memesnipe.bus.merge import Entry
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.genetic_algorithm import GeneticAlgorithm, SearchSettings, SearchState
from memesnipe.market.events import GENERATION, Events, empty, join
from memesnipe.protocol.events import to_records
from memesnipe.protocol.messages import BacktestJob, BacktestResult, StrategySpec
from memesnipe.protocol.streams import BACKTEST_JOBS, EVENTS
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.schema import EvaluationRow, GenerationRow
from memesnipe.telemetry.metrics import ActorMetrics

_STATE = TypeAdapter(SearchState)

# (number of the generation, window, genomes) -> one evaluation a genome
Evaluate = Callable[[int, Events, list[Genome]], list[Evaluation]]


class StrategyFactory(Consumer):
    """Breeds with `memesnipe.evolution.genetic_algorithm.GeneticAlgorithm` on a rolling window of the latest events."""

    name = "strategy_factory"

    def __init__(self, context: Context, metrics: ActorMetrics, evaluate: Evaluate) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        search = SearchSettings(
            settings.evolution.population_size,
            settings.evolution.mutation_rate,
            settings.evolution.crossover_rate,
            settings.evolution.tournament_size,
        )
        self._algorithm = GeneticAlgorithm(context.families, search, settings.simulation.seed)
        self._evaluate = evaluate
        self._lockstep = context.choice.lockstep
        self._window: Events = empty(0)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Add events to the window, and breed where a generation is due; outside lockstep only the latest one due."""
        due = [i for i, entry in enumerate(entries) if entry.payload.flags & GENERATION]
        start = 0
        for i in due if self._lockstep else due[-1:]:
            self._roll(entries[start : i + 1])
            start = i + 1
            self._breed(entries[i].seq, work)
        self._roll(entries[start:])

    def _roll(self, entries: list[Entry]) -> None:
        if entries:
            new = to_records([entry.payload for entry in entries])
            self._window = join(self._window, new)[-self.context.settings.evolution.tape_window_events :]

    def _breed(self, seq: int, work: UnitOfWork) -> None:
        started = self.clock.monotonic_s()
        index = self._algorithm.generation
        genomes = self._algorithm.ask()
        window_events = len(self._window)
        announced = self.journal.unit_of_work()
        # One job a generation: if there are more jobs than generations, this one was announced before a crash.
        if self.journal.numbers_after(announced)[BACKTEST_JOBS] <= index:
            announced.send(BacktestJob(seq=seq, generation=index, genomes=len(genomes), window_events=window_events))
            self.commit(announced, self.offsets)
        evaluated = self._evaluate(index, self._window, genomes)
        fitness = [e.fitness for e in evaluated]
        self._algorithm.tell(genomes, evaluated)
        summary = {
            "evaluations": len(genomes),
            "best_fitness": max(fitness),
            "median_fitness": statistics.median(fitness),
            "seconds": self.clock.monotonic_s() - started,
        }
        work.add(GenerationRow, [{"index": index, "seq": seq, "window_events": window_events, **summary}])
        work.add(EvaluationRow, [_evaluation_row(index, e) for e in evaluated])
        work.send(
            BacktestResult(
                seq=seq,
                generation=index,
                genomes=len(genomes),
                window_events=window_events,
                evaluations=len(genomes),
                best_fitness=summary["best_fitness"],
                median_fitness=summary["median_fitness"],
                seconds=summary["seconds"],
            )
        )
        self._publish_best(index, seq, genomes, evaluated, work)
        work.snapshot = (seq, _STATE.dump_json(self._algorithm.dump()))
        self.log.info("generation", index=index, seq=seq, **summary)

    def _publish_best(
        self, index: int, seq: int, genomes: list[Genome], evaluated: list[Evaluation], work: UnitOfWork
    ) -> None:
        ranked = sorted(range(len(genomes)), key=lambda i: (-evaluated[i].fitness, i))
        best = ranked[: self.context.settings.evolution.specs_per_generation]
        for position, i in enumerate(best):
            genome, sharpes = genomes[i], _sharpes(evaluated[i])
            spec = StrategySpec(
                seq=seq,
                spec_id=genome.spec_id,
                generation=index,
                index=position,
                of=len(best),
                evaluations=(index + 1) * len(genomes),  # all of them count when a strategy is assessed
                fitness=evaluated[i].fitness,
                genome=genome,
                train_sharpe=sharpes["train_sharpe"],
                validation_sharpe=sharpes["validation_sharpe"],
            )
            work.send(spec)

    def catch_up(self, saved_seq: int) -> None:  # noqa: ARG002 - the window does not depend on it
        """Fill the window again; the search itself is in the snapshot."""
        last = self.offsets[EVENTS].number
        self.replay(max(0, last - self.context.settings.evolution.tape_window_events), self._roll)

    def dump(self) -> bytes:
        """Return the state of the search."""
        return _STATE.dump_json(self._algorithm.dump())

    def load(self, state: bytes) -> None:
        """Continue from a state of `dump`."""
        self._algorithm.load(_STATE.validate_json(state))


def _evaluation_row(generation: int, evaluated: Evaluation) -> dict[str, object]:
    return {
        "generation": generation,
        "spec_id": evaluated.spec_id,
        "fitness": evaluated.fitness,
        **_sharpes(evaluated),
    }


def _sharpes(evaluated: Evaluation) -> dict[str, float]:
    train, validation = evaluated.train, evaluated.validation
    return {
        "train_sharpe": train.sharpe if train else 0.0,
        "validation_sharpe": validation.sharpe if validation else 0.0,
    }
