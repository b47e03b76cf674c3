"""Recorded tapes have exactly the events of the run, whatever the batches, the crashes and the retention."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import memesnipe.tapes.writer
from memesnipe.market.events import NO_TOKEN, NS_PER_S, SOL_PRICE, Events, empty, join
from memesnipe.tapes.recorder import Recorder
from memesnipe.tapes.spans import SPAN_S, TapePolicy, name_of, tape_starts
from memesnipe.tapes.tape import Tape, read_tape
from memesnipe.testing.simulator.machine import InlineWriter
from tests.support import START_TS, synthetic_events

SPAN = TapePolicy(10**9, 10)
START = START_TS // (10 * NS_PER_S) * (10 * NS_PER_S)
PARQUET_WRITER = pq.ParquetWriter


class Run:
    """The events and mints of a run, as the event log and the database have them."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.mints = [f"mint{i}" for i in range(int(events["token"].max(initial=-1)) + 1)]
        self.ends = events["ts"][-1] if len(events) else 0

    def read(self, first: int, last: int) -> Events:
        return self.events[first - 1 : last].copy()

    def first_at(self, ts: int, last: int) -> int:
        return 1 + int(np.searchsorted(self.events["ts"][:last], ts))

    def messages(self, first: int = 1) -> list[dict[str, Any]]:
        return list(Tape(self.events, self.mints).messages(first - 1))


def run_with(steps_ns: list[int]) -> Run:
    """Return a run of a synthetic market whose events have other times."""
    events = synthetic_events(len(steps_ns)).copy()
    events["ts"] = START + np.cumsum(steps_ns)
    return Run(events)


def fail(reason: str) -> None:
    raise AssertionError(reason)


def recorder(run: Run, folder: Path, policy: TapePolicy = SPAN, on_error: Callable[[str], None] = fail) -> Recorder:
    return Recorder(folder, run, run.mints, policy, {"sol_usd": 200.0}, InlineWriter(), on_error)


def recorded(folder: Path) -> list[dict[str, Any]]:
    """Return the messages of all tapes in a folder."""
    tapes = [read_tape(folder / name_of(start)) for start in tape_starts(folder)]
    for start, tape in zip(tape_starts(folder), tapes, strict=True):
        assert start <= tape.events["ts"][0] <= tape.events["ts"][-1] < start + SPAN.span_ns
        assert tape.assumptions == {"sol_usd": 200.0}
    return [message for tape in tapes for message in tape.messages()]


STEPS = st.lists(st.sampled_from([0, 1, NS_PER_S, 9 * NS_PER_S, 25 * NS_PER_S]), min_size=1, max_size=40)


@settings(max_examples=60)
@given(STEPS, st.data())
def test_tapes_equal_the_events_whatever_the_batches_and_restarts(steps: list[int], data: st.DataObject) -> None:
    run = run_with(steps)
    with TemporaryDirectory() as name:
        folder = Path(name) / "tapes"
        made, seq = recorder(run, folder), 0
        while seq < len(steps):
            seq = data.draw(st.integers(seq + 1, len(steps)), "last event of the batch")
            if data.draw(st.booleans(), "restarted"):
                made.close()
                made = recorder(run, folder)
            made.advance(seq, int(run.events["ts"][seq - 1]))
            open_from = run.first_at(SPAN.start_of(int(run.events["ts"][seq - 1])), seq)
            assert recorded(folder) == run.messages()[: open_from - 1], "all spans that are over, and no other"
        made.finish(seq)
        assert recorded(folder) == run.messages()
        again = recorder(run, folder)
        before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        again.advance(seq, int(run.events["ts"][-1]))
        again.finish(seq)
        assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before, "nothing is repeated"


class Crash(BaseException):
    """The machine stops here."""


@contextmanager
def crash_at(operation: int) -> Iterator[list[str]]:
    """Stop before a file operation, or halfway in writing; all later operations have no effect either.

    Yields:
        The names of the operations so far.
    """
    done: list[str] = []

    def failing(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if len(done) >= operation:
                raise Crash
            done.append(name)
            return original(*arguments, **options)

        return call

    class Writer:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._inner = failing("open", PARQUET_WRITER)(*arguments, **options)
            self.write_table = failing("write", self._inner.write_table)
            self.close = failing("close", self._inner.close)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memesnipe.tapes.writer.pq, "ParquetWriter", Writer)
        for name in ("seal", "_sync"):
            patch.setattr(memesnipe.tapes.writer, name, failing(name, getattr(memesnipe.tapes.writer, name)))
        for name in ("replace", "unlink", "mkdir"):
            patch.setattr(Path, name, failing(name, getattr(Path, name)))
        patch.setattr(memesnipe.tapes.writer, "_ROW_GROUP", 3)
        yield done


