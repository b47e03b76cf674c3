"""The arena role: simulates one share of the strategies in a process of its own, for the desk in the executor's."""

from memesnipe.bus.merge import Entry
from memesnipe.protocol.arena_messages import ARENA_OUTPUTS, PlacedAllocation
from memesnipe.protocol.events import to_records
from memesnipe.protocol.heartbeat import ARENAS
from memesnipe.protocol.streams import EVENTS, PLACED
from memesnipe.roles.consumer import Consumer, runs_of_events
from memesnipe.roles.context import Context
from memesnipe.roles.recorded_events import recorded_events
from memesnipe.roles.simulation import begin_simulation, grow_some, restore_arena, snapshots_of
from memesnipe.roles.simulation_snapshot import Restored
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.messages import read_messages
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.arena import Arena
from memesnipe.trading.arena_shard import ArenaShard, numbered
from memesnipe.trading.replay import Control, replay


class ArenaRole(Consumer):
    """Runs a `memesnipe.trading.arena_shard.ArenaShard` on the streams.

    Its state is derived from the events, and from the allocations with the event that market_data has assigned to each.
    """

    def __init__(self, context: Context, metrics: ActorMetrics, index: int) -> None:
        """Create arena ``index`` of the run in its initial state."""
        self.name = ARENAS[index]
        super().__init__(context, metrics)
        settings = context.settings.simulation
        arena = Arena(
            context.families,
            context.fill_model,
            shadow_capital_usd=settings.shadow_capital_usd,
            threads=settings.executor_threads,
            index=index,
            count=context.arenas,
        )
        self._shard = ArenaShard(arena, ARENA_OUTPUTS[index])
        self._allocations = 0  # applied so far
        self._snapshots = snapshots_of(context, self.name, self.log, self.clock)

    def with_dependencies(self, entries: list[Entry]) -> list[Entry]:
        """Return the prefix that may be applied; an allocation never precedes the event assigned to it."""
        return super().with_dependencies(self.after_events(entries))

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Advance over runs of events, and apply the allocations between them."""
        for part in runs_of_events(entries):
            if isinstance(part, list):
                self._advance(part, work)
            else:
                self._apply(part, work)

    def _advance(self, entries: list[Entry], work: UnitOfWork) -> None:
        for output in self._shard.advance(to_records([entry.payload for entry in entries])):
            work.send(output)

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        self._snapshots.abandon()
        self._allocations = entry.number
        for answer in self._shard.apply(entry.payload):
            work.send(numbered(answer, entry.number))

    def add_snapshot(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Store no snapshot in the database: events and allocations restore the state."""

    def commit(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Commit, publish, and complete a snapshot that is copied."""
        super().commit(work, offsets)
        self._snapshots.on_commit(self._shard, self._allocations)

    def step(self) -> None:
        """Read, handle and commit the next entries; copy and grow a part of the strategies where that is due."""
        super().step()
        self._snapshots.copy_some(self._shard)
        grow_some(self._shard.arenas)

    def open(self) -> None:
        """Compile the strategies, and recover the state of the last commit."""
        begin_simulation(self.context)
        super().open()

    def recover(self) -> None:
        """Load the snapshot, and replay the events and allocations since; their outputs were committed then."""
        last, committed = self.offsets[EVENTS].number, self.offsets[PLACED].number
        restored = self._snapshots.read(last, committed)
        if restored is not None:
            self._restore(restored)
        with self.context.database.connect() as connection:
            placed: dict[tuple[str, int], PlacedAllocation] = {
                (PLACED, message.number): message.payload
                for message in read_messages(connection, self.context.run_id, PLACED)
                if self._allocations < message.number <= committed
            }
        controls = [Control(stream, number, payload.seq) for (stream, number), payload in placed.items()]
        first = self._shard.seq + 1
        for _ in replay(self._shard, recorded_events(self.context, first, last), controls, placed.__getitem__):
            pass
        self._allocations = committed
        self._snapshots.recovered(self._shard.seq)
        self.log.info("recovered", from_seq=first - 1, to_seq=last, allocations=len(controls))

    def _restore(self, restored: Restored) -> None:
        (arena,) = self._shard.arenas
        restore_arena(self.context, arena, restored)
        self._allocations = restored.controls

    def close(self) -> None:
        """Wait for the snapshot that is being written, and close the connections."""
        self._snapshots.close()
        super().close()
