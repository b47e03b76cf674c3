"""Windows of events without prices, for tests of samples and races."""

from collections.abc import Sequence

import numpy as np

from memesnipe.evolution.window import Window, latest, slices_between_gaps
from memesnipe.market.events import NS_PER_S, Events, empty


def events_of(counts: Sequence[int], of_market: int = 0, seed: int = 1) -> Events:
    """Return events with so many of each token, whose lives begin one after the other, and some of the whole market."""
    rng = np.random.default_rng(seed)
    tokens = np.repeat(np.arange(len(counts)), counts)
    at_s = np.concatenate([np.sort(rng.uniform(token, token + 3, n)) for token, n in enumerate(counts)])
    tokens = np.concatenate([tokens, np.full(of_market, -1)])
    at_s = np.concatenate([at_s, rng.uniform(0, len(counts), of_market)])
    order = np.argsort(at_s, kind="stable")
    events = empty(len(tokens))
    events["token"], events["ts"] = tokens[order], (at_s[order] * NS_PER_S).astype(np.int64) + 10**18
    events["seq"] = np.arange(1, len(events) + 1)
    return events


def window_of(events: Events, slice_events: int = 10**9) -> Window:
    """Return a window of all the events."""
    slices = [
        slice_
        for start in range(0, len(events), slice_events)
        for slice_ in slices_between_gaps(
            f"{start}",
            events[start : start + slice_events],
            lambda i, j, part=events[start : start + slice_events]: part[i:j],
            is_final=True,
        )
    ]
    return latest(reversed(slices), 10**18)
