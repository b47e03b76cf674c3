"""The event log holds what was committed, no more and no less."""

from pathlib import Path

import numpy as np
import pytest

from memesnipe.market.events import empty
from memesnipe.storage.event_log import EventLog


def events(first: int, last: int) -> np.ndarray:
    made = empty(last - first + 1)
    made["seq"] = np.arange(first, last + 1)
    return made


def test_what_lies_behind_the_last_commit_is_cut_off(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "run" / "events.bin")
    log.append(events(1, 10))
    log.close()
    with (tmp_path / "run" / "events.bin").open("ab") as file:
        file.write(b"half a record")
    again = EventLog(tmp_path / "run" / "events.bin")
    again.cut(7)
    again.append(events(8, 9))
    assert again.read(6, 9)["seq"].tolist() == [6, 7, 8, 9]
    assert again.read(9, 50)["seq"].tolist() == [9]
    again.close()


def test_a_log_that_lost_committed_events_is_an_error(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.bin")
    log.append(events(1, 3))
    with pytest.raises(OSError, match="fewer than the 4 events"):
        log.cut(4)
    log.close()
