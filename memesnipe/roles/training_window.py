"""The training window of a run: what a generation is backtested on, read from the run's event log and its history.

The window is a function of the history and of the events up to that of the generation. Nothing of it is kept in memory
or passes through Redis, so it is the same after a restart, and whatever has been recorded as tapes.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from memesnipe.evolution.window import Slice, Window, latest, slices_between_gaps
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.storage.event_log import read_batches

if TYPE_CHECKING:  # pyarrow is slow to load
    from memesnipe.tapes.history import History

SLICE_EVENTS: Final = 1 << 16  # 8 MB


class TrainingWindow:
    """The last hours of a run, and of its history while the run is younger.

    Args:
        event_log: of the run.
        hours: of recorded time.
        slice_events: the number of events in a slice of the run, except the last one.
        history: tapes, or folders of tapes, from before the run.
        read_mints: returns the mint of each token of the run; needed with a history alone.
    """

    def __init__(
        self,
        event_log: Path,
        hours: float,
        slice_events: int = SLICE_EVENTS,
        history: Sequence[Path] = (),
        read_mints: Callable[[], list[str]] = list,
    ) -> None:
        self._event_log, self._length_ns = event_log, int(hours * 3_600 * NS_PER_S)
        self._slice_events, self._paths, self._read_mints = slice_events, history, read_mints
        self._complete: dict[int, list[Slice]] = {}  # by the first event

    def at(self, seq: int) -> Window:
        """Return the window that ends with event ``seq``.

        Raises:
            OSError: the events cannot be read.
            TapeError: the history cannot be read.
        """
        earlier = self._history.newest_first() if self._history is not None else ()
        return latest(chain(self._newest_first(seq), earlier), self._length_ns)

    @cached_property
    def _history(self) -> "History | None":
        if not self._paths:
            return None
        from memesnipe.tapes.history import History  # noqa: PLC0415 - as above

        [first] = read_batches(self._event_log, 1, 1)
        return History(self._paths, int(first["ts"][0]), self._length_ns)

    def _newest_first(self, seq: int) -> Iterator[Slice]:
        for block in range((seq - 1) // self._slice_events, -1, -1):
            first = 1 + block * self._slice_events
            yield from reversed(self._slices(first, min(first + self._slice_events - 1, seq)))

    def _slices(self, first: int, last: int) -> list[Slice]:
        if first in self._complete:
            return self._complete[first]
        is_complete = last - first + 1 == self._slice_events
        load = partial(self._load, first)
        found = slices_between_gaps(f"event {first}", load(0, last - first + 1), load, is_final=is_complete)
        if is_complete:
            self._complete[first] = found
        return found

    def _load(self, first: int, start: int, stop: int) -> Events:
        [events] = read_batches(self._event_log, first + start, first + stop - 1, self._slice_events)
        if self._history is not None:
            self._history.renumber(events, self._read_mints)
        return events
