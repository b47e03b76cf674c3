"""Replay: applies events and controls in the recorded order, which derives the state again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from memesnipe.market.events import Events

_Step_co = TypeVar("_Step_co", covariant=True)


class Replayed(Protocol[_Step_co]):
    """What a replay advances: arenas and desks together, or one arena."""

    @property
    def seq(self) -> int:
        """Return the number of the last event that was applied."""

    def advance(self, events: Events) -> Iterable[_Step_co]:
        """Advance over events."""

    def apply(self, control: Any, /) -> Iterable[_Step_co]:
        """Apply a control between two events."""


@dataclass(frozen=True, slots=True)
class Control:
    """A message that the executor applied after the event ``effective_seq``."""

    stream: str
    entry: int  # number of the message in its stream
    effective_seq: int


def replay(
    execution: Replayed[_Step_co],
    batches: Iterable[Events],
    controls: Iterable[Control],
    payload_of: Callable[[tuple[str, int]], Any],
) -> Iterator[_Step_co]:
    """Apply events and controls in the recorded order; yield the steps, which equal the original ones.

    Args:
        execution: in its state before the first event.
        batches: the events that follow, without a gap.
        controls: in the order in which they were applied.
        payload_of: returns the payload of a control by stream and number; called when the control is due.

    Raises:
        KeyError: ``payload_of`` has no payload for a control.
    """
    pending = iter(controls)
    control = next(pending, None)
    for events in batches:
        start = 0
        while start < len(events):
            while control is not None and control.effective_seq <= execution.seq:
                yield from execution.apply(payload_of((control.stream, control.entry)))
                control = next(pending, None)
            stop = len(events)
            if control is not None:
                stop = min(stop, start + control.effective_seq - execution.seq)
            yield from execution.advance(events[start:stop])
            start = stop
    while control is not None:
        yield from execution.apply(payload_of((control.stream, control.entry)))
        control = next(pending, None)
