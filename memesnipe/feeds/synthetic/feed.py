"""The synthetic market: launches, hype, dumps, talk, graduations and rugs on exact pools; endless and reproducible.

Its sizes and rates are those of recorded trades, and modest edges are planted in it, so that there is something to
discover. `docs/market-model.md` says which; `synthetic_stories.py` is where they are told.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from memesnipe.feeds.checkpoints import Checkpoints
from memesnipe.feeds.synthetic.launches import begin
from memesnipe.feeds.synthetic.state import MarketState, state_of, world_of
from memesnipe.feeds.synthetic.world import START_TS, Message, World

__all__ = ["START_TS", "SyntheticFeed"]

CHECKPOINT_EVERY: Final = 20_000  # events, which take half a second to generate


class SyntheticFeed:
    """An endless market that depends on its seed alone.

    Args:
        seed: of the market.
        checkpoints: file in which it keeps its state from time to time; None to begin at the first event always.
        every: events between two checkpoints.
    """

    live = False  # its time runs as fast as one likes
    total: int | None = None

    def __init__(self, seed: int, checkpoints: Path | None = None, every: int = CHECKPOINT_EVERY) -> None:
        self._seed, self._every = seed, every
        self._checkpoints = Checkpoints(checkpoints, f"synthetic:{seed}", MarketState) if checkpoints else None

    def messages(self, position: int) -> Iterator[Message]:
        """The events after the first ``position`` ones; getting there costs their generation from a checkpoint on."""
        found = self._checkpoints.before(position) if self._checkpoints else None
        if found is not None:
            start, world = found[0], world_of(found[1])
        else:
            start, world = 0, World(self._seed)
            begin(world)
        return islice(self._from(start, world), position - start, None)

    def _from(self, position: int, world: World) -> Iterator[Message]:
        """The events from a position on, at which the world is."""
        due = position + self._every
        while world.queue:
            if self._checkpoints and position >= due:
                self._checkpoints.keep(position, state_of(world))
                due = position + self._every
            told = world.go_on()
            position += len(told)
            yield from told
