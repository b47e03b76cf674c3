"""A synthetic market: N launches in H hours, read as one array or in windows of time."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.feeds.synth_market.edge import EDGE_CODES, Edge
from memesnipe.feeds.synth_market.environment import make_environment
from memesnipe.feeds.synth_market.kernel import generate_lives
from memesnipe.feeds.synth_market.launches import launch_times
from memesnipe.feeds.synth_market.life import LIFE, LIFE_S, Environment, new_scratch
from memesnipe.feeds.synth_market.shared_events import MAJORS, SharedEvents
from memesnipe.market.events import EVENT, NO_TOKEN, NS_PER_S, Events, empty, join, take

START_TS: Final = 1_767_225_600 * NS_PER_S  # 2026-01-01 UTC, 09:00 in Korea
_POSITIONS, _ACTIONS, _EVENTS = 1 << 14, 1 << 15, 1 << 18
_AT_ONCE: Final = 1_000  # tokens


class SynthMarket:
    """The market of a seed; every window of it is the same whatever windows are read.

    Args:
        seed: of the market.
        tokens: number of launches.
        hours: length of the market in event time.
        edge: the planted edge.
    """

    def __init__(self, seed: int, tokens: int, hours: float, edge: Edge = Edge.NONE) -> None:
        self.seed, self.tokens, self.hours, self.edge = seed, tokens, hours, edge
        self.environment: Environment = make_environment(seed, START_TS, hours)
        self.launches: NDArray[np.int64] = launch_times(seed, tokens, self.environment)
        self._shared = SharedEvents(seed, self.environment, tokens)
        self._scratch = new_scratch(_POSITIONS, _ACTIONS, empty(_EVENTS), self.environment, EDGE_CODES[edge])

    def mint(self, token: int) -> str:
        """Return the mint of a token, launched ones first, then the majors; it cannot exist on the chain."""
        return f"Synth{self.seed}x{token:07d}"

    @property
    def mints(self) -> int:
        """The number of tokens, the majors included."""
        return self.tokens + MAJORS

    def with_mints(self, events: Events) -> tuple[Events, list[str]]:
        """Return events with tokens numbered from 0, and the mint of each; the list is as long as the window needs."""
        is_of_token = events["token"] != NO_TOKEN
        tokens, numbers = np.unique(events["token"][is_of_token], return_inverse=True)
        renumbered = join(events)
        renumbered["token"][is_of_token] = numbers
        return renumbered, [self.mint(token) for token in tokens.tolist()]

    @property
    def assumptions(self) -> dict[str, Any]:
        """What a reader of its tape should know, JSON-ready."""
        made_by = f"seed {self.seed}, {self.tokens} launches in {self.hours:g} hours, edge {self.edge.value}"
        return {"synthetic": f"this market is generated ({made_by}), no trade of it was ever made"}

    def windows(self, window_s: float, start_ts: int = START_TS) -> Iterator[Events]:
        """Yield the events of consecutive windows, from a time, by default the start of the market, to its end."""
        launched, length = int(np.searchsorted(self.launches, start_ts)), int(window_s * NS_PER_S)
        waiting = self._of_launched_before(start_ts, launched)
        while start_ts < self.environment.end_ts:
            stop_ts = min(start_ts + length, self.environment.end_ts)
            until = int(np.searchsorted(self.launches, stop_ts))
            waiting = join(waiting, self._lives(launched, until))
            due = waiting["ts"] < stop_ts
            yield in_order(join(take(waiting, due), self._shared.between(start_ts, stop_ts)))
            waiting = take(waiting, ~due)
            launched, start_ts = until, stop_ts

    def window(self, start_ts: int, stop_ts: int) -> Events:
        """Return the events from ``start_ts`` to before ``stop_ts``, in order."""
        first, until = self._first_alive(start_ts), int(np.searchsorted(self.launches, stop_ts))
        events = self._lives(first, until)
        events = take(events, (events["ts"] >= start_ts) & (events["ts"] < stop_ts))
        return in_order(join(events, self._shared.between(start_ts, stop_ts)))

    def _of_launched_before(self, ts: int, until: int) -> Events:
        """Return the events from a time on of the tokens launched before it, of which ``until`` is the next one."""
        parts = [empty(0)]
        for first in range(self._first_alive(ts), until, _AT_ONCE):  # most events are earlier: few are held at a time
            events = self._lives(first, min(first + _AT_ONCE, until))
            parts.append(take(events, events["ts"] >= ts))
        return join(*parts)

    def _first_alive(self, ts: int) -> int:
        """Return the first token that may have an event from a time on."""
        return int(np.searchsorted(self.launches, ts - int((LIFE_S + 1.0) * NS_PER_S)))

    def _lives(self, first: int, until: int) -> Events:
        """Return the events of whole lives of tokens, one token after the other."""
        parts, index, launches = [], 0, self.launches[first:until]
        life = np.zeros(1, LIFE)
        while index < len(launches):
            before = index
            index, written = generate_lives(self.seed, first, launches, index, 0, life, self._scratch)
            parts.append(join(self._scratch.events[:written]))
            # Bytes that a kind does not use are 0, so records of a life that did not fit are cleared too.
            octets = self._scratch.events.view(np.uint8)
            octets[: int(life["written"][0]) * EVENT.itemsize] = 0
            octets[-EVENT.itemsize :] = 0
            if index == before:
                self._grow()
        return join(*parts) if parts else empty(0)

    def _grow(self) -> None:
        """Double the working memory."""
        positions, actions, events, *_ = self._scratch
        self._scratch = new_scratch(
            2 * len(positions), 2 * len(actions), empty(2 * len(events)), self.environment, EDGE_CODES[self.edge]
        )


def in_order(events: Events) -> Events:
    """Return events that are ordered by token in order of time, and by token at the same time."""
    return take(events, np.argsort(events["ts"], kind="stable"))


def compile_generator() -> None:
    """Compile the generator, or load it from the compile cache."""
    SynthMarket(seed=0, tokens=1, hours=0.1).window(START_TS, START_TS + NS_PER_S)
