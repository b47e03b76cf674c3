"""The executor of a run whose arenas have processes of their own: the desks, which consume what the arenas emit."""

from dataclasses import replace
from typing import Final

import msgspec
from pydantic import TypeAdapter

from memesnipe.bus.merge import Entry
from memesnipe.protocol.arena_messages import PlacedAllocation
from memesnipe.protocol.streams import (
    ALLOCATIONS,
    COMMANDS,
    EVENT_STREAMS,
    EVENTS,
    EXECUTION_REPORTS,
    OUTPUTS,
    PLACED,
)
from memesnipe.roles.consumer import BLOCK_MS
from memesnipe.roles.context import Context
from memesnipe.roles.desk import DeskRole
from memesnipe.roles.executor import conditions_of
from memesnipe.roles.recorded_events import recorded_events
from memesnipe.roles.venue_orders import OpenVenue
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.runs import read_mints
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.execution import DeskSideState, OrderFlow, trading_accounts
from memesnipe.trading.received_arena import ReceivedArena, ReceivedState

_SIDE: Final = TypeAdapter(DeskSideState)
# Of the messages of one event: the outputs of the arenas, then the controls, each allocation before its answers.
_RANK: Final = {COMMANDS: 2, EXECUTION_REPORTS: 3, PLACED: 4}


class _State(msgspec.Struct):
    """The state that a commit stores."""

    controls: int
    arenas: list[ReceivedState]
    side: msgspec.Raw  # JSON of a DeskSideState


class ShardedExecutor(DeskRole):
    """Runs the desks on the streams, over the outputs of the arenas.

    It consumes an event only once every arena has passed it, and an allocation only once every arena has answered it.
    """

    def __init__(self, context: Context, metrics: ActorMetrics, open_venue: OpenVenue | None = None) -> None:
        """Create the role in its initial state; arguments and errors as for `DeskRole`."""
        count = context.arenas
        self._arenas = {OUTPUTS[index]: ReceivedArena(index, count) for index in range(count)}
        accounts = trading_accounts(context.fill_model, *conditions_of(context))
        super().__init__(context, metrics, OrderFlow(list(self._arenas.values()), accounts), open_venue)

    def read(self) -> list[Entry]:
        """Return the events that all arenas have passed, with their outputs and the controls between them, in order."""
        bus, numbers = self.context.bus, {stream: offset.number for stream, offset in self.offsets.items()}
        event, _ = numbers.pop(EVENTS), numbers.pop(ALLOCATIONS)  # allocations are read where they are placed
        messages = bus.read(numbers, BLOCK_MS)
        passed = {stream: self.offsets[stream].seq for stream in self._arenas}
        for entry in messages:
            if entry.stream in passed:
                passed[entry.stream] = max(passed[entry.stream], entry.seq)
        slowest = min(passed, key=lambda stream: passed[stream])
        # What belongs to events that the desks have consumed (the reports of a venue) waits for no arena.
        due = [entry for entry in messages if entry.seq <= max(passed[slowest], event)]
        if not due:
            if messages:
                bus.read({slowest: numbers[slowest]}, BLOCK_MS)  # the others are ahead: wait for it
            return []
        if passed[slowest] > event:
            # After a loss of Redis the events may be republished between the two reads, and the controls before them.
            # Whatever event is read, the controls that precede it are read with it.
            placed = (COMMANDS, PLACED)
            found = bus.read({EVENTS: event} | {stream: numbers[stream] for stream in placed}, BLOCK_MS)
            due = [entry for entry in due if entry.stream not in placed]
            due += [entry for entry in found if entry.seq <= passed[slowest]]
        entries, unanswered = self._answered(sorted(due, key=_sort_key))
        if unanswered and not entries:
            bus.read({unanswered: numbers[unanswered]}, BLOCK_MS)
        return entries

    def _answered(self, entries: list[Entry]) -> tuple[list[Entry], str]:
        """Return the entries before the first allocation that some arena has not answered, and its stream, or ""."""
        answers = {(e.stream, e.payload.allocation) for e in entries if e.stream in self._arenas}
        for i, entry in enumerate(entries):
            for stream in self._arenas if entry.stream == PLACED else ():
                if (stream, entry.number) not in answers:
                    return entries[:i], stream
        return entries, ""

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Receive the outputs of the arenas; advance over runs of events, and apply the controls between them."""
        for entry in entries:
            if entry.stream in self._arenas:
                self._arenas[entry.stream].receive(entry.payload)
        super().handle([entry for entry in entries if entry.stream not in self._arenas], work)

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        """Apply a control; a placed allocation is recorded as the allocation, so that all runs record the same."""
        if isinstance(entry.payload, PlacedAllocation):
            allocation = entry.payload.allocation
            entry = Entry(ALLOCATIONS, entry.number, allocation.seq, allocation)
        super()._apply(entry, work)

    def _advanced(self, entries: list[Entry]) -> dict[str, StreamOffset]:
        """Return the offsets after these entries; to consume a placed allocation is to consume the allocation."""
        offsets = super()._advanced(entries)
        for entry in entries:
            if isinstance(entry.payload, PlacedAllocation):
                before = offsets[ALLOCATIONS]
                seq, consumed = max(before.seq, entry.payload.allocation.seq), before.consumed + 1
                offsets[ALLOCATIONS] = replace(before, number=entry.number, seq=seq, consumed=consumed)
        return offsets

    def recover(self) -> None:
        """Load the last snapshot, and advance over the events since, which had no outputs and no controls."""
        with self.context.database.connect() as connection:
            self._mints = dict(enumerate(read_mints(connection, self.context.run_id)))
        super().recover()
        self._venue_orders.recover({name: desk.state for name, desk in self.desks.items()})
        self.log.info("recovered", to_seq=self._execution.seq)

    def catch_up(self, saved_seq: int) -> None:
        """Advance over the events since the snapshot."""
        for events in recorded_events(self.context, saved_seq + 1, self.offsets[EVENTS].number):
            for _ in self._execution.advance(events):
                pass

    def dump(self) -> bytes:
        """Return the state of the desks, and of what they know of the arenas."""
        arenas = [arena.dump() for arena in self._arenas.values()]
        side = msgspec.Raw(_SIDE.dump_json(self._execution.side))
        return msgspec.json.encode(_State(self._controls, arenas, side))

    def load(self, state: bytes) -> None:
        """Continue from a state of `dump`."""
        saved = msgspec.json.decode(state, type=_State)
        self._controls = saved.controls
        for arena, arena_state in zip(self._arenas.values(), saved.arenas, strict=True):
            arena.load(arena_state)
        self._execution.load_side(_SIDE.validate_json(bytes(saved.side)))


def _sort_key(entry: Entry) -> tuple[int, int, int, int]:
    """Return the place of an entry in the total order; answers follow their allocation."""
    if entry.stream in EVENT_STREAMS:
        return entry.seq, 0, 0, 0
    if entry.stream in _RANK:
        return entry.seq, _RANK[entry.stream], entry.number, 0
    number = entry.payload.allocation
    return (entry.seq, _RANK[PLACED], number, 1) if number else (entry.seq, 1, 0, 0)
