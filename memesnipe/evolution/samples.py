"""Nested samples of a window's tokens: cheap backtests for many genomes, larger ones for the better genomes.

A sample has every event of its tokens, and the events of the whole market. What a genome does with a token depends on
the events of that token and on its own cash, so a backtest on a sample is a backtest on a smaller market: no token's
life is cut, and nothing of the future is seen. Samples are stratified by the time of a token's first event and by its
number of events.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.evolution.evaluation import Segment
from memesnipe.evolution.spans import cut
from memesnipe.evolution.window import Slice, Window
from memesnipe.market.events import Events, take
from memesnipe.stats.splits import Span

RATIO: Final = 3  # of the sizes of two samples: the best to keep is e (Jamieson & Talwalkar 2016)
MIN_TOKENS: Final = 2  # in a sample: with fewer, a single token decides
MIN_EVENTS: Final = 1_500  # in a sample: with fewer, most genomes never trade
MAX_SAMPLES: Final = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """A part of a window's tokens, or all of them.

    Attributes:
        key: samples with equal keys have equal events.
        window: that the sample is drawn from.
        depth: number of larger samples; 0 for the one with all tokens.
        events: number of events that the backtest of one genome processes.
        depths: depth of the smallest sample with each token, shape (tokens + 1,); the last one is for events of the
            whole market, which are in every sample.
    """

    key: str
    window: Window
    depth: int
    events: int
    depths: NDArray[np.int8]

    def select(self, events: Events) -> Events:
        """Return those of the window's events that are in the sample."""
        return select(events, self.depth, self.depths)

    def segments(self) -> tuple[Segment, Segment]:
        """Return the training and the validation segment, whose slices are read when they are needed."""
        train, validation = (
            Segment(span, _Selected(self, self.window.within(span), span)) for span in self.window.segment_spans()
        )
        return train, validation


def select(events: Events, depth: int, depths: NDArray[np.int8]) -> Events:
    """Return the events of a sample; ``depth`` and ``depths`` are those of a `Sample`."""
    # An event of the whole market has the token -1, which selects the last depth.
    return take(events, depths[events["token"]] >= depth) if depth else events


@dataclass(frozen=True, slots=True)
class _Selected:
    sample: Sample
    slices: tuple[Slice, ...]
    span: Span

    def __iter__(self) -> Iterator[Events]:
        return (self.sample.select(cut(slice_.load(), self.span)) for slice_ in self.slices)


@dataclass(frozen=True, slots=True)
class _Census:
    """The tokens of some events, each with its number of events and the time of its first one."""

    tokens: NDArray[np.int64]
    counts: NDArray[np.int64]
    first_ts: NDArray[np.int64]
    of_market: int  # number of events of the whole market


@dataclass(slots=True)
class Sampler:
    """Draws the samples of windows; slices of the previous window are not counted again."""

    _counted: dict[str, _Census] = field(default_factory=dict)

    def samples(self, window: Window, turn: int) -> list[Sample]:
        """Return nested samples of a window, the smallest first; the last one has all tokens.

        Args:
            window: at least one event.
            turn: number of the draw; consecutive draws have different tokens in their samples.
        """
        total = _joined(self._count(window))
        key = f"{window.start_ts} {window.slices[0].key} {window.slices[-1].key}"
        depths = np.zeros(int(total.tokens.max(initial=-1)) + 2, np.int8)
        depths[-1] = MAX_SAMPLES
        samples = [Sample(key, window, 0, window.count, depths)]
        tokens, draw = np.lexsort((total.tokens, total.first_ts)), turn
        while len(samples) < MAX_SAMPLES:
            fitting = _smaller(tokens, total, samples[-1].events, draw % RATIO)
            if fitting is None:
                break
            (tokens, events), draw, depth = fitting, draw // RATIO, len(samples)
            depths[total.tokens[tokens]] = depth
            samples.append(Sample(f"{key} {depth} {turn % RATIO**depth}", window, depth, events, depths))
        return samples[::-1]

    def _count(self, window: Window) -> list[_Census]:
        oldest = window.slices[0]
        is_cut = window.start_ts > oldest.span.start_ts
        whole = window.slices[1:] if is_cut else window.slices
        self._counted = {s.key: self._counted.get(s.key) or _census(s.load()) for s in whole}
        return [*([_census(cut(oldest.load(), window.span))] if is_cut else []), *self._counted.values()]


def _census(events: Events) -> _Census:
    numbers = events["token"].astype(np.int64)
    is_own = numbers >= 0
    own, ts = numbers[is_own], events["ts"][is_own]
    counts = np.bincount(own)
    first_ts = np.zeros(len(counts), np.int64)
    first_ts[own[::-1]] = ts[::-1]  # of repeated indices the last value is kept: the earliest time
    tokens = np.flatnonzero(counts)
    return _Census(tokens, counts[tokens], first_ts[tokens], len(events) - len(own))


def _joined(parts: Sequence[_Census]) -> _Census:
    tokens, places = np.unique(np.concatenate([part.tokens for part in parts]), return_inverse=True)
    counts = np.zeros(len(tokens), np.int64)
    first_ts = np.full(len(tokens), np.iinfo(np.int64).max)
    np.add.at(counts, places, np.concatenate([part.counts for part in parts]))
    np.minimum.at(first_ts, places, np.concatenate([part.first_ts for part in parts]))
    return _Census(tokens, counts, first_ts, sum(part.of_market for part in parts))


def _smaller(tokens: NDArray[np.int64], total: _Census, events: int, draw: int) -> tuple[NDArray[np.int64], int] | None:
    """Return the tokens of a smaller sample and its number of events; None if there is none.

    A few tokens may have most events. A draw with more than half of the events is replaced by the next one.

    Args:
        tokens: of the sample to draw from, as indices in order of time.
        total: all tokens.
        events: number of events of the sample to draw from.
        draw: 0 to 2.
    """
    for attempt in range(RATIO):
        chosen = _a_third(tokens, total.counts, (draw + attempt) % RATIO)
        count = int(total.counts[chosen].sum()) + total.of_market
        if len(chosen) >= MIN_TOKENS and MIN_EVENTS <= count <= events // 2:
            return chosen, count
    return None


def _a_third(chosen: NDArray[np.int64], counts: NDArray[np.int64], draw: int) -> NDArray[np.int64]:
    """Return one of every three tokens: of the first three that with most events, of the next three the second, ...

    Args:
        chosen: indices of tokens, in order of time.
        counts: number of events of each token.
        draw: 0 to 2: the place by size that is chosen among the first three.
    """
    if not len(chosen):
        return chosen
    groups = np.arange(len(chosen)) // RATIO
    by_size: NDArray[np.int64] = chosen[np.lexsort((np.arange(len(chosen)), -counts[chosen], groups))]
    starts = np.arange(0, len(chosen), RATIO)
    sizes = np.minimum(RATIO, len(chosen) - starts)
    places: NDArray[np.int64] = starts + (np.arange(len(starts)) + draw) % sizes
    return np.take(by_size, places)
