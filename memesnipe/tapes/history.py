"""The history of a run: tapes from before its first event, on which its first generations are backtested.

A history never has a part of the run's future: only events before the first one of the run are used. The same token has
the same number in all tapes and in the run, by its mint.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from memesnipe.errors import TapeError
from memesnipe.evolution.window import Slice, latest, slices_between_gaps
from memesnipe.market.events import NO_TOKEN, Events
from memesnipe.market.times import utc_text
from memesnipe.market.token_index import TokenIndex
from memesnipe.tapes.checksum import read_seal
from memesnipe.tapes.parquet_tape import ParquetTape
from memesnipe.tapes.spans import SUFFIX


@dataclass(frozen=True, slots=True)
class HistoryTape:
    """A tape of a history and the times of its first and last event."""

    tape: ParquetTape
    first_ts: int
    last_ts: int


def find_tapes(paths: Sequence[Path]) -> list[Path]:
    """Return the tapes at paths; of a folder all of its tapes.

    Raises:
        TapeError: a folder has none.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not inside:
            raise TapeError(f"{path} has no tapes: no file in it is named *{SUFFIX}")
        found += inside
    return found


def identity_of(paths: Sequence[Path]) -> list[str]:
    """Return the seals of the tapes at paths: equal ones have equal events."""
    return sorted(read_seal(path) for path in find_tapes(paths))


def open_tapes(paths: Sequence[Path]) -> list[HistoryTape]:
    """Return the tapes at paths in order of time, without empty ones. Their seals are checked, but not every event.

    Raises:
        TapeError: a file is no tape or damaged, or two tapes overlap in time.
    """
    opened = []
    for path in find_tapes(paths):
        tape = ParquetTape(path)
        tape.check_seal()
        first_ts, last_ts = tape.span()
        if first_ts:
            opened.append(HistoryTape(tape, first_ts, last_ts))
    opened.sort(key=lambda one: (one.first_ts, one.last_ts))
    for earlier, later in pairwise(opened):
        if later.first_ts < earlier.last_ts:
            raise TapeError(f"{earlier.tape.path} and {later.tape.path} overlap in time: a history has each event once")
    return opened


def history_notices(tapes: Sequence[HistoryTape], first_ts: int | None) -> list[str]:
    """Return sentences about a history, for the user.

    Args:
        tapes: in order of time.
        first_ts: the time of the run's first event; None if it is not known yet.

    Raises:
        TapeError: the history has no event before it.
    """
    if not tapes:
        raise TapeError("the tapes have no events")
    begins, ends = tapes[0].first_ts, tapes[-1].last_ts
    if first_ts is not None and begins >= first_ts:
        raise TapeError(
            f"all events are from {utc_text(begins)} on, and the market of the run begins at {utc_text(first_ts)}: "
            "a history must be from before it"
        )
    files = "1 tape" if len(tapes) == 1 else f"{len(tapes)} tapes"
    sentences = [f"The history has {files}, {utc_text(begins)} to {utc_text(ends)}."]
    if first_ts is not None and ends >= first_ts:
        sentences.append(f"Of the history only the events before {utc_text(first_ts)} are used, when the run begins.")
    assumed = [one.tape.path.name for one in tapes if "pools" in one.tape.assumptions]
    if assumed:
        sentences.append(f"The pools of the history are assumed in {', '.join(assumed)}.")
    return sentences


class History:
    """The latest events of some tapes, as slices.

    Args:
        paths: of the tapes.
        before_ts: the time of the run's first event; events from then on are left out.
        length_ns: the recorded time that is needed at most.

    Raises:
        TapeError: as for `open_tapes`.
    """

    def __init__(self, paths: Sequence[Path], before_ts: int, length_ns: int) -> None:
        self._before_ts = before_ts
        self._index = TokenIndex()
        self._numbers = np.zeros(0, np.int32)  # of the run's tokens
        self._slices: list[Slice] = []  # newest first
        groups: list[tuple[ParquetTape, int]] = []

        def newest_first() -> Iterator[Slice]:
            for one in reversed([one for one in open_tapes(paths) if one.first_ts < before_ts]):
                for group in reversed(range(one.tape.group_count)):
                    events = self._cut(one.tape.group_events(group, TokenIndex()))
                    if not len(events):
                        continue
                    groups.append((one.tape, group))
                    load = partial(self._load, one.tape, group)
                    slices = slices_between_gaps(f"{one.tape.path} {group}", events, load, is_final=True)
                    self._slices += reversed(slices)
                    yield from reversed(slices)

        slices = newest_first()
        newest = next(slices, None)
        if newest is not None:  # read as many as the longest window needs
            latest(chain([newest], slices), length_ns)
        # Numbered from the oldest on, so that the numbers do not depend on what is read first.
        for tape, group in reversed(groups):
            tape.add_mints(group, self._index)

    def _cut(self, events: Events) -> Events:
        return events[: int(np.searchsorted(events["ts"], self._before_ts))]

    def _load(self, tape: ParquetTape, group: int, start: int, stop: int) -> Events:
        return tape.group_events(group, self._index)[start:stop]

    def newest_first(self) -> Iterator[Slice]:
        """Yield the slices in reverse order of time."""
        return iter(self._slices)

    def renumber(self, events: Events, read_mints: Callable[[], list[str]]) -> None:
        """Give the tokens of a run's events their numbers in this history; new ones follow in the order of the run.

        Args:
            events: changed in place.
            read_mints: returns the mint of each token of the run.
        """
        tokens = events["token"]
        if int(tokens.max(initial=NO_TOKEN)) >= len(self._numbers):
            self._numbers = np.array([self._index.of(mint) for mint in read_mints()], np.int32)
        events["token"] = np.append(self._numbers, np.int32(NO_TOKEN))[tokens]  # NO_TOKEN, -1, selects the last one
