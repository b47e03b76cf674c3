"""What the processes that simulate strategies have in common."""

import gc
from collections.abc import Iterable
from typing import Final

from memesnipe.roles.context import Context
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
