"""The executor: moves the arena and the desk over the events, and writes down every order before it has an effect."""

import gc
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any

import orjson
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import bindparam, update

from memesnipe.bus.merge import Entry
from memesnipe.config.policies import limits_of
from memesnipe.engine.snapshot import EngineState
from memesnipe.engine.warm import compile_all
from memesnipe.errors import first_line
from memesnipe.market.events import Events
from memesnipe.protocol.events import to_records
from memesnipe.protocol.messages import ControlPayload, ExecutorProgress, SimulationResults
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS, EVENT_STREAMS, EVENTS, FILLS, decoder_of
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.storage.controls import count_controls, read_controls
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.runs import read_mints
from memesnipe.storage.schema import AllocationRow, OrderRow, TradeRow
from memesnipe.storage.schema_control import ControlRow, RefusalRow
from memesnipe.storage.snapshot_file import read_snapshot, write_snapshot
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.arena import ArenaState
from memesnipe.trading.execution import DeskSideState, ExecutionState, local_execution
from memesnipe.trading.records import Entries, of_step
from memesnipe.trading.replay import replay

_SMALL = TypeAdapter(tuple[DeskSideState, list[str], dict[str, int]])
_PROGRESS_EVERY = 256  # events
_PROGRESS_S = 1.0  # where they come seldom, but without a pause in which we would be idle
_GARBAGE_AFTER = 100_000  # objects made and not gone

# A snapshot only shortens a restart, so it may cost this share of the time, and no more than so many events pass
# without one: Redis keeps twice as many for actors that have no event log beside them.
_SNAPSHOT_SHARE = 0.003
_SNAPSHOT_EVERY_S = 5.0
_SNAPSHOT_EVERY_EVENTS = 50_000

_ENDED = (
    update(OrderRow.__table__)  # type: ignore[arg-type]
    .where(OrderRow.run_id == bindparam("b_run"), OrderRow.order_id == bindparam("b_order"))
    .values(status=bindparam("b_status"))
)
_IN_FORCE = (
    update(AllocationRow.__table__)  # type: ignore[arg-type]
    .where(AllocationRow.run_id == bindparam("b_run"), AllocationRow.seq == bindparam("b_seq"))
    .values(effective_seq=bindparam("b_effective"))
)


