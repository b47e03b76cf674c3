"""An arena in a process of its own: its output as messages, which the desk consumes (`received_arena.py`).

It needs nothing back from the desk. It watches every strategy that ever had an allocation, and the desk drops what does
not concern it; the evidence of the desk's round trips is kept on the desk's side.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from memesnipe.engine.fills import SETTLED
from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import DECISION, Events, last_of_decisions
from memesnipe.protocol.arena_messages import ArenaOutput, DeskEvidence, PlacedAllocation
from memesnipe.protocol.strategy_columns import StrategyColumns
from memesnipe.protocol.streams import PLACED
from memesnipe.trading.arena import Arena, ArenaBatch
from memesnipe.trading.execution import DeskSideState


def event_of_order(order: Order) -> int:
    """Return the event whose arrival made the decision: a decision between two events is due before the second."""
    return order.decided_seq + order.decided_between_events


def event_of_fill(fill: Fill) -> int:
    """Return the event whose arrival made the fill: an order arrives between two events and fills before the second."""
    is_at_event = fill.order.reason in SETTLED and not fill.order.decided_between_events
    return fill.seq if is_at_event else fill.seq + 1


class ArenaShard:
    """One arena, advanced over events and allocations; it yields its outputs in order."""

    def __init__(self, arena: Arena, output: type[ArenaOutput]) -> None:
        """Take an arena, and the payload type of its stream."""
        self.arenas = [arena]
        self.side = DeskSideState()  # a shard has none
        self._arena, self._output = arena, output

    @property
    def seq(self) -> int:
        """The number of the last event that was applied."""
        return self._arena.seq

    def advance(self, events: Events) -> Iterator[ArenaOutput]:
        """Advance over events; yield an output for each that has one, and one for the last."""
        start = 0
        for last in [*last_of_decisions(events), len(events) - 1]:
            if last >= start:
                yield from self._outputs(self._arena.advance(events[start : last + 1]), events[last])
                start = last + 1

    def _outputs(self, batch: ArenaBatch, last: Any) -> Iterator[ArenaOutput]:
        found: dict[int, dict[str, Any]] = {int(last["seq"]): {}}
        for order in batch.decisions:
            found.setdefault(event_of_order(order), {}).setdefault("decisions", []).append(order)
        for fill in batch.fills:
            found.setdefault(event_of_fill(fill), {}).setdefault("fills", []).append(fill)
        if int(last["flags"]) & DECISION:
            strategies = StrategyColumns.of(*self._arena.columns())
            found[int(last["seq"])] |= {"strategies": strategies, **self._answer(batch)}
        for seq in sorted(found):
            yield self._output(seq=seq, **found[seq])

    def apply(self, placed: PlacedAllocation) -> Iterator[ArenaOutput]:
        """Apply an allocation; yield the answer to it.

        The number of the allocation is not part of its payload: `numbered` adds it to the answer.
        """
        message = placed.allocation
        watched, _ = self._arena.lists
        remaining = {*watched, *message.allocations_usd} - set(message.removed)
        yield self._output(seq=self.seq, **self._answer(self._arena.apply(message, remaining)))

    def _answer(self, batch: ArenaBatch) -> dict[str, Any]:
        """Return exposures, and the evidence of the strategies on a desk."""
        population = self._arena.engine.population
        rows = np.flatnonzero(population.evidence["on_desk"])
        names = [population.spec_ids[row] for row in rows]
        evidence = DeskEvidence(names, population.evidence[rows].tobytes())
        return {"exposed": sorted(batch.exposed), "on_desk": evidence}


def numbered(answer: ArenaOutput, number: int) -> ArenaOutput:
    """Return the answer to allocation ``number``, which the desk consumes after the allocation."""
    output: type[Any] = type(answer)
    made: ArenaOutput = output(
        seq=answer.seq,
        after={PLACED: number},
        allocation=number,
        exposed=answer.exposed,
        on_desk=answer.on_desk,
    )
    return made
