"""The executor: advances arena and desk over the events, and commits every order before it takes effect."""

from collections.abc import Mapping

from memesnipe.bus.merge import Entry
from memesnipe.config.policies import ledger_policy_of, limits_of
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import ControlPayload
from memesnipe.protocol.streams import ALLOCATIONS, EVENTS, decoder_of
from memesnipe.roles.context import Context
from memesnipe.roles.desk import DeskRole
from memesnipe.roles.recorded_events import recorded_events
from memesnipe.roles.simulation import begin_simulation, grow_some, restore_arena, snapshots_of
from memesnipe.roles.simulation_snapshot import Restored
from memesnipe.roles.venue_orders import OpenVenue
from memesnipe.storage.controls import count_controls, read_controls
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.runs import read_mints
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.execution import Execution, local_execution
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import LedgerPolicy
from memesnipe.trading.replay import replay


class Executor(DeskRole):
    """Runs `memesnipe.trading.execution.Execution` on the streams: the only arena, and the desks.

    Its state is derived from the events, and from the controls with the event after which each was applied (table
    `controls`).
    """

    _execution: Execution

    def __init__(self, context: Context, metrics: ActorMetrics, open_venue: OpenVenue | None = None) -> None:
        """Create an executor in its initial state; arguments and errors as for `DeskRole`."""
        settings = context.settings.simulation
        limits, policies = conditions_of(context)
        execution = local_execution(
            context.families,
            context.fill_model,
            shadow_capital_usd=settings.shadow_capital_usd,
            limits=limits,
            policies=policies,
            threads=settings.executor_threads,
        )
        super().__init__(context, metrics, execution, open_venue)
        self._snapshots = snapshots_of(context, self.name, self.log, self.clock)

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        if entry.stream == ALLOCATIONS:
            self._snapshots.abandon()
        super()._apply(entry, work)

    def add_snapshot(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Store no snapshot in the database: events and controls restore the state."""

    def commit(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Commit, publish, pass the committed orders to the venue, and complete a snapshot that is copied."""
        super().commit(work, offsets)
        self._snapshots.on_commit(self._execution, self._controls)

    def step(self) -> None:
        """Read, handle and commit the next entries; copy and grow a part of the strategies where that is due."""
        super().step()
        self._snapshots.copy_some(self._execution)
        grow_some(self._execution.arenas)

    def close(self) -> None:
        """Wait for the snapshot that is being written, and close the venue's client and the connections."""
        self._snapshots.close()
        super().close()

    def open(self) -> None:
        """Compile the strategies, and recover the state of the last commit."""
        begin_simulation(self.context)
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

        for _ in replay(self._execution, recorded_events(self.context, first, last), controls, payload_of):
            pass
        self._controls += len(controls)
        self._published_seq = 0
        self._snapshots.recovered(self._execution.seq)
        self._venue_orders.recover({name: desk.state for name, desk in self.desks.items()})
        self.log.info("recovered", from_seq=first - 1, to_seq=last, controls=len(controls))

    def _restore(self, restored: Restored) -> None:
        """Load a snapshot, and advance the strategies of each part to its last event."""
        (arena,) = self._execution.arenas
        restore_arena(self.context, arena, restored)
        self._execution.load_side(restored.side)
        self._controls = restored.controls


def conditions_of(context: Context) -> tuple[Mapping[Account, Limits], Mapping[Account, LedgerPolicy]]:
    """Return the limits and the policy of each account of the run."""
    settings = context.settings
    limits = {account: limits_of(settings) for account in context.capital}
    return limits, {account: ledger_policy_of(settings, capital) for account, capital in context.capital.items()}
