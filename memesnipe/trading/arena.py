"""The arena: the engine run live over its share of the simulating strategies, and the batches that it emits.

Strategies are divided among arenas by their id, which is a hash, so the division depends on the number of arenas alone.
An arena depends neither on other arenas nor on the desk, which consumes all batches (`memesnipe.trading.execution`).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.orders import Fill, Order
from memesnipe.engine.snapshot import EngineState
from memesnipe.market.events import DECISION, Events
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class ArenaBatch:
    """The output of one arena for a batch of events: complete up to event ``upto_seq``, and possibly empty."""

    upto_seq: int
    decisions: list[Order] = field(default_factory=list)  # of watched strategies, in order of decision
    fills: list[Fill] = field(default_factory=list)  # simulated, of watched strategies
    exposed: frozenset[tuple[str, int]] = frozenset()  # strategy and token of watched exposures, where one is due


@dataclass(slots=True)
class ArenaState:
    """The state of an arena as plain data."""

    engine: EngineState
    watched: list[str]
    orders_of_removed: dict[str, int]  # per strategy; one that is added again continues its order numbers


class ArenaPort(Protocol):
    """What desks need of an arena, whether it is in this process (`Arena`) or in another (`ReceivedArena`)."""

    @property
    def seq(self) -> int:
        """Return the number of the last event that the arena has advanced over."""

    def owns(self, spec_id: str) -> bool:
        """Return whether a strategy belongs to this arena."""

    def advance(self, events: Events) -> ArenaBatch:
        """Return the output for ``events``, shape (n,), of which only the last may have a decision due."""

    def apply(self, message: AllocationMessage, watched: Collection[str]) -> ArenaBatch:
        """Apply an allocation; return the exposures of the ``watched`` strategies."""

    def observe_desk(self, spec_id: str, position: int, value: float | None) -> None:
        """Add the beginning or the end of a strategy's round trip on its desk to its evidence."""

    def columns(self) -> tuple[list[str], NDArray[Any]]:
        """Return the strategies, and their results and evidence, shape (strategies,), dtype FIGURES."""


def owns(spec_id: str, index: int, count: int) -> bool:
    """Return whether a strategy belongs to arena ``index`` of ``count``."""
    return count == 1 or int(spec_id, 16) % count == index


class Arena:
    """One of several arenas."""

    def __init__(
        self,
        families: Families,
        model: FillModel,
        *,
        shadow_capital_usd: float,
        threads: int = 1,
        index: int = 0,
        count: int = 1,
    ) -> None:
        """Create arena ``index`` of ``count``, without strategies."""
        self.engine = Engine(families, model, shadow_capital_usd, threads, keeps_evidence=True)
        self._index, self._count = index, count
        self._watched: list[str] = []
        self._orders_of_removed: dict[str, int] = {}

    @property
    def seq(self) -> int:
        """The number of the last event that the arena has advanced over."""
        return self.engine.last_seq

    def owns(self, spec_id: str) -> bool:
        """Return whether a strategy belongs to this arena."""
        return owns(spec_id, self._index, self._count)

    def advance(self, events: Events) -> ArenaBatch:
        """Advance over ``events``, shape (n,), of which only the last may have a decision due; return the output."""
        done = self.engine.advance(events)
        if not int(events[-1]["flags"]) & DECISION:
            return ArenaBatch(self.seq, done.orders, done.fills)
        return ArenaBatch(self.seq, done.orders, done.fills, self._exposed())

    def apply(self, message: AllocationMessage, watched: Collection[str]) -> ArenaBatch:
        """Add and remove strategies, and emit decisions of the ``watched`` ones from now on; return their exposures."""
        joining = {genome.spec_id: genome for genome in message.added if self.owns(genome.spec_id)}
        removed = [spec_id for spec_id in message.removed if self.owns(spec_id)]
        before = self._orders_of_removed
        self.engine.add(*joining.values(), orders_before={s: before.pop(s) for s in joining if s in before})
        before |= {spec_id: self.engine.orders_of(spec_id) for spec_id in removed}
        self.engine.remove(*removed)
        self._watched = sorted(spec_id for spec_id in watched if self.owns(spec_id))
        self.engine.watch(self._watched)
        self.engine.restart_evidence(message.restarted)
        self.engine.move_to_desk(message.allocations_usd)
        return ArenaBatch(self.seq, exposed=self._exposed())

    def observe_desk(self, spec_id: str, position: int, value: float | None) -> None:
        """Begin a round trip of a strategy's desk, or end it; see `Engine.observe_desk`."""
        self.engine.observe_desk(spec_id, position, value)

    def columns(self) -> tuple[list[str], NDArray[Any]]:
        """Return the strategies, and their results and evidence, shape (strategies,), dtype FIGURES."""
        return self.engine.population.spec_ids, self.engine.figures()

    def _exposed(self) -> frozenset[tuple[str, int]]:
        return frozenset((spec_id, token) for spec_id in self._watched for token in self.engine.tokens_of(spec_id))

    def dump(self) -> ArenaState:
        """Return a copy of the state."""
        return ArenaState(self.engine.dump(), self._watched, self._orders_of_removed)

    def load(self, state: ArenaState) -> None:
        """Continue from a state of `dump`."""
        self.engine.load(state.engine)
        self.load_lists(state.watched, state.orders_of_removed)

    @property
    def lists(self) -> tuple[list[str], dict[str, int]]:
        """The state beside the engine: `ArenaState.watched` and `ArenaState.orders_of_removed`."""
        return self._watched, self._orders_of_removed

    def load_lists(self, watched: list[str], orders_of_removed: dict[str, int]) -> None:
        """Continue from a state of `lists`."""
        self._watched, self._orders_of_removed = watched, orders_of_removed
