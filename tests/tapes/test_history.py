"""A history has the latest events before a run, each once, and one number for each token."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.errors import TapeError
from memesnipe.evolution.window import MAX_GAP_NS
from memesnipe.market.events import NO_TOKEN, NS_PER_S, Events, join
from memesnipe.roles.training_window import TrainingWindow
from memesnipe.storage.event_log import EventLog
from memesnipe.tapes.history import History, find_tapes, history_notices, identity_of, open_tapes
from memesnipe.tapes.tape import Tape, write_tape
from tests.support import synthetic_events

EVENTS = synthetic_events(3_000)
MINTS = [f"mint{i}" for i in range(int(EVENTS["token"].max()) + 1)]
TS = EVENTS["ts"]
HOUR = 3_200 * NS_PER_S


def write(folder: Path, *stops: int) -> list[Path]:
    """Write tapes of consecutive events, each with its own numbering of the tokens."""
    paths = []
    for i, (start, stop) in enumerate(zip((0, *stops), stops, strict=False)):
        paths.append(folder / f"{i}.tape")
        shift = 7 * i
        own = EVENTS[start:stop].copy()
        own["token"] = np.where(own["token"] == NO_TOKEN, NO_TOKEN, own["token"] + shift)
        write_tape(paths[-1], Tape(own, ["unused"] * shift + MINTS))
    return paths


def messages(events: Events, mints: list[str]) -> list[dict[str, Any]]:
    return list(Tape(events, mints).messages())


def whole(history: History) -> Events:
    return join(*(s.load() for s in reversed(list(history.newest_first()))))


def test_a_history_has_the_events_before_the_run_whatever_the_order_of_the_paths(tmp_path: Path) -> None:
    paths = write(tmp_path, 500, 1_300, 3_000)
    before = int(TS[2_000])
    expected = EVENTS[: int(np.searchsorted(TS, before))]
    for given_paths in (paths, paths[::-1], [tmp_path]):
        history = History(given_paths, before, 10**18)
        assert messages(whole(history), history._index.mints) == messages(expected, MINTS)
    assert whole(History(paths, before, 10**18)).tobytes() == whole(History([tmp_path], before, 10**18)).tobytes()


def test_as_much_is_read_as_the_window_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.tapes.writer._ROW_GROUP", 1)
    paths = write(tmp_path, *range(100, 3_001, 100))
    history = History(paths, int(TS[-1]) + 1, 200 * NS_PER_S)
    found = whole(history)
    assert len(found) < 2_000
    assert int(TS[-1]) - int(found["ts"][0]) >= 200 * NS_PER_S


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 2_999), st.sampled_from([1, 3, 6, 60]), st.integers(0, 2), st.integers(1, 400))
def test_a_window_over_history_and_run_is_that_of_one_recording(
    tmp_path_factory: pytest.TempPathFactory, cut: int, minutes: int, tapes: int, size: int
) -> None:
    folder = tmp_path_factory.mktemp("history")
    begin = int(np.searchsorted(TS, TS[cut]))  # a run begins with all events of its first time
    stops = [begin * (i + 1) // (tapes + 1) for i in range(tapes + 1)]
    paths = write(folder, *stops) if begin else []
    logs = []
    for name, events in (("run", EVENTS[begin:]), ("both", EVENTS)):
        logs.append(EventLog(folder / name))
        numbered = events.copy()
        numbered["seq"] = np.arange(1, len(events) + 1)
        if name == "run":  # the run numbers its tokens by its own first appearances
            numbered["token"] = np.where(numbered["token"] == NO_TOKEN, NO_TOKEN, len(MINTS) - 1 - numbered["token"])
        logs[-1].append(numbered)
        logs[-1].close()
    hours = minutes / 60
    mixed = TrainingWindow(logs[0].path, hours, size, paths, lambda: MINTS[::-1])
    for seq in (1, len(EVENTS) - begin):
        window = mixed.at(seq)
        expected = TrainingWindow(logs[1].path, hours, size).at(begin + seq)
        assert (window.start_ts, window.count, window.segment_spans()) == (
            expected.start_ts, expected.count, expected.segment_spans(),
        )  # fmt: skip
        mints = mixed._history._index.mints if mixed._history is not None else MINTS[::-1]
        parts = [join(*(s.load() for s in w.slices))[-w.count :] for w in (window, expected)]
        assert messages(parts[0], mints) == messages(parts[1], MINTS)
    again = TrainingWindow(logs[0].path, hours, size, paths, lambda: MINTS[::-1]).at(seq)
    assert join(*(s.load() for s in again.slices)).tobytes() == join(*(s.load() for s in window.slices)).tobytes()


def test_the_time_between_history_and_run_does_not_count(tmp_path: Path) -> None:
    paths = write(tmp_path, 1_000)
    later = EVENTS[1_000:1_100].copy()
    later["ts"] += 50 * 24 * HOUR
    later["seq"] = np.arange(1, 101)
    log = EventLog(tmp_path / "log")
    log.append(later)
    log.close()
    window = TrainingWindow(log.path, 1.0, 30, paths, lambda: MINTS).at(100)
    gap = int(later["ts"][0]) - int(TS[999]) - 1
    assert gap > MAX_GAP_NS
    assert window.span.stop_ts - window.start_ts - gap == min(
        HOUR, int(TS[1_099] - TS[0]) + 1 - int(TS[1_000] - TS[999]) + 1
    )


def test_tapes_that_overlap_or_are_damaged_are_rejected(tmp_path: Path) -> None:
    one, two = write(tmp_path, 500, 1_000)
    write_tape(tmp_path / "2.tape", Tape(EVENTS[400:600], MINTS))
    with pytest.raises(TapeError, match=r"0.tape and .*2.tape overlap in time"):
        open_tapes([tmp_path])
    content = bytearray(two.read_bytes())
    content[len(content) // 2] ^= 1
    two.write_bytes(content)
    with pytest.raises(TapeError, match="is damaged"):
        open_tapes([one, two])
    (tmp_path / "none").mkdir()
    with pytest.raises(TapeError, match="has no tapes"):
        find_tapes([tmp_path / "none"])


def test_a_history_after_the_first_event_is_rejected_or_cut(tmp_path: Path) -> None:
    paths = write(tmp_path, 500, 1_000)
    tapes = open_tapes(paths)
    with pytest.raises(TapeError, match="a history must be from before it"):
        history_notices(tapes, int(TS[0]))
    with pytest.raises(TapeError, match="no events"):
        history_notices([], None)
    assert len(history_notices(tapes, int(TS[600]))) == 2
    assert len(history_notices(tapes, int(TS[1_000]) + 1)) == len(history_notices(tapes, None)) == 1
    assert not list(History(paths, int(TS[0]), HOUR).newest_first())


def test_the_identity_follows_the_events(tmp_path: Path) -> None:
    paths = write(tmp_path, 500, 1_000)
    assert identity_of(paths) == identity_of([tmp_path]) == identity_of(paths[::-1])
    assert len(set(identity_of(paths))) == 2
    write_tape(paths[0], Tape(EVENTS[:499], MINTS))
    assert identity_of(paths) != identity_of(paths[1:])
    assert len(set(identity_of(paths))) == 2
