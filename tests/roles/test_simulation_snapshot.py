"""A snapshot that was copied in parts, with events in between, restores the state to the bit."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.clock import SYSTEM_CLOCK
from memesnipe.market.events import Events
from memesnipe.protocol.account import Account
from memesnipe.roles.simulation_snapshot import Restored, SimulationSnapshots
from memesnipe.storage.snapshot_file import SnapshotPart, SnapshotWriter, read_snapshot
from memesnipe.telemetry.logs import open_log
from memesnipe.testing.simulator.machine import InlineWriter
from memesnipe.trading.execution import DeskSideState, Execution, local_execution
from memesnipe.trading.gate import Limits
from tests.payloads import allocations
from tests.support import FAMILIES, NO_STOPS, SURE, population, state_bytes, synthetic_events

SIDE = TypeAdapter(DeskSideState)
MODEL = SURE._replace(landing_max=0.7, seed=5)
EVENTS = synthetic_events(2500, seed=3)
RUN = 7
ONE_ROW = 1  # byte


def _execution(*, has_capital: bool = True) -> Execution:
    made = local_execution(
        FAMILIES,
        MODEL,
        shadow_capital_usd=1000.0,
        limits={Account.PAPER: Limits(1e9)},
        policies={Account.PAPER: NO_STOPS},
    )
    usd = {genome.spec_id: 500.0 for genome in population()[::2]}
    made.apply(allocations(population(), usd=usd if has_capital else {}))
    return made


def _snapshots(folder: Path, part_bytes: int = ONE_ROW) -> SimulationSnapshots:
    log = open_log(folder, "executor", "ERROR")
    return SimulationSnapshots(folder / "snapshot", RUN, log, SYSTEM_CLOCK, InlineWriter(), 0.0, part_bytes)


def _advance(execution: Execution, events: Events) -> None:
    for _ in execution.advance(events):
        pass


def _events_between(first: int, last: int) -> Iterator[Events]:
    yield EVENTS[first - 1 : last]


def _restored(found: Restored) -> Execution:
    made = _execution(has_capital=False)
    (arena,) = made.arenas
    arena.engine.load_parts(found.parts, found.seq, found.desk_evidence, _events_between)
    arena.load_lists(found.watched, found.orders_of_removed)
    made.load_side(found.side)
    return made


def _kept(execution: Execution) -> tuple[object, ...]:
    (arena,) = execution.arenas
    return state_bytes(arena.engine.dump()), arena.lists, SIDE.dump_json(execution.side)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, len(EVENTS) - 1), min_size=3, max_size=12), st.integers(0, 5))
def test_a_copy_in_parts_restores_the_state_to_the_bit(cuts: list[int], uncommitted: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        execution, snapshots = _execution(), _snapshots(folder)
        for i, part in enumerate(np.split(EVENTS, sorted(set(cuts)))):
            _advance(execution, part)
            snapshots.copy_some(execution)
            if i % 6 != uncommitted:
                snapshots.on_commit(execution, 1)
        while not (folder / "snapshot").exists():
            snapshots.copy_some(execution)
            snapshots.on_commit(execution, 1)
        found = snapshots.read(len(EVENTS), 1)
        assert found is not None
        assert len(found.parts) == len(population())
        whole = _execution()
        _advance(whole, EVENTS[: found.seq])
        again = _restored(found)
        assert _kept(again) == _kept(whole)
        _advance(again, EVENTS[found.seq :])
        _advance(whole, EVENTS[found.seq :])
        assert _kept(again) == _kept(whole)


def test_round_trips_of_the_desk_between_two_parts_are_restored(tmp_path: Path) -> None:
    execution, snapshots = _execution(), _snapshots(tmp_path)
    _advance(execution, EVENTS[:800])
    snapshots.copy_some(execution)
    (arena,) = execution.arenas
    before = arena.engine.evidence()
    _advance(execution, EVENTS[800:2000])
    assert arena.engine.evidence()[population()[0].spec_id].round_trips > before[population()[0].spec_id].round_trips
    for _ in population():
        snapshots.copy_some(execution)
    snapshots.on_commit(execution, 1)
    found = snapshots.read(2000, 1)
    assert found is not None
    assert found.parts[0].header["last_seq"] == 800
    assert _restored(found).arenas[0].engine.evidence() == arena.engine.evidence()


def test_a_copy_is_complete_at_a_commit_only(tmp_path: Path) -> None:
    execution, snapshots = _execution(), _snapshots(tmp_path, 2**40)
    _advance(execution, EVENTS[:100])
    snapshots.on_commit(execution, 1)
    assert snapshots.read(100, 1) is None, "nothing is copied yet"
    snapshots.copy_some(execution)
    assert snapshots.read(100, 1) is None
    _advance(execution, EVENTS[100:200])
    snapshots.on_commit(execution, 1)
    assert snapshots.read(199, 1) is None, "its last event is not committed"
    found = snapshots.read(200, 1)
    assert found is not None
    assert found.seq == 200


def test_after_several_abandoned_copies_one_is_made_in_a_single_step(tmp_path: Path) -> None:
    execution, snapshots = _execution(), _snapshots(tmp_path)
    _advance(execution, EVENTS[:100])
    for _ in range(3):
        snapshots.on_commit(execution, 1)
        assert snapshots.read(100, 1) is None
        snapshots.copy_some(execution)
        snapshots.abandon()
    snapshots.copy_some(execution)
    snapshots.on_commit(execution, 1)
    found = snapshots.read(100, 1)
    assert found is not None
    assert len(found.parts) == 1
    assert _kept(_restored(found)) == _kept(execution)


def test_an_arena_without_strategies_has_a_snapshot(tmp_path: Path) -> None:
    execution = local_execution(
        FAMILIES,
        MODEL,
        shadow_capital_usd=1000.0,
        limits={Account.PAPER: Limits(1e9)},
        policies={Account.PAPER: NO_STOPS},
    )
    _advance(execution, EVENTS[:50])
    snapshots = _snapshots(tmp_path)
    snapshots.copy_some(execution)
    snapshots.copy_some(execution)
    snapshots.on_commit(execution, 0)
    found = snapshots.read(50, 0)
    assert found is not None
    assert _restored(found).seq == 50


def test_each_part_is_on_the_disk_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", noted)
    writer, sizes = SnapshotWriter(tmp_path / "snapshot"), []
    for i in range(3):
        writer.add(SnapshotPart(b"", {"a": np.arange(1000)}), is_last=i == 2)
        (file,) = tmp_path.iterdir()
        sizes.append(file.stat().st_size)
    assert synced == sizes
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("where", ["first", "last", "cut"])
def test_a_damaged_file_is_no_snapshot(tmp_path: Path, where: str) -> None:
    path = tmp_path / "snapshot"
    writer = SnapshotWriter(path)
    writer.add(SnapshotPart(b"one", {"a": np.arange(5)}))
    assert read_snapshot(path) is None
    writer.add(SnapshotPart(b"two", {"b": np.arange(3)}), is_last=True)
    found = read_snapshot(path)
    assert found is not None
    assert [part.header for part in found] == [b"one", b"two"]
    assert found[1].arrays["b"].tolist() == [0, 1, 2]
    data = bytearray(path.read_bytes())
    if where == "cut":
        del data[-40:]
    else:
        data[data.index(b"one" if where == "first" else b"two")] ^= 1
    path.write_bytes(bytes(data))
    assert read_snapshot(path) is None


def test_an_abandoned_copy_leaves_the_previous_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    for header in (b"old", b"new"):
        SnapshotWriter(path).add(SnapshotPart(b"abandoned"))
        writer = SnapshotWriter(path)
        writer.add(SnapshotPart(header))
        found = read_snapshot(path)
        assert [part.header for part in found or []] == ([] if header == b"old" else [b"old", b""])
        writer.add(SnapshotPart(b""), is_last=True)
