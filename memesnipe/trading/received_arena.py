"""An arena in another process, as the desk has it: the outputs that it has sent (`arena_shard.py`).

The round trips of the desk belong to the evidence of its strategies. They are added here, because an arena in another
process has passed the events of these round trips before the desk.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.evidence import EVIDENCE, evidence_columns, observe_desk
from memesnipe.engine.figures import EVIDENCE_NAMES
from memesnipe.market.events import DECISION, Events
from memesnipe.protocol.arena_messages import ArenaOutput, DeskEvidence
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.payload import ProtocolError
from memesnipe.trading.arena import ArenaBatch, owns


@dataclass(slots=True)
class ReceivedState:
    """The state as plain data. All outputs that were received are consumed."""

    seq: int = 0
    watched: list[str] = field(default_factory=list)
    on_desk: list[str] = field(default_factory=list)
    evidence: bytes = b""  # of the strategies on the desk, dtype EVIDENCE


class ReceivedArena:
    """One of several arenas in processes of their own."""

    def __init__(self, index: int, count: int) -> None:
        """Create arena ``index`` of ``count``, of which no output has been received."""
        self._index, self._count = index, count
        self.seq = 0
        self._watched: frozenset[str] = frozenset()
        self._row_of: dict[str, int] = {}  # of the strategies on the desk
        self._evidence = np.zeros(0, EVIDENCE)
        self._outputs: deque[ArenaOutput] = deque()
        self._last: ArenaOutput | None = None  # with the results of the last decision

    def owns(self, spec_id: str) -> bool:
        """Return whether a strategy belongs to this arena."""
        return owns(spec_id, self._index, self._count)

    def receive(self, output: ArenaOutput) -> None:
        """Keep an output until `advance` or `apply` consumes it; outputs come in the order of the stream."""
        self._outputs.append(output)

    def advance(self, events: Events) -> ArenaBatch:
        """Return the output for ``events``, shape (n,), of which only the last may have a decision due.

        Raises:
            ProtocolError: the results of a decision have not been received.
        """
        batch = ArenaBatch(int(events[-1]["seq"]))
        self.seq, self._last = batch.upto_seq, None
        while self._outputs and self._outputs[0].seq <= self.seq and not self._outputs[0].allocation:
            self._last = self._outputs.popleft()
            batch.decisions.extend(order for order in self._last.decisions if order.spec_id in self._watched)
            batch.fills.extend(fill for fill in self._last.fills if fill.order.spec_id in self._watched)
        if not int(events[-1]["flags"]) & DECISION:
            return batch
        if self._last is None or self._last.seq != self.seq or self._last.strategies is None:
            raise ProtocolError(f"arena {self._index}: no results for the decision at event {self.seq}")
        return ArenaBatch(self.seq, batch.decisions, batch.fills, frozenset(self._last.exposed))

    def apply(self, message: AllocationMessage, watched: Collection[str]) -> ArenaBatch:  # noqa: ARG002
        """Consume the arena's answer to an allocation; return its exposures.

        Raises:
            ProtocolError: the answer has not been received.
        """
        answer = self._outputs.popleft() if self._outputs else None
        if answer is None or not answer.allocation or answer.seq != self.seq or answer.on_desk is None:
            raise ProtocolError(f"arena {self._index}: no answer to the allocation after event {self.seq}")
        self._watched = frozenset(spec_id for spec_id in watched if self.owns(spec_id))
        received = _records(answer.on_desk)
        for row, spec_id in enumerate(answer.on_desk.spec_ids):
            before = self._row_of.get(spec_id)
            # A strategy that has started again has left the desk in between.
            if before is not None and self._evidence[before]["restarts"] == received[row]["restarts"]:
                received[row]["desk"] = self._evidence[before]["desk"]
        self._evidence = received
        self._row_of = {spec_id: row for row, spec_id in enumerate(answer.on_desk.spec_ids)}
        return ArenaBatch(self.seq, exposed=frozenset(answer.exposed))

    def observe_desk(self, spec_id: str, position: int, value: float | None) -> None:
        """Begin a round trip of a strategy's desk, or end it; one that is not on the desk has no effect."""
        row = self._row_of.get(spec_id)
        if row is not None:
            observe_desk(self._evidence, row, position, value is None, value or 0.0)

    def columns(self) -> tuple[list[str], NDArray[Any]]:
        """Return the strategies at the last decision, and their figures, with the evidence of the desk."""
        assert self._last is not None and self._last.strategies is not None  # noqa: S101 - after a decision
        strategies, on_desk = self._last.strategies, self._last.on_desk
        figures = strategies.figures.copy()
        if on_desk is not None and on_desk.spec_ids:
            evidence = _records(on_desk)
            evidence["desk"] = self._evidence["desk"][[self._row_of[spec_id] for spec_id in on_desk.spec_ids]]
            row_of = {spec_id: row for row, spec_id in enumerate(strategies.spec_ids)}
            rows = [row_of[spec_id] for spec_id in on_desk.spec_ids]
            for name, column in zip(EVIDENCE_NAMES, evidence_columns(evidence), strict=True):
                figures[name][rows] = column
        return strategies.spec_ids, figures

    def dump(self) -> ReceivedState:
        """Return the state."""
        return ReceivedState(self.seq, sorted(self._watched), list(self._row_of), self._evidence.tobytes())

    def load(self, state: ReceivedState) -> None:
        """Continue from a state of `dump`."""
        self.seq, self._watched = state.seq, frozenset(state.watched)
        self._row_of = {spec_id: row for row, spec_id in enumerate(state.on_desk)}
        self._evidence = np.frombuffer(state.evidence, EVIDENCE).copy()


def _records(on_desk: DeskEvidence) -> NDArray[Any]:
    """Return the records of the strategies, writable, shape (strategies,), dtype EVIDENCE.

    Raises:
        ProtocolError: their number differs from that of the strategies.
    """
    if len(on_desk.data) != len(on_desk.spec_ids) * EVIDENCE.itemsize:
        raise ProtocolError(f"{len(on_desk.data)} bytes of evidence for {len(on_desk.spec_ids)} strategies")
    return np.frombuffer(on_desk.data, EVIDENCE).copy()
