"""The executor: advances arena and desk over the events, and commits every order before it takes effect."""

import gc
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace
from sqlalchemy import bindparam, update

from memesnipe.bus.merge import Entry
from memesnipe.config.policies import ledger_policy_of, limits_of
from memesnipe.errors import SettingsError
from memesnipe.market.events import Events
from memesnipe.protocol.account import Account
from memesnipe.protocol.events import to_records
from memesnipe.protocol.messages import ControlPayload, ExecutorProgress, SimulationResults
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS, EVENT_STREAMS, EVENTS, FILLS, decoder_of
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.roles.executor_snapshot import ExecutorSnapshots, Restored
from memesnipe.roles.order_path import report_steps
from memesnipe.roles.venue_orders import OpenVenue, VenueOrders
from memesnipe.storage.controls import count_controls, read_controls
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.runs import read_mints
from memesnipe.storage.schema import AllocationRow, OrderRow, TradeRow
from memesnipe.storage.schema_control import ControlRow, RefusalRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.desk import Desk
from memesnipe.trading.execution import local_execution
from memesnipe.trading.records import Entries, of_step
from memesnipe.trading.replay import replay
from memesnipe.trading.steps import Step

_PROGRESS_EVERY: Final = 256  # events
_PROGRESS_S: Final = 1.0  # where events are rare, but too frequent for the executor to become idle
_GROWN_AT_ONCE: Final = 16  # strategies, after each step: about a millisecond
_GARBAGE_AFTER: Final = 100_000  # objects allocated and not freed

_SET_STATUS = (
    update(OrderRow.__table__)  # type: ignore[arg-type]
    .where(OrderRow.run_id == bindparam("b_run"), OrderRow.order_id == bindparam("b_order"))
    .values(status=bindparam("b_status"))
)
_SET_PARITY = (
    update(TradeRow.__table__)  # type: ignore[arg-type]
    .where(TradeRow.run_id == bindparam("b_run"), TradeRow.order_id == bindparam("b_order"))
    .values(parity_bps=bindparam("b_parity"))
)
_SET_EFFECTIVE = (
    update(AllocationRow.__table__)  # type: ignore[arg-type]
    .where(AllocationRow.run_id == bindparam("b_run"), AllocationRow.seq == bindparam("b_seq"))
    .values(effective_seq=bindparam("b_effective"))
)


