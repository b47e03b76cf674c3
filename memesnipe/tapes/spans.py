"""The spans of event time into which a recording is divided, and the names of their tapes; loads no slow module."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from memesnipe.market.events import NS_PER_S

# An hour: a day is 24 files, and at the rate of all of pump.fun (about 300 events per second) a tape has a million
# events. Shorter spans make more files without any use: what is not on a tape yet is in the event log.
SPAN_S: Final = 3_600
SUFFIX: Final = ".tape"
PARTIAL: Final = ".partial"  # added to the name of a tape that is not complete
_NAME: Final = f"%Y-%m-%dT%H-%M-%SZ{SUFFIX}"  # names sort by time


@dataclass(frozen=True, slots=True)
class TapePolicy:
    """The event time of one tape, and the event time from its start to that of the newest after which it is deleted."""

    retention_s: int
    span_s: int = SPAN_S

    @property
    def span_ns(self) -> int:
        """The event time of one tape in ns."""
        return self.span_s * NS_PER_S

    @property
    def retention_ns(self) -> int:
        """The retention in ns."""
        return self.retention_s * NS_PER_S

    def start_of(self, ts: int) -> int:
        """Return the start of the span of an event's time."""
        return ts // self.span_ns * self.span_ns


def name_of(start_ts: int) -> str:
    """Return the file name of the tape of the span that begins at a time."""
    return datetime.fromtimestamp(start_ts // NS_PER_S, UTC).strftime(_NAME)


def tape_starts(folder: Path) -> list[int]:
    """Return the start of the span of each recorded tape in a folder, ascending; other files are ignored."""
    starts = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            starts.append(int(datetime.strptime(path.name, _NAME).replace(tzinfo=UTC).timestamp()) * NS_PER_S)
        except ValueError:
            continue
    return sorted(starts)


def last_ts_in(folder: Path) -> int:
    """Return the time of the last event of the tapes in a folder; 0 without tapes."""
    from memesnipe.tapes.parquet_tape import ParquetTape  # noqa: PLC0415 - pyarrow is slow to load

    return max((ParquetTape(path).span()[1] for path in folder.glob(f"*{SUFFIX}")), default=0)


def remove_partial(folder: Path) -> None:
    """Remove the incomplete tapes of a process that was killed."""
    for path in folder.glob(f"*{SUFFIX}{PARTIAL}"):
        path.unlink(missing_ok=True)
