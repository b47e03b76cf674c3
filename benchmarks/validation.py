"""Cost of the checks of incoming data: the rules over a million records, a tape of them, and the event log.

Run it with `python benchmarks/validation.py [RECORDS]`; a million by default. Each figure is the minimum of three.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import take
from memesnipe.market.sequencer import Sequencer
from memesnipe.market.validation import validate
from memesnipe.storage.event_log import EventLog, read_batches
from memesnipe.tapes.tape import Tape, read_tape, write_tape

SAMPLE = 50_000  # events of the synthetic market, repeated
BATCH = 512  # as market_data writes them


def main(records: int) -> None:
    sequencer = Sequencer(60, 300)
    raw = list(islice(SyntheticFeed(1).messages(0), SAMPLE))
    _show("sequencer, one by one", SAMPLE, lambda: Sequencer(60, 300).stamp(raw))
    sample, _ = sequencer.stamp(raw)
    events = take(sample, np.repeat(np.arange(SAMPLE), -(-records // SAMPLE))[:records])
    events["seq"] = np.arange(1, records + 1)
    tape = Tape(events, sequencer.mints)

    def check() -> None:
        found = validate(events, tape.mints, now_ns=time.time_ns()).first()
        if found is not None:
            raise SystemExit(f"a record of the synthetic market breaks a rule: {found}")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tape"
        _show("validate", records, check)
        _show("write_tape", records, lambda: write_tape(path, tape))
        _show("read_tape", records, lambda: read_tape(path))
        _show("event log, append and sync", records, lambda: _append(Path(folder) / "events.bin", events))
        _show("event log, read", records, lambda: list(read_batches(Path(folder) / "events.bin", 1, records)))


def _append(path: Path, events: np.ndarray) -> None:
    path.unlink(missing_ok=True)
    log = EventLog(path)
    for start in range(0, len(events), BATCH):
        log.append(events[start : start + BATCH])
    log.close()


def _show(name: str, records: int, work: Callable[[], object]) -> None:
    wall, cpu = min(_timed(work) for _ in range(3))
    print(f"{name:26} {wall:8.2f} s  {cpu:6.2f} s of CPU  {wall / records * 1e6:6.2f} us per record")


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
