"""The event log has exactly the committed events."""

from pathlib import Path

import numpy as np
import pytest

from memesnipe.market.events import Events, empty
from memesnipe.storage.event_log import EventLog, count_events, damaged_ranges, read_batches
from memesnipe.storage.runs import Cursor
from memesnipe.verification.consistency import _of_log
from tests.support import synthetic_events
from tests.tapes.bad_tapes import flipped

HEADER = len(b"memesnipe-log-2\n")


def events(first: int, last: int) -> Events:
    made = empty(last - first + 1)
    made["seq"] = np.arange(first, last + 1)
    return made


def test_events_after_the_last_commit_are_truncated(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "run" / "events.bin")
    log.append(events(1, 10))
    log.close()
    with (tmp_path / "run" / "events.bin").open("ab") as file:
        file.write(b"half a record")
    again = EventLog(tmp_path / "run" / "events.bin")
    again.truncate(7)
    again.append(events(8, 9))
    assert again.read(6, 9)["seq"].tolist() == [6, 7, 8, 9]
    assert again.read(9, 50)["seq"].tolist() == [9]
    again.close()


def test_a_log_that_lost_committed_events_is_an_error(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.bin")
    log.append(events(1, 3))
    with pytest.raises(OSError, match="fewer than the 4 committed events"):
        log.truncate(4)
    log.close()


def test_a_record_at_another_offset_is_damaged(tmp_path: Path) -> None:
    """A batch that was not committed is written again: its records must not shift those that follow."""
    path = tmp_path / "events.bin"
    log = EventLog(path)
    log.append(events(1, 5))
    log.append(events(4, 6))
    assert log.read(1, 6)["seq"].tolist() == [1, 2, 3, 4, 5, 6]
    log.close()
    content = path.read_bytes()
    size = (len(content) - HEADER) // 6
    second = content[HEADER + size : HEADER + 2 * size]
    path.write_bytes(content[: HEADER + 2 * size] + second + content[HEADER + 3 * size :])
    with pytest.raises(OSError, match="is damaged: the checksum or the seq of event 3"):
        list(read_batches(path, 1, 4))


def test_a_log_has_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    first = EventLog(path)
    first.append(events(1, 2))
    with pytest.raises(OSError, match="another writer"):
        EventLog(path)
    assert len(list(read_batches(path, 1, 2))) == 1, "reading needs no lock"
    first.close()
    second = EventLog(path)
    assert second.read(1, 2)["seq"].tolist() == [1, 2]
    second.close()


def _log_of(path: Path, recorded: Events) -> bytes:
    log = EventLog(path)
    log.append(recorded)
    log.close()
    return path.read_bytes()


def test_every_flipped_bit_is_detected(tmp_path: Path) -> None:
    path, recorded = tmp_path / "events.bin", synthetic_events(20)
    content = _log_of(path, recorded)
    assert next(read_batches(path, 1, 20)).tobytes() == recorded.tobytes()
    assert list(damaged_ranges(path, 20)) == []
    for bit in range(0, 8 * len(content), 3):  # 8 and 3 have no common divisor: every bit of a byte somewhere
        path.write_bytes(flipped(content, bit))
        with pytest.raises(OSError, match=r"is damaged|first bytes are"):
            list(read_batches(path, 1, 20))
        [line] = damaged_ranges(path, 20)
        event = (bit // 8 - HEADER) * 20 // (len(content) - HEADER) + 1
        assert (f"event {event} is damaged" if event > 0 else "first bytes are damaged") in line


def test_damage_is_reported_by_range_and_other_events_are_readable(tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    content = _log_of(path, synthetic_events(20))
    size = (len(content) - HEADER) // 20
    zeros = bytearray(content)
    zeros[HEADER + 4 * size : HEADER + 7 * size] = bytes(3 * size)
    zeros[-1] ^= 1
    path.write_bytes(zeros)
    assert [line.split(": ")[1] for line in damaged_ranges(path, 20)] == [
        "events 5 to 7 are damaged",
        "event 20 is damaged",
    ]
    log = EventLog(path)
    assert log.read(8, 19)["seq"].tolist() == list(range(8, 20))
    with pytest.raises(OSError, match="of event 7 does not match"):
        log.read(7, 9)
    log.close()


def test_a_log_without_checksums_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    path.write_bytes(synthetic_events(20).tobytes())
    with pytest.raises(OSError, match="no event log of this version"):
        EventLog(path)
    with pytest.raises(OSError, match="no event log of this version"):
        list(read_batches(path, 1, 20))
    assert ["no event log of this version" in line for line in damaged_ranges(path, 20)] == [True]


def test_a_log_with_incomplete_first_bytes_is_created_again(tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    path.write_bytes(b"memes")
    assert len(_log_of(path, synthetic_events(3))) > HEADER
    assert (count_events(path), next(read_batches(path, 1, 3))["seq"].tolist()) == (3, [1, 2, 3])


def test_the_consistency_check_reports_damage_and_another_length(tmp_path: Path) -> None:
    path = tmp_path / "events.bin"
    content = _log_of(path, synthetic_events(20))
    taken_in = {("executor", "events"): 20}

    def lines() -> list[str]:
        return list(_of_log(path, Cursor(20, 20, 0, 0, 0, ended=True), taken_in, finished=True))

    assert lines() == []
    path.write_bytes(flipped(content, 8 * len(content) - 1))
    assert lines() == ["events.bin: event 20 is damaged: the checksum or the seq does not match"]
    path.write_bytes(content[:-1])
    assert [line.split(" has ")[0] for line in lines()] == ["events.bin"]
