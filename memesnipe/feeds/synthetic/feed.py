"""The synthetic market: launches, hype, dumps, talk, graduations and rugs on exact pools; endless and reproducible.

Its sizes and rates follow recorded trades, and it has modest planted edges for strategies to find.
`docs/market-model.md` lists them; `stories.py`, `launches.py` and `insiders.py` generate them.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from memesnipe.feeds.checkpoints import Checkpoints
from memesnipe.feeds.positioned import PositionedFeed
from memesnipe.feeds.synthetic.launches import begin
from memesnipe.feeds.synthetic.state import MarketState, state_of, world_of
from memesnipe.feeds.synthetic.world import START_TS, Message, World

__all__ = ["START_TS", "SyntheticFeed"]

CHECKPOINT_EVERY: Final = 20_000  # events; generating so many takes half a second


class SyntheticFeed(PositionedFeed):
    """An endless market that depends only on its seed; it is not live, because its time may run at any speed.

    Args:
        seed: the seed of the market.
        checkpoints: file for periodic checkpoints; None to always generate from the first event.
        every: number of events between two checkpoints.
        first_ts: time of the first event that is delivered; earlier ones are the past of the market.
    """

    def __init__(
        self,
        seed: int,
        checkpoints: Path | None = None,
        every: int = CHECKPOINT_EVERY,
        first_ts: int = START_TS,
    ) -> None:
        self.assumptions = {"synthetic": f"this market is generated (seed {seed}), no trade of it was ever made"}
        self._seed, self._every, self._first_ts = seed, every, first_ts
        identity = f"synthetic:{seed}:{first_ts}"
        self._checkpoints = Checkpoints(checkpoints, identity, MarketState) if checkpoints else None

    def messages(self, position: int) -> Iterator[Message]:
        """Yield the events after the first ``position`` ones; those since the last checkpoint are generated again."""
        found = self._checkpoints.before(position) if self._checkpoints else None
        if found is not None:
            start, world = found[0], world_of(found[1])
        else:
            start, world = 0, World(self._seed)
            begin(world)
        return islice(self._from(start, world), position - start, None)

    def _from(self, position: int, world: World) -> Iterator[Message]:
        """Yield the events from the world's current position on."""
        due = position + self._every
        while world.queue:
            if self._checkpoints and position >= due:
                self._checkpoints.keep(position, state_of(world))
                due = position + self._every
            messages = world.run_next()
            if messages and messages[0]["ts"] < self._first_ts:
                messages = [message for message in messages if message["ts"] >= self._first_ts]
            position += len(messages)
            yield from messages
