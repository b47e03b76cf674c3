"""The markets of `closed_loop.py`: their events before a run and those of the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

import numpy as np

from memesnipe.config.settings import Settings
from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.synth_market.edge import Edge as MeasuredEdge
from memesnipe.feeds.synth_market.feed import MeasuredFeed
from memesnipe.feeds.synthetic.past import first_hours, first_ts_after, stamp_all
from memesnipe.market.events import Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import read_tape
from memesnipe.testing.labelled_markets import Edge, labelled_market

SYNTHETIC: Final = "synthetic"  # as MEASURED of `memesnipe up --feed`, with a past
DYING: Final = "dying"  # the edge of momentum, for the first half of the run
RECORDED: Final = "recorded"  # the events of a tape
MEASURED: Final = {  # with the planted edge of each
    "measured": MeasuredEdge.NONE,
    **{f"measured_{edge}": edge for edge in MeasuredEdge if edge is not MeasuredEdge.NONE},
}
LABELLED: Final = (*(str(edge) for edge in Edge), SYNTHETIC, DYING)
GENERATED: Final = (*LABELLED, *MEASURED)
_AT_ONCE: Final = 1_000  # events


@dataclass(frozen=True, slots=True)
class Market:
    """The events before a run and those of the run, stamped, with the mint of each token of both."""

    past: Events
    events: Events
    mints: list[str]


def generated_market(name: str, seed: int, hours: float, settings: Settings) -> Market:
    """Return the market of a seed, `hours` long without its past."""
    past_hours = settings.evolution.synthetic_past_hours if name in (SYNTHETIC, *MEASURED) else 0.0
    sequencer = _sequencer(settings)
    events = stamp_all(_messages(name, seed, hours, past_hours), sequencer)
    first = int(np.searchsorted(events["ts"], first_ts_after(past_hours)))
    past, run_events = events[:first], events[first:].copy()
    run_events["seq"] -= first
    return Market(past, run_events, sequencer.mints)


def recorded_market(path: Path, settings: Settings) -> Market:
    """Return the market of a tape, all of which is the run.

    Raises:
        TapeError: the tape cannot be read.
    """
    sequencer = _sequencer(settings)
    events = stamp_all(read_tape(path).messages(0), sequencer)
    return Market(events[:0], events, sequencer.mints)


def _sequencer(settings: Settings) -> Sequencer:
    return Sequencer(settings.trading.rebalance_interval_secs, settings.evolution.generation_interval_secs)


def _messages(name: str, seed: int, hours: float, past_hours: float) -> Iterator[FeedMessage]:
    if name == SYNTHETIC:
        return first_hours(seed, past_hours + hours)
    if name in MEASURED:
        until_ts = first_ts_after(past_hours + hours)
        return takewhile(lambda message: message["ts"] < until_ts, _measured_messages(seed, MEASURED[name]))
    if name == DYING:
        return labelled_market(Edge.MOMENTUM, seed, hours=hours, edge_hours=hours / 2).messages()
    return labelled_market(Edge(name), seed, hours=hours).messages()


def _measured_messages(seed: int, edge: MeasuredEdge) -> Iterator[FeedMessage]:
    feed = MeasuredFeed(seed, edge=edge)
    feed.open(None)
    while isinstance(polled := feed.poll(_AT_ONCE, 0.0), list):
        yield from (event.message for event in polled)
