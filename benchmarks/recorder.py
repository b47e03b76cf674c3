"""Measure the recorder: the time to write the tape of a busy hour, and how much it delays the thread that publishes.

    .venv/bin/python benchmarks/recorder.py [--events 1200000]

The publishing thread is imitated: for each batch it waits eight times for 0.2 ms, as for servers, and computes a little
in between.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from memesnipe.feeds.synthetic.feed import START_TS, SyntheticFeed
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.storage.event_log import EventLog
from memesnipe.tapes.recorder import Recorder
from memesnipe.tapes.spans import SPAN_S, TapePolicy

BATCHES: Final = 300
PIECE: Final = 50_000


def write_log(log: EventLog, count: int) -> tuple[Events, list[str]]:
    """Write an hour with so many events of the synthetic market, and the first event of the next hour."""
    sequencer = Sequencer(60, 600)
    feed = SyntheticFeed(1).messages(0)
    for start in range(0, count + 1, PIECE):
        events, _ = sequencer.stamp(list(islice(feed, min(PIECE, count + 1 - start))))
        events["ts"] = START_TS + np.arange(start, start + len(events)) * (SPAN_S * NS_PER_S // count)
        events["ts"][events["seq"] == count + 1] = START_TS + SPAN_S * NS_PER_S
        log.append(events)
    return events, sequencer.mints


def publish() -> float:
    """Imitate the publishing of one batch; return the milliseconds that it took."""
    began = time.perf_counter()
    for _ in range(8):
        time.sleep(0.0002)
        sum(range(2_000))
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_200_000, help="in the hour (1,200,000)")
    count = parser.parse_args().events
    with TemporaryDirectory() as name:
        folder = Path(name)
        log = EventLog(folder / "events.bin")
        last, mints = write_log(log, count)
        recorder = Recorder(folder / "tapes", log, mints, TapePolicy(86_400), {}, ThreadPoolExecutor(1), print)
        quiet = [publish() for _ in range(BATCHES)]
        began = time.perf_counter()
        recorder.advance(int(last["seq"][-1]), int(last["ts"][-1]))
        busy = []
        while not list((folder / "tapes").glob("*.tape")):
            busy.append(publish())
        seconds = time.perf_counter() - began
        recorder.close()
        log.close()
        (tape,) = (folder / "tapes").iterdir()
        size = tape.stat().st_size
        print(f"{count:,} events in {seconds:.1f} s, {size / 1e6:.0f} MB, {size / count:.0f} bytes an event")
    for what, ms in (("without a tape", quiet), ("while the tape is written", busy)):
        shares = " ".join(f"{name} {np.percentile(ms, q):.1f}" for name, q in (("p50", 50), ("p99", 99), ("max", 100)))
        print(f"a batch {what}: {shares} ms")


if __name__ == "__main__":
    main()
