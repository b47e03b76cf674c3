"""The event log holds what was committed, no more and no less."""

from pathlib import Path

import numpy as np
import pytest

from memesnipe.market.events import empty
from memesnipe.storage.event_log import EventLog, read_batches


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


def test_records_lie_where_their_number_says_and_elsewhere_are_damage(tmp_path: Path) -> None:
    """A batch that was not committed is written again: its records must not shift those that follow."""
    path = tmp_path / "events.bin"
    log = EventLog(path)
    log.append(events(1, 5))
    log.append(events(4, 6))
    assert log.read(1, 6)["seq"].tolist() == [1, 2, 3, 4, 5, 6]
    log.close()
    path.write_bytes(events(1, 2).tobytes() + events(2, 3).tobytes())
    with pytest.raises(OSError, match="event 3 is not in its place"):
        list(read_batches(path, 1, 4))


def test_a_log_has_one_writer_until_that_one_has_let_it_go(tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    first = EventLog(path)
    first.append(events(1, 2))
    with pytest.raises(OSError, match="another writer"):
        EventLog(path)
    assert len(list(read_batches(path, 1, 2))) == 1, "who only reads is not kept out"
    first.close()
    second = EventLog(path)
    assert second.read(1, 2)["seq"].tolist() == [1, 2]
    second.close()
