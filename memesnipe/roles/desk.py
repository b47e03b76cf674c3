"""The desk's part of the executor: commits the outcome of every step, and every order before it takes effect."""

from typing import Final

from msgspec.structs import asdict, replace
from sqlalchemy import bindparam, update

from memesnipe.bus.merge import Entry
from memesnipe.errors import SettingsError
from memesnipe.protocol.account import Account
from memesnipe.protocol.events import to_records
from memesnipe.protocol.messages import AppliedCommand, CommandMessage, ExecutorProgress, SimulationResults
from memesnipe.protocol.streams import ALLOCATIONS, APPLIED_COMMANDS, COMMANDS, FILLS
from memesnipe.roles.consumer import Consumer, runs_of_events
from memesnipe.roles.context import Context
from memesnipe.roles.order_path import report_steps
from memesnipe.roles.venue_orders import OpenVenue, VenueOrders
from memesnipe.storage.commands import assign_seq, pending_flattens, record_outcome
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.schema import AllocationRow, OrderRow, TradeRow
from memesnipe.storage.schema_control import ControlRow, RefusalRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.desk import Desk
from memesnipe.trading.execution import OrderFlow
from memesnipe.trading.records import Entries, of_step
from memesnipe.trading.steps import Step

_PROGRESS_EVERY: Final = 256  # events
_FLATTEN_CHECK_S: Final = 0.25  # between two looks for a flatten, each of which costs a request to the database
_PROGRESS_S: Final = 1.0  # where events are rare, but too frequent for the executor to become idle

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


class DeskRole(Consumer):
    """Runs `memesnipe.trading.execution.OrderFlow` on the streams; a subclass says where its arenas are.

    A control that follows an event takes effect before the next event. The table `controls` records after which event
    each was applied.

    A flatten takes effect after the last event that the desks have consumed, wherever market_data and the arenas are:
    neither of them has to work. In lockstep it has a place among the events like every command.
    """

    name = "executor"

    def __init__(
        self, context: Context, metrics: ActorMetrics, execution: OrderFlow, open_venue: OpenVenue | None = None
    ) -> None:
        """Create the role with arenas and desks in their initial state.

        Args:
            context: settings, database, streams and files.
            metrics: of the actor.
            execution: the arenas, and the desk of each account.
            open_venue: opens the client of the live account's venue; None where the run has no live account.

        Raises:
            SettingsError: there is a live account without a venue, or a venue without a live account.
        """
        super().__init__(context, metrics)
        self._execution = execution
        if (open_venue is not None) != (Account.LIVE in context.capital):
            raise SettingsError(f"run {context.run_id}: a live account requires a venue for its orders, and none other")
        self._mints: dict[int, str] = {}
        self._venue_orders = VenueOrders(open_venue, lambda token: self._mints[token])
        self._controls = 0  # applied so far
        self._published_seq, self._published_at = 0, 0.0  # the last published watermark, and its time
        self._uncounted: list[Step] = []  # steps that are not committed yet
        self._read_at = 0.0
        self._flatten_checked_at = -_FLATTEN_CHECK_S

    @property
    def desks(self) -> dict[Account, Desk]:
        """The desk of each account, after the last step."""
        return {name: account.desk for name, account in self._execution.accounts.items()}

    def with_dependencies(self, entries: list[Entry]) -> list[Entry]:
        """Return the prefix that may be applied; a message never precedes the event that it belongs to.

        When Redis has lost events and commands, the commands are published again first.
        """
        return super().with_dependencies(self.after_events(entries))

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Advance over runs of events, and apply the controls between them."""
        self._read_at = self.clock.monotonic_s()
        self._flatten(work, is_due=any(entry.stream == COMMANDS for entry in entries))
        for part in runs_of_events(entries):
            if isinstance(part, list):
                self._advance(part, work)
            else:
                self._apply(part, work)
        self._venue_orders.publish_reports(work, self._execution.seq)
        unpublished = self._execution.seq - self._published_seq
        is_due = self.clock.monotonic_s() - self._published_at > _PROGRESS_S
        if unpublished >= _PROGRESS_EVERY or (unpublished and is_due):
            self._publish_progress(work)

    def _advance(self, entries: list[Entry], work: UnitOfWork) -> None:
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

    def _flatten(self, work: UnitOfWork, *, is_due: bool = False) -> None:
        """Apply the flattens that were requested since the last look, before commands that are read now."""
        if not self.context.choice.has_own_pace:
            return
        now_s = self.clock.monotonic_s()
        if not is_due and now_s - self._flatten_checked_at < _FLATTEN_CHECK_S:
            return
        self._flatten_checked_at = now_s
        with self.context.database.connect() as connection:
            found = pending_flattens(connection, self.context.run_id)
        seq = self._execution.seq
        for flatten in found:
            message = flatten.at(seq, AppliedCommand)
            number = self.journal.numbers_after(work)[APPLIED_COMMANDS] + 1
            self._apply(Entry(APPLIED_COMMANDS, number, seq, message), work)
            work.change(assign_seq(flatten.command_id, seq))
            work.change(record_outcome(flatten.command_id, f"done after event {seq}"))
            self._needs_snapshot = True  # events alone do not restore the state
            self.log.warning("selling everything", seq=seq, command=flatten.command_id)

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        seq = self._execution.seq
        self._controls += 1
        applied = {"number": self._controls, "stream": entry.stream, "entry": entry.number, "effective_seq": seq}
        work.add(ControlRow, [applied])
        if isinstance(entry.payload, CommandMessage):
            work.send(AppliedCommand(**asdict(entry.payload)))
        for step in self._execution.apply(entry.payload):
            self._write(step, work)
        if isinstance(entry.payload, CommandMessage):
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
        """Look for a flatten, and publish venue reports and the watermark, while no entry arrives."""
        work = self.journal.unit_of_work()
        self._flatten(work)
        self._venue_orders.publish_reports(work, self._execution.seq)
        if self._execution.seq > self._published_seq:
            self._publish_progress(work)
        if not work.is_empty:
            self.add_snapshot(work, self.offsets)  # the offsets may be those of entries that are not committed yet
            self.commit(work, self.offsets)

    def commit(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Commit, publish, and pass the committed orders to the venue."""
        super().commit(work, offsets)
        report_steps(self, self._uncounted, self._mints, self._read_at)
        self._uncounted = []
        self._venue_orders.on_commit()

    def close(self) -> None:
        """Close the venue's client and the connections."""
        self._venue_orders.close()
        super().close()