def test_a_crash_at_any_file_operation_loses_and_repeats_nothing(tmp_path: Path) -> None:
    run = run_with([3 * NS_PER_S] * 20)
    policy = TapePolicy(20, 10)  # tapes are deleted too
    with crash_at(10**6) as operations:
        whole = recorder(run, tmp_path / "whole", policy)
        whole.advance(20, int(run.events["ts"][-1]))
        whole.finish(20)
    expected = {path.name: read_tape(path).events.tobytes() for path in (tmp_path / "whole").iterdir()}
    assert len(expected) == 3
    assert [name for name in operations if name != "unlink"][:7] == [
        "mkdir", "open", "write", "close", "seal", "_sync", "replace",
    ], "a tape is on disk before it is in its place"  # fmt: skip
    for operation in range(len(operations)):
        folder = tmp_path / str(operation)
        with crash_at(operation), pytest.raises(Crash):
            stopped = recorder(run, folder, policy)
            stopped.advance(20, int(run.events["ts"][-1]))
            stopped.finish(20)
        for path in folder.glob("*.tape"):
            read_tape(path)  # whole, or not there
        for path in folder.glob("*.partial"):
            path.write_bytes(path.read_bytes()[: operation * 100])
        again = recorder(run, folder, policy)
        again.advance(20, int(run.events["ts"][-1]))
        again.finish(20)
        found = {path.name: read_tape(path).events.tobytes() for path in folder.iterdir()}
        assert found == expected, operations[operation]


def test_tapes_beyond_the_retention_are_deleted_by_event_time(tmp_path: Path) -> None:
    run = run_with([NS_PER_S] * 100)
    made = recorder(run, tmp_path, TapePolicy(30, 10))
    kept = []
    (tmp_path / "own.tape").write_bytes(b"a file of the user")
    for seq in range(1, 101):
        made.advance(seq, int(run.events["ts"][seq - 1]))
        starts = tape_starts(tmp_path)
        kept.append(len(starts))
        assert not starts or starts[-1] - starts[0] <= 30 * NS_PER_S
    assert max(kept) == kept[-1] == 4
    assert (tmp_path / "own.tape").exists()
    late = recorder(run, tmp_path / "late", TapePolicy(30, 10))
    late.advance(100, int(run.events["ts"][-1]))
    assert set(tape_starts(tmp_path / "late")) <= set(tape_starts(tmp_path)), "none is written only to be deleted"


def test_a_tape_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    run, errors = run_with([NS_PER_S] * 40), []
    (tmp_path / "tapes").write_bytes(b"no folder")
    made = recorder(run, tmp_path / "tapes", on_error=errors.append)
    made.advance(15, int(run.events["ts"][14]))
    assert len(errors) == 1
    (tmp_path / "tapes").unlink()
    made.advance(18, int(run.events["ts"][17]))
    assert len(errors) == 1, "within a span there is nothing to try"
    made.advance(25, int(run.events["ts"][24]))
    assert recorded(tmp_path / "tapes") == run.messages()[: len(recorded(tmp_path / "tapes"))] != []
    made.finish(40)
    assert recorded(tmp_path / "tapes") == run.messages()
    assert len(errors) == 1


def test_events_that_are_missing_are_reported(tmp_path: Path) -> None:
    run, errors = run_with([NS_PER_S] * 40), []
    short = Run(run.events[:39])
    short.first_at = run.first_at  # type: ignore[method-assign]
    recorder(short, tmp_path, on_error=errors.append).finish(40)
    assert errors
    assert not list(tmp_path.glob("*.partial"))


def test_a_tape_stands_alone(tmp_path: Path) -> None:
    """Its tokens are those of its own events, numbered anew."""
    events = join(synthetic_events(300)[200:].copy(), empty(1))
    events["seq"] = np.arange(1, 102)
    events[-1]["kind"], events[-1]["token"], events[-1]["ts"], events[-1]["sol_usd"] = (
        SOL_PRICE, NO_TOKEN, events[-2]["ts"], 200.0,
    )  # fmt: skip
    run = Run(events)
    made = recorder(run, tmp_path, TapePolicy(10**6, SPAN_S))
    made.finish(101)
    [start] = tape_starts(tmp_path)
    tape = read_tape(tmp_path / name_of(start))
    assert list(tape.messages()) == run.messages()
    assert set(tape.mints) == {run.mints[t] for t in events["token"].tolist() if t >= 0} < set(run.mints)


def test_a_tape_that_is_being_written_is_given_up_at_the_end(tmp_path: Path) -> None:
    run = run_with([NS_PER_S] * 40)
    made = recorder(run, tmp_path)
    read = run.read

    def closing(first: int, last: int) -> Events:
        if last > first:
            made.close()
        return read(first, last)

    run.read = closing  # type: ignore[method-assign]
    made.policy = TapePolicy(10**6, 1_000)
    monkey = pytest.MonkeyPatch()
    monkey.setattr("memesnipe.tapes.recorder._PIECE", 7)
    made.finish(40)
    monkey.undo()
    assert not list(tmp_path.iterdir())
