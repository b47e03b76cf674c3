"""The slices of a training window in the object store, and those of its smaller samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import ray
from numpy.typing import NDArray

from memesnipe.evolution.evaluation import Segment
from memesnipe.evolution.samples import Sample, select
from memesnipe.evolution.spans import cut
from memesnipe.evolution.window import Slice
from memesnipe.market.events import Events, join
from memesnipe.stats.splits import Span

# A lost worker costs one task: it is run again, with the same result.
TASK_OPTIONS: Final[dict[str, Any]] = {"num_cpus": 1, "max_retries": 5}
_SELECTED_AT_ONCE: Final = 8  # slices, at most, of which a task makes one smaller part


@dataclass(frozen=True, slots=True)
class Stored:
    """Slices of events in the object store; a worker holds one of them at a time.

    Attributes:
        slices: references.
        span: of the events; others in the slices are left out. None to leave none out.
    """

    slices: tuple[Any, ...]
    span: Span | None = None

    @property
    def key(self) -> str:
        """A key of the events, equal for equal references and spans: objects in the store never change."""
        names = " ".join(map(str, (*self.slices, self.span)))
        return blake2b(names.encode(), digest_size=16).hexdigest()

    def __iter__(self) -> Iterator[Events]:
        for slice_ in self.slices:
            events = ray.get(slice_)
            yield cut(events, self.span) if self.span is not None else events


class StoredWindow:
    """The slices of the latest window in the object store, where each is stored once for all windows that have it."""

    def __init__(self) -> None:
        self._references: dict[str, Any] = {}
        self._depths: NDArray[np.int8] | None = None  # of the samples below
        self._selected: dict[int, list[tuple[Span, Any]]] = {}  # by depth

    def segments(self, sample: Sample) -> tuple[Segment, Segment]:
        """Return the training and the validation segment of a sample; slices of the previous window are reused.

        The samples of a race are asked for from the smallest to the largest: all are selected at once, and those that
        are smaller than the one asked for are dropped.
        """
        slices = sample.window.slices
        references = {s.key: self._references.get(s.key) for s in slices}
        for slice_ in slices:
            if references[slice_.key] is None:
                references[slice_.key] = ray.put(slice_.load())
        self._references = references
        if self._depths is not sample.depths:
            self._depths = sample.depths
            self._selected = _selected(slices, references, sample) if sample.depth else {}
        self._selected = {depth: parts for depth, parts in self._selected.items() if depth <= sample.depth}
        if sample.depth:
            parts = self._selected[sample.depth]
            ray.wait([part for _, part in parts], num_returns=len(parts))
        else:
            parts, self._selected = [(s.span, references[s.key]) for s in slices], {}
        train, validation = (_segment(span, parts, slices, sample) for span in sample.window.segment_spans())
        return train, validation


def _segment(span: Span, parts: Sequence[tuple[Span, Any]], slices: Sequence[Slice], sample: Sample) -> Segment:
    stored = Stored(tuple(part for at, part in parts if _overlap_ns(at, span) > 0), span)
    if sample.depth:
        events = sum(map(len, stored))
    else:  # as if the events of a slice were evenly spaced: only few slices are cut
        events = sum(s.count * max(_overlap_ns(s.span, span), 0) // (s.span.stop_ts - s.span.start_ts) for s in slices)
    return Segment(span, stored, stored.key, max(events, 1))


def _overlap_ns(one: Span, other: Span) -> int:
    return min(one.stop_ts, other.stop_ts) - max(one.start_ts, other.start_ts)


def _selected(
    slices: Sequence[Slice], references: dict[str, Any], smallest: Sample
) -> dict[int, list[tuple[Span, Any]]]:
    """Select the events of all samples in tasks, of some slices each; return by depth the parts, with their spans."""
    depths, deepest = ray.put(smallest.depths), smallest.depth
    selected: dict[int, list[tuple[Span, Any]]] = {depth: [] for depth in range(1, deepest + 1)}
    task = _select.options(num_returns=deepest)
    tasks = -(-len(slices) // _SELECTED_AT_ONCE)
    for number in range(tasks):  # of about equal size, so that workers end together
        group = slices[len(slices) * number // tasks : len(slices) * (number + 1) // tasks]
        parts: Any = task.remote(deepest, depths, *(references[slice_.key] for slice_ in group))
        span = Span(group[0].span.start_ts, group[-1].span.stop_ts)
        for depth, part in enumerate(parts if deepest > 1 else [parts], start=1):
            selected[depth].append((span, part))
    return selected


@ray.remote(**TASK_OPTIONS)
def _select(deepest: int, depths: NDArray[np.int8], *slices: Events) -> tuple[Events, ...] | Events:
    """Return the events of each sample, the largest first; each is selected from the one before, which contains it."""
    found = [join(*(select(events, 1, depths) for events in slices))]
    for depth in range(2, deepest + 1):
        found.append(select(found[-1], depth, depths))
    return tuple(found) if deepest > 1 else found[0]
