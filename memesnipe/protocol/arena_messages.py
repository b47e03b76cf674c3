"""The payloads between arenas in processes of their own and the desk."""

from typing import Any, ClassVar, Final, cast

import msgspec

from memesnipe.engine.orders import Fill, Order
from memesnipe.protocol.heartbeat import MAX_ARENAS
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.payload import Follows, Payload
from memesnipe.protocol.strategy_columns import StrategyColumns


class PlacedAllocation(Payload, frozen=True, kw_only=True):
    """A decision of the portfolio that takes effect after event ``seq`` in every arena and on the desk.

    Its number is that of the allocation in `AllocationMessage.stream`.
    """

    stream: ClassVar[str] = "placed_allocations"

    allocation: AllocationMessage


class DeskEvidence(msgspec.Struct, frozen=True):
    """The evidence of the strategies that trade on a desk, as their arena has it: without the desk's round trips."""

    spec_ids: list[str]
    data: bytes  # one record of dtype `memesnipe.engine.evidence.EVIDENCE` for each strategy


class ArenaOutput(Follows, frozen=True, kw_only=True):
    """The output of one arena at event ``seq``, and what became due since the event before it; it may be empty.

    An arena writes an output for every event with decisions, fills or results, and for the last event of each batch:
    it has passed the event of its last output.
    """

    allocation: int = 0  # number of the allocation that it answers; 0 for the output of events
    decisions: list[Order] = msgspec.field(default_factory=list)
    fills: list[Fill] = msgspec.field(default_factory=list)  # simulated
    exposed: list[tuple[str, int]] = msgspec.field(
        default_factory=list
    )  # strategy and token, where a decision is due, and in answers
    strategies: StrategyColumns | None = None  # where a decision is due
    on_desk: DeskEvidence | None = None  # where a decision is due, and in answers


def _output_of(arena: int) -> type[ArenaOutput]:
    """Return the payload type of an arena's own stream, of which it is the only writer."""
    made: Any = msgspec.defstruct(
        f"ArenaOutput{arena}",
        [],
        bases=(ArenaOutput,),
        module=__name__,
        namespace={"stream": f"arena_outputs:{arena}", "__doc__": f"The output of arena {arena}."},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return cast("type[ArenaOutput]", made)


ARENA_OUTPUTS: Final = tuple(map(_output_of, range(MAX_ARENAS)))
