from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from memesnipe.errors import TapeError
from memesnipe.market.codec import to_messages
from memesnipe.market.events import FIELDS, KIND_NAMES, NO_TOKEN, SOCIAL, Events, empty, join
from memesnipe.market.plausible import RANGES
from memesnipe.market.record_rules import NEEDS_MINT
from memesnipe.tapes.tape import Tape, TapeFile, read_tape, write_tape
from tests.market.test_validation import records
from tests.support import START_TS, synthetic_events

MINTS = ["first", "second"]


def _one_of_each_kind() -> Events:
    events = empty(len(FIELDS))
    for i, (kind, fields) in enumerate(FIELDS.items()):
        for offset, name in enumerate(fields):
            events[i][name] = 1 if RANGES.get(name, (0, 9))[1] < 9 else 10 * i + offset + 1
        events[i]["ts"] = START_TS + i
        events[i]["kind"] = kind
        events[i]["side"] = events[i]["venue"] = 1
        events[i]["seq"] = events[i]["flags"] = 0
        events[i]["token"] = i % 2 if kind in NEEDS_MINT or kind == SOCIAL else NO_TOKEN
    return events


def test_every_kind_of_event_survives_bit_identically(tmp_path: Path) -> None:
    events = _one_of_each_kind()
    write_tape(tmp_path / "a.tape", Tape(events, MINTS))
    read = read_tape(tmp_path / "a.tape")
    assert read.events.tobytes() == events.tobytes()
    assert read.mints == MINTS
    assert read.summary() == {
        "events": 7,
        "tokens": 2,
        "kinds": {KIND_NAMES[kind]: 1 for kind in FIELDS},
        "from_ts": events["ts"][0],
        "to_ts": events["ts"][-1],
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(records())
def test_a_tape_is_written_only_if_its_events_are_valid(tmp_path: Path, events: Events) -> None:
    tape, path = Tape(events, ["x", "y", "z"], {"sol_usd": 200.0}), tmp_path / "a.tape"
    path.unlink(missing_ok=True)
    broken = tape.validate().first()
    if broken is None:
        write_tape(path, tape)
        read = read_tape(path)
        assert list(read.messages()) == list(tape.messages())
        assert read.assumptions == tape.assumptions
    else:
        with pytest.raises(TapeError) as refused:
            write_tape(path, tape)
        assert f"row {broken[0] + 1}: {broken[2]}" in str(refused.value)
        assert not path.exists()


def test_messages_have_the_form_of_a_feed_and_start_anywhere() -> None:
    tape = Tape(_one_of_each_kind(), MINTS)
    whole = list(tape.messages())
    assert list(tape.messages(3)) == whole[3:]
    assert list(tape.messages(1, 3)) == whole[1:3]
    assert not {"seq", "flags", "token"} & set().union(*whole)
    assert [m["ts"] for m in whole] == [m["ts"] for m in to_messages(tape.events, MINTS)]
    orjson.dumps(whole)


def test_an_empty_tape_can_be_written_and_read(tmp_path: Path) -> None:
    write_tape(tmp_path / "a.tape", Tape(empty(0), []))
    read = read_tape(tmp_path / "a.tape")
    assert (len(read.events), read.mints, read.summary()["from_ts"]) == (0, [], 0)


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1" + bytes(40) + b"PAR1"])
def test_other_files_are_rejected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(TapeError, match="is not a tape") as refused:
        read_tape(tmp_path / "bad")
    assert "\n" not in str(refused.value)


def test_a_truncated_tape_is_rejected(tmp_path: Path) -> None:
    write_tape(tmp_path / "a.tape", Tape(_one_of_each_kind(), MINTS))
    (tmp_path / "cut").write_bytes((tmp_path / "a.tape").read_bytes()[:-100])
    with pytest.raises(TapeError):
        read_tape(tmp_path / "cut")


def test_another_parquet_file_is_rejected(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ts": np.arange(3)}), tmp_path / "other")
    with pytest.raises(TapeError, match="not a tape of this version"):
        read_tape(tmp_path / "other")


def test_the_error_of_a_missing_tape_names_the_import(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="memesnipe import"):
        read_tape(tmp_path / "none")


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="cannot write"):
        write_tape(tmp_path / "missing" / "a.tape", Tape(empty(0), []))
    (tmp_path / "folder").mkdir()
    with pytest.raises(TapeError, match="cannot write"):
        write_tape(tmp_path / "folder", Tape(empty(0), []))
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_slices_of_a_tape_on_disk_are_complete(tmp_path: Path, size: int) -> None:
    events = synthetic_events(600)
    path = tmp_path / "sliced.tape"
    write_tape(path, Tape(events, [f"mint{i}" for i in range(int(events["token"].max()) + 1)]))
    file, whole = TapeFile(path), read_tape(path)
    parts = list(file.slices(size))
    assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
    joined = join(*parts)
    joined["seq"] = 0
    assert joined.tobytes() == whole.events.tobytes()
    assert (file.count, file.mints) == (600, whole.mints)
    assert file.span() == (int(events["ts"][0]), int(events["ts"][-1]))
    assert join(*file.slices(size))["seq"].tolist() == list(range(1, 601))
