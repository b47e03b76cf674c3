"""The past of the measured market: its events before a run, as a tape, so that the search begins with experience."""

import math
from itertools import islice
from pathlib import Path
from typing import Final

from memesnipe.feeds.synth_market.feed import measured_market
from memesnipe.feeds.synthetic.past import first_ts_after
from memesnipe.market.events import take
from memesnipe.tapes.writer import TapeWriter

_WINDOW_S: Final = 900.0  # of event time that is written at once


def write_measured_past(path: Path, seed: int, hours: float) -> None:
    """Write the first ``hours`` of the measured market with this seed as a tape.

    Raises:
        TapeError: the file cannot be written.
    """
    market, stop_ts = measured_market(seed), first_ts_after(hours)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TapeWriter(path, market.assumptions) as writer:
        for events in islice(market.windows(_WINDOW_S), math.ceil(hours * 3600 / _WINDOW_S)):
            writer.write(*market.with_mints(take(events, events["ts"] < stop_ts)))
        writer.commit()