class Executor(Consumer):
    """Shell of `memesnipe.trading.execution.Execution`.

    Its state is derived, never the truth: the events, and what it was told after which of them (table `controls`),
    give it again. The snapshot is a file that makes this short; where it is missing or damaged, it is longer.
    """

    name = "executor"

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        self._execution = local_execution(
            context.families,
            context.fill_model,
            shadow_capital_usd=settings.simulation.shadow_capital_usd,
            limits=limits_of(settings),
            threads=settings.simulation.executor_threads,
        )
        self._mints: dict[int, str] = {}
        self._controls = 0  # obeyed so far
        self._told_seq, self._told_at = 0, 0.0  # how far others know that we are, and since when
        self._snapshot_seq = 0
        self._snapshot_due = 0.0
        self._writing: Future[None] | None = None
        self._writer = ThreadPoolExecutor(1, "snapshot")

    def _with_what_precedes(self, entries: list[Entry]) -> list[Entry]:
        """Also no message before the event it belongs to: when Redis has lost both, commands are back first."""
        known = self.positions[EVENTS].number
        for i, entry in enumerate(entries):
            if entry.stream in EVENT_STREAMS:
                known = entry.number
            elif entry.seq > known:
                return super()._with_what_precedes(entries[:i])
        return super()._with_what_precedes(entries)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Advance over runs of events, and obey what comes between them."""
        waiting: list[Entry] = []
        for entry in entries:
            if entry.stream in EVENT_STREAMS:
                waiting.append(entry)
                continue
            self._advance(waiting, work)
            waiting = []
            self._apply(entry, work)
        self._advance(waiting, work)
        untold = self._execution.seq - self._told_seq
        if untold >= _PROGRESS_EVERY or (untold and perf_counter() - self._told_at > _PROGRESS_S):
            self._tell_progress(work)

    def _advance(self, entries: list[Entry], work: UnitOfWork) -> None:
        if not entries:
            return
        payloads = [entry.payload for entry in entries]
        self._mints |= {payload.token: payload.mint for payload in payloads if payload.mint}
        for step in self._execution.advance(to_records(payloads)):
            self._write(of_step(step, self._mints), work)
            if step.results is not None:
                self._tell_progress(work)

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        seq = self._execution.seq
        self._controls += 1
        applied = {"number": self._controls, "stream": entry.stream, "entry": entry.number, "effective_seq": seq}
        work.add(ControlRow, [applied])
        self._write(of_step(self._execution.apply(entry.payload), self._mints), work)
        if entry.stream == COMMANDS:
            self._tell_progress(work)  # the position actor obeys it too, once it knows that we are here
        if entry.stream == ALLOCATIONS:
            work.change(_IN_FORCE, [{"b_run": self.context.run_id, "b_seq": entry.seq, "b_effective": seq}])

    def _write(self, entries: Entries, work: UnitOfWork) -> None:
        work.add(OrderRow, entries.orders)
        work.add(TradeRow, entries.trades)
        work.add(RefusalRow, entries.refusals)
        run_id = self.context.run_id
        ended = [{"b_run": run_id, "b_order": order, "b_status": status} for order, status in entries.ended.items()]
        if ended:
            work.change(_ENDED, ended)
        for message in entries.messages:
            is_results = isinstance(message, SimulationResults)
            after = {FILLS: self.journal.numbers_after(work)[FILLS]}
            work.send(replace(message, after=after) if is_results else message)

    def _tell_progress(self, work: UnitOfWork) -> None:
        """Tell how far we are: the position actor goes no further, so its marks do not depend on its haste."""
        self._told_seq, self._told_at = self._execution.seq, perf_counter()
        work.send(ExecutorProgress(seq=self._told_seq))

    def idle(self) -> None:
        """Tell those who wait for us that nothing more comes at the moment."""
        if self._execution.seq > self._told_seq:
            work = self.journal.unit_of_work()
            self._tell_progress(work)
            self.commit(work, self.positions)

    def keep_state(self, work: UnitOfWork, positions: dict[str, StreamOffset]) -> None:
        """Nothing: events and controls bring the state back."""

    def commit(self, work: UnitOfWork, positions: dict[str, StreamOffset]) -> None:
        """Commit and publish, and write a snapshot where one is due."""
        super().commit(work, positions)
        now = perf_counter()
        if now < self._snapshot_due and self._execution.seq - self._snapshot_seq < _SNAPSHOT_EVERY_EVENTS:
            return
        if self._writing is not None:
            if not self._writing.done():
                return
            self._writing.result()  # raises what went wrong
        self._write_snapshot()
        self._snapshot_due = now + max(_SNAPSHOT_EVERY_S, (perf_counter() - now) / _SNAPSHOT_SHARE)

    def _write_snapshot(self) -> None:
        """Copy the state that was just committed, and write it while we go on."""
        state = self._execution.dump()
        (arena,) = state.arenas
        header = {
            "run": self.context.run_id,
            "seq": self._execution.seq,
            "controls": self._controls,
            "arena": arena.engine.header,
            "small": orjson.Fragment(_SMALL.dump_json((state.side, arena.watched, arena.orders_of_removed))),
        }
        path = self.context.snapshot_file(self.name)
        self._writing = self._writer.submit(write_snapshot, path, orjson.dumps(header), arena.engine.arrays)
        self._snapshot_seq = self._execution.seq

    def close(self) -> None:
        """Let the snapshot be written, and let go of connections."""
        self._writer.shutdown()
        super().close()

    def open(self) -> None:
        """Come back to where the last commit left off."""
        # With thousands of strategies a search for garbage takes longer than the rest of a step, and finds little.
        gc.set_threshold(_GARBAGE_AFTER, 20, 20)
        compile_all(self.context.families)  # or the first decision would wait for what it needs to be loaded
        super().open()

    def recover(self) -> None:
        """Load the snapshot, and move over the events and controls since; what came of them was committed then."""
        with self.context.database.connect() as connection:
            self._mints = dict(enumerate(read_mints(connection, self.context.run_id)))
            self._load_snapshot(count_controls(connection, self.context.run_id))
            first, last = self._execution.seq + 1, self.positions[EVENTS].number
            controls, payloads = read_controls(connection, self.context.run_id, self._controls)

        def payload_of(key: tuple[str, int]) -> ControlPayload:
            payload: ControlPayload = decoder_of(key[0])(payloads[key])
            return payload

        for _ in replay(self._execution, self._events(first, last), controls, payload_of):
            pass
        self._controls += len(controls)
        self._told_seq, self._snapshot_seq, self._snapshot_due = 0, self._execution.seq, 0.0
        self.log.info("derived", from_seq=first - 1, to_seq=last, controls=len(controls))

    def _events(self, first: int, last: int) -> Iterator[Events]:
        if self.context.event_log.is_file():
            yield from read_batches(self.context.event_log, first, last)
            return
        for entries in self.context.bus.events_between(first, last):
            yield to_records([entry.payload for entry in entries])

    def _load_snapshot(self, controls: int) -> None:
        """Take the snapshot's state over, unless it is of another run, beyond what was committed, or not to be read."""
        found = read_snapshot(self.context.snapshot_file(self.name))
        if found is None:
            return
        header: dict[str, Any] = orjson.loads(found[0])
        fits = header["run"] == self.context.run_id and header["controls"] <= controls
        if not fits or header["seq"] > self.positions[EVENTS].number:
            self.log.warning("snapshot does not fit", run=header["run"], seq=header["seq"])
            return
        try:
            side, watched, orders_of_removed = _SMALL.validate_python(header["small"])
        except ValidationError as error:
            self.log.warning("snapshot cannot be read", error=first_line(error))
            return
        arena = ArenaState(EngineState(header["arena"], found[1]), watched, orders_of_removed)
        self._execution.load(ExecutionState([arena], side))
        self._controls = header["controls"]