class Executor(Consumer):
    """Runs `memesnipe.trading.execution.Execution` on the streams.

    Its state is derived from the events, and from the controls with the event after which each was applied (table
    `controls`). A control that follows an event takes effect before the next event.
    """

    name = "executor"

    def __init__(self, context: Context, metrics: ActorMetrics, open_venue: OpenVenue | None = None) -> None:
        """Create an executor in its initial state.

        Args:
            context: settings, database, streams and files.
            metrics: of the actor.
            open_venue: opens the client of the live account's venue; None where the run has no live account.

        Raises:
            SettingsError: there is a live account without a venue, or a venue without a live account.
        """
        super().__init__(context, metrics)
        settings = context.settings
        self._execution = local_execution(
            context.families,
            context.fill_model,
            shadow_capital_usd=settings.simulation.shadow_capital_usd,
            limits={account: limits_of(settings) for account in context.capital},
            policies={account: ledger_policy_of(settings, capital) for account, capital in context.capital.items()},
            threads=settings.simulation.executor_threads,
        )
        if (open_venue is not None) != (Account.LIVE in context.capital):
            raise SettingsError(f"run {context.run_id}: a live account requires a venue for its orders, and none other")
        self._mints: dict[int, str] = {}
        self._venue_orders = VenueOrders(open_venue, lambda token: self._mints[token])
        self._controls = 0  # applied so far
        self._published_seq, self._published_at = 0, 0.0  # the last published watermark, and its time
        self._uncounted: list[Step] = []  # steps that are not committed yet
        self._read_at = 0.0
        self._snapshots = ExecutorSnapshots(
            context.snapshot_file(self.name),
            context.run_id,
            self.log,
            self.clock,
            context.background_writer(),
            context.snapshot_every_s,
        )

    @property
    def desks(self) -> dict[Account, Desk]:
        """The desk of each account, after the last step."""
        return {name: account.desk for name, account in self._execution.accounts.items()}

    def with_dependencies(self, entries: list[Entry]) -> list[Entry]:
        """Return the prefix that may be applied; a message never precedes the event that it belongs to.

        When Redis has lost events and commands, the commands are published again first.
        """
        consumed = self.offsets[EVENTS].number
        for i, entry in enumerate(entries):
            if entry.stream in EVENT_STREAMS:
                consumed = entry.number
            elif entry.seq > consumed:
                return super().with_dependencies(entries[:i])
        return super().with_dependencies(entries)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Advance over runs of events, and apply the controls between them."""
        self._read_at = self.clock.monotonic_s()
        events: list[Entry] = []
        for entry in entries:
            if entry.stream in EVENT_STREAMS:
                events.append(entry)
                continue
            self._advance(events, work)
            events = []
            self._apply(entry, work)
        self._advance(events, work)
        self._venue_orders.publish_reports(work, self._execution.seq)
        unpublished = self._execution.seq - self._published_seq
        is_due = self.clock.monotonic_s() - self._published_at > _PROGRESS_S
        if unpublished >= _PROGRESS_EVERY or (unpublished and is_due):
            self._publish_progress(work)

    def _advance(self, entries: list[Entry], work: UnitOfWork) -> None:
        if not entries:
            return
        payloads = [entry.payload for entry in entries]
        self._mints |= {payload.token: payload.mint for payload in payloads if payload.mint}
        level_changed = False
        for step in self._execution.advance(to_records(payloads)):
            self._write(step, work)
            level_changed |= step.level_changed
            if step.results is not None:
                self._publish_progress(work)
        if level_changed:
            self._publish_progress(work)  # the position role records the level once this watermark has reached it

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        seq = self._execution.seq
        self._controls += 1
        if entry.stream == ALLOCATIONS:
            self._snapshots.abandon()
        applied = {"number": self._controls, "stream": entry.stream, "entry": entry.number, "effective_seq": seq}
        work.add(ControlRow, [applied])
        for step in self._execution.apply(entry.payload):
            self._write(step, work)
        if entry.stream == COMMANDS:
            self._publish_progress(work)  # the position role applies the command once this watermark has reached it
        if entry.stream == ALLOCATIONS:
            work.change(_SET_EFFECTIVE, [{"b_run": self.context.run_id, "b_seq": entry.seq, "b_effective": seq}])

    def _write(self, step: Step, work: UnitOfWork) -> None:
        entries: Entries = of_step(step, self._mints)
        work.add(OrderRow, entries.orders)
        work.add(TradeRow, entries.trades)
        work.add(RefusalRow, entries.refusals)
        run_id = self.context.run_id
        changed = [{"b_run": run_id, "b_order": key, "b_status": status} for key, status in entries.statuses.items()]
        if changed:
            work.change(_SET_STATUS, changed)
        compared = [{"b_run": run_id, "b_order": key, "b_parity": bps} for key, bps in entries.parity_bps.items()]
        if compared:
            work.change(_SET_PARITY, compared)
        for message in entries.messages:
            is_results = isinstance(message, SimulationResults)
            after = {FILLS: self.journal.numbers_after(work)[FILLS]}
            work.send(replace(message, after=after) if is_results else message)
        self._uncounted.append(step)
        self._venue_orders.add(step)

    def _publish_progress(self, work: UnitOfWork) -> None:
        """Publish the watermark, which bounds the position role, so that its marks do not depend on its speed."""
        self._published_seq, self._published_at = self._execution.seq, self.clock.monotonic_s()
        work.send(ExecutorProgress(seq=self._published_seq))

    def idle(self) -> None:
        """Publish venue reports and the watermark while no entry arrives."""
        work = self.journal.unit_of_work()
        self._venue_orders.publish_reports(work, self._execution.seq)
        if self._execution.seq > self._published_seq:
            self._publish_progress(work)
        if not work.is_empty:
            self.commit(work, self.offsets)

    def add_snapshot(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Store no snapshot in the database: events and controls restore the state."""

    def commit(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Commit, publish, pass the committed orders to the venue, and complete a snapshot that is copied."""
        super().commit(work, offsets)
        report_steps(self, self._uncounted, self._mints, self._read_at)
        self._uncounted = []
        self._venue_orders.on_commit()
        self._snapshots.on_commit(self._execution, self._controls)

    def step(self) -> None:
        """Read, handle and commit the next entries; copy and grow a part of the strategies where that is due."""
        super().step()
        self._snapshots.copy_some(self._execution)
        for arena in self._execution.arenas:
            arena.engine.prepare_growth(_GROWN_AT_ONCE)

    def close(self) -> None:
        """Close the venue's client, wait for the snapshot that is being written, and close the connections."""
        self._venue_orders.close()
        self._snapshots.close()
        super().close()

    def open(self) -> None:
        """Compile the strategies, and recover the state of the last commit."""
        # With thousands of strategies a full collection takes longer than the rest of a step, and frees little.
        gc.set_threshold(_GARBAGE_AFTER, 20, 20)
        self.context.compile_strategies()  # otherwise the first decision would wait for it
        super().open()

    def recover(self) -> None:
        """Load the snapshot, and replay the events and controls since; their effects were committed then."""
        with self.context.database.connect() as connection:
            self._mints = dict(enumerate(read_mints(connection, self.context.run_id)))
            committed = count_controls(connection, self.context.run_id)
            restored = self._snapshots.read(self.offsets[EVENTS].number, committed)
            if restored is not None:
                self._restore(restored)
            first, last = self._execution.seq + 1, self.offsets[EVENTS].number
            controls, payloads = read_controls(connection, self.context.run_id, self._controls)

        def payload_of(key: tuple[str, int]) -> ControlPayload:
            payload: ControlPayload = decoder_of(key[0])(payloads[key])
            return payload

        for _ in replay(self._execution, self._events(first, last), controls, payload_of):
            pass
        self._controls += len(controls)
        self._published_seq = 0
        self._snapshots.recovered(self._execution.seq)
        self._venue_orders.recover({name: desk.state for name, desk in self.desks.items()})
        self.log.info("recovered", from_seq=first - 1, to_seq=last, controls=len(controls))

    def _restore(self, restored: Restored) -> None:
        """Load a snapshot, and advance the strategies of each part to its last event."""
        (arena,) = self._execution.arenas
        arena.engine.load_parts(restored.parts, restored.seq, restored.desk_evidence, self._events)
        arena.load_lists(restored.watched, restored.orders_of_removed)
        self._execution.load_side(restored.side)
        self._controls = restored.controls

    def _events(self, first: int, last: int) -> Iterator[Events]:
        if self.context.event_log.is_file():
            yield from read_batches(self.context.event_log, first, last)
            return
        for entries in self.context.bus.events_between(first, last):
            yield to_records([entry.payload for entry in entries])
