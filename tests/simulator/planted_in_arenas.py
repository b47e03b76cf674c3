"""Defects to plant where arenas have processes of their own: in arenas, their messages, and the merge of the desks."""

from dataclasses import replace
from typing import Any, Final

import memesnipe.roles.arena
import memesnipe.roles.sharded_executor
from memesnipe.protocol.streams import ALLOCATIONS, OUTPUTS
from memesnipe.roles.arena import ArenaRole
from memesnipe.roles.market_data import MarketData
from memesnipe.roles.sharded_executor import ShardedExecutor
from memesnipe.storage.journal import Journal, UnitOfWork
from memesnipe.trading.arena import ArenaBatch
from memesnipe.trading.execution import OrderFlow
from memesnipe.trading.received_arena import ReceivedArena
from tests.simulator.planted_faults import Method, PlantedFault, nothing, returns


def _decisions(change: Any) -> Any:
    """Change the decisions of the last arena on the desk's side, as a list."""

    def make(original: Method) -> Method:
        def advance(self: ReceivedArena, events: Any) -> ArenaBatch:
            batch: ArenaBatch = original(self, events)
            is_last = self._index == self._count - 1
            return replace(batch, decisions=change(batch.decisions)) if is_last else batch

        return advance

    return make


def _one_after_the_other(original: Method) -> Method:
    """Take the decisions of one arena after those of the other."""

    def in_order(self: OrderFlow, batches: Any) -> Any:
        return (
            [order for batch in batches for order in batch.decisions] if len(batches) > 1 else original(self, batches)
        )

    return in_order


def _without_waiting(_original: Method) -> Method:
    """Consume what has arrived, whatever the arenas have passed."""

    def read(self: ShardedExecutor) -> Any:
        numbers = {stream: offset.number for stream, offset in self.offsets.items() if stream != ALLOCATIONS}
        return sorted(self.context.bus.read(numbers, 100), key=memesnipe.roles.sharded_executor._sort_key)

    return read


def _commit_lost(original: Method) -> Method:
    """Lose the third commit of each process of an arena that has outputs, and go on as if it had been made."""

    def commit(self: ArenaRole, work: UnitOfWork, offsets: Any) -> None:
        count = vars(self)["commits_with_outputs"] = vars(self).get("commits_with_outputs", 0) + bool(work.messages)
        if count == 3 and work.messages:
            self.offsets = offsets
        else:
            original(self, work, offsets)

    return commit


def _outputs_lost(original: Method) -> Method:
    """Commit the offsets of an arena without its outputs."""

    def commit(self: Journal, work: UnitOfWork, offsets: Any) -> Any:
        is_arena = any(stream in OUTPUTS for stream, _, _ in work.messages)
        return original(self, replace(work, messages=[]) if is_arena else work, offsets)

    return commit


def _outputs_twice(original: Method) -> Method:
    """Commit the outputs of an arena twice."""

    def commit(self: Journal, work: UnitOfWork, offsets: Any) -> Any:
        is_arena = any(stream in OUTPUTS for stream, _, _ in work.messages)
        return original(self, replace(work, messages=[*work.messages, *work.messages]) if is_arena else work, offsets)

    return commit


def _placed_again(original: Method) -> Method:
    """Restore an arena with the number of an allocation that it has not applied."""

    def restore(self: ArenaRole, restored: Any) -> None:
        original(self, restored)
        self._allocations += 1

    return restore


def _planted(name: str, owner: Any, method: str, make: Any, first_seed: int = 2) -> PlantedFault:
    """Return a defect that is searched in runs whose arenas have processes of their own."""
    return PlantedFault(name, owner, method, make, first_seed, every=5)


ARENA_FAULTS: Final = [
    _planted("a decision of one arena skipped", ReceivedArena, "advance", _decisions(lambda orders: orders[1:])),
    _planted("a decision of one arena doubled", ReceivedArena, "advance", _decisions(lambda o: [*o[:1], *o])),
    _planted("the decisions of two arenas in the wrong order", OrderFlow, "_in_order", _one_after_the_other, 12),
    _planted("the desk ahead of an arena", ShardedExecutor, "read", _without_waiting),
    _planted(
        "an allocation before all arenas have answered",
        ShardedExecutor,
        "_answered",
        lambda _original: lambda _, entries: (entries, ""),
    ),
    _planted("an arena restored from a stale snapshot", memesnipe.roles.arena, "recorded_events", returns(()), 12),
    _planted("allocations not replayed by an arena", memesnipe.roles.arena, "read_messages", returns(()), 112),
    _planted("an allocation forgotten with a snapshot", ArenaRole, "_restore", _placed_again, 112),
    _planted("a lost commit of an arena", ArenaRole, "commit", _commit_lost),
    _planted("the outputs of a commit lost", Journal, "commit", _outputs_lost),
    _planted("the outputs of a commit doubled", Journal, "commit", _outputs_twice),
    _planted("the desk restored without what it knows of the arenas", ReceivedArena, "load", nothing, 17),
    _planted("a snapshot of the desk left out", ShardedExecutor, "add_snapshot", nothing, 17),
    _planted("a desk without its orders after a start", OrderFlow, "load_side", nothing, 17),
    _planted("an allocation not placed", MarketData, "_place", nothing),
]
