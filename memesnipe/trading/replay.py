"""Replaying: what was told, each at its place among the events. How a state is derived again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memesnipe.market.events import Events
from memesnipe.trading.execution import Execution, Step


@dataclass(frozen=True, slots=True)
class Control:
    """A message that the executor obeyed after the event ``effective_seq``."""

    stream: str
    entry: int  # its number in its stream
    effective_seq: int


# What the controls said, by stream and number; it may still be filled while they are replayed.
Messages = Mapping[tuple[str, int], dict[str, Any]]


def replay(
    execution: Execution, batches: Iterable[Events], controls: Iterable[Control], messages: Messages
) -> Iterator[Step]:
    """Move over events and controls in the order in which they were; the steps are those of then.

    Args:
        execution: as it was before the first of them.
        batches: the events that follow, without a gap.
        controls: in the order in which they were obeyed.
        messages: looked at when a control's turn has come.

    Raises:
        KeyError: a control's message is not there by then.
    """
    waiting = iter(controls)
    control = next(waiting, None)
    for events in batches:
        start = 0
        while start < len(events):
            while control is not None and control.effective_seq <= execution.seq:
                yield execution.apply(control.stream, messages[control.stream, control.entry])
                control = next(waiting, None)
            stop = len(events)
            if control is not None:
                stop = min(stop, start + control.effective_seq - execution.seq)
            yield from execution.advance(events[start:stop])
            start = stop
    while control is not None:
        yield execution.apply(control.stream, messages[control.stream, control.entry])
        control = next(waiting, None)
