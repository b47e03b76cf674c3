"""What the processes that simulate strategies have in common."""

import gc
from collections.abc import Iterable
from functools import partial
from typing import Final

from memesnipe.clock import Clock
from memesnipe.roles.context import Context
from memesnipe.roles.recorded_events import recorded_events
from memesnipe.roles.simulation_snapshot import Restored, SimulationSnapshots
from memesnipe.telemetry.logs import Logger
from memesnipe.trading.arena import Arena

_GROWN_AT_ONCE: Final = 16  # strategies, after each step: about a millisecond
_GARBAGE_AFTER: Final = 100_000  # objects allocated and not freed


def begin_simulation(context: Context) -> None:
    """Prepare this process: collect garbage seldom, and compile the strategies."""
    # With thousands of strategies a full collection takes longer than the rest of a step, and frees little.
    gc.set_threshold(_GARBAGE_AFTER, 20, 20)
    context.compile_strategies()  # otherwise the first decision would wait for it


def grow_some(arenas: Iterable[Arena]) -> None:
    """Grow the state of some strategies after a step, where that is due."""
    for arena in arenas:
        arena.engine.prepare_growth(_GROWN_AT_ONCE)


def snapshots_of(context: Context, role: str, log: Logger, clock: Clock) -> SimulationSnapshots:
    """Return the snapshots of a role of the run, which are written in the background."""
    writer = context.background_writer()
    return SimulationSnapshots(
        context.snapshot_file(role), context.run_id, log, clock, writer, context.snapshot_every_s
    )


def restore_arena(context: Context, arena: Arena, restored: Restored) -> None:
    """Load the strategies of a snapshot, and advance those of each part to its last event."""
    arena.engine.load_parts(restored.parts, restored.seq, restored.desk_evidence, partial(recorded_events, context))
    arena.load_lists(restored.watched, restored.orders_of_removed)
