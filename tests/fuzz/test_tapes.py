"""Tapes: mutated files, and valid files with mutated content."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.cli.tapes import _as_imported
from memesnipe.errors import TapeError
from memesnipe.market.assumptions import _SENTENCES, describe
from memesnipe.market.events import EVENT, KIND_NAMES, Events, join
from memesnipe.market.plausible import LAST_TS, OLDEST_TS, RANGES, SOL_USD
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.arrow import COLUMNS
from memesnipe.tapes.tape import Tape, TapeFile, read_tape, write_tape
from tests.fuzz.framework import JSON_VALUES, MUTATIONS, Mutation, fuzz, one_line
from tests.support import START_TS, synthetic_events
from tests.tapes.bad_tapes import rewrite

ROWS = 24


@lru_cache
def _valid() -> Tape:
    """Return events of every kind of the synthetic market."""
    every = synthetic_events(4_000)
    firsts = [int(np.argmax(every["kind"] == kind)) for kind in KIND_NAMES]
    chosen = sorted({*firsts, *range(ROWS - len(firsts))})
    events: Events = join(*(every[i : i + 1] for i in chosen)).copy()
    events["seq"] = events["flags"] = 0
    mints = [f"mint{i}" for i in range(int(events["token"].max()) + 1)]
    return Tape(events, mints, {"sol_usd": 200.0, "order": "ascending"})


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "good.tape"
    write_tape(path, _valid())
    return path


@pytest.fixture(scope="module")
def path(good: Path) -> Path:
    """The path of a test's tapes."""
    return good.with_name("a.tape")


def _read(path: Path) -> Tape | None:
    """Return the tape, which must be usable everywhere; None if all readers reject it with the same error."""
    try:
        tape = read_tape(path)
    except TapeError as error:
        message = one_line(error)
        with pytest.raises(TapeError) as refused:
            TapeFile(path)
        assert str(refused.value) == message
        assert str(path) in message
        return None
    file = TapeFile(path)
    slices = list(file.slices(7))
    assert join(*slices)["ts"].tolist() == tape.events["ts"].tolist() if slices else not len(tape.events)
    assert file.mints == tape.mints
    orjson.dumps([tape.summary() | _as_imported(tape.assumptions), describe(tape.assumptions)])
    taken, rejected = Sequencer(60, 600).stamp(list(tape.messages()))
    assert not rejected
    assert len(taken) == len(tape.events)
    return tape


@fuzz
@given(MUTATIONS)
def test_a_changed_file_is_rejected(path: Path, good: Path, mutation: Mutation) -> None:
    content = good.read_bytes()
    path.write_bytes(mutation.of(content))
    assert (_read(path) is None) == (mutation.of(content) != content)


def _values(name: str) -> st.SearchStrategy[Any]:
    """Return a strategy of a column's values, often at or next to a limit."""
    if name == "mint":
        return st.sampled_from(["", "A", "new", "nul\0", "esc\x1b[2J", "m" * 65, " "]) | st.text(max_size=70)
    dtype = EVENT[name]
    minimum, maximum = SOL_USD if name == "sol_usd" else RANGES.get(name, (0, 0))
    if dtype.kind == "f":
        return st.floats() | st.sampled_from([minimum, maximum, 2 * maximum, -maximum, 0.0, 5e-324])
    info = np.iinfo(dtype)
    times = [START_TS, LAST_TS, LAST_TS + 1, OLDEST_TS - 1, START_TS // 1000] if name == "ts" else []
    special = [0, 1, 77, 99, 200, int(minimum) - 1, int(maximum), int(maximum) + 1, 2**61, *times]
    fits = [v for v in special if info.min <= v <= info.max]
    return st.integers(int(info.min), int(info.max)) | st.sampled_from(fits)


KEYS = st.sampled_from([*_SENTENCES, "esc\x1b[2J"])


@st.composite
def changes(draw: st.DrawFn) -> Any:
    """Draw one change of a table."""
    name, other = (draw(st.sampled_from(["mint", *COLUMNS])) for _ in range(2))
    category = draw(st.integers(0, 7))

    def change(table: Any) -> Any:
        index, column = table.schema.get_field_index(name), table.column(name)
        if category <= 2:  # one value: the change most likely to be accepted
            values = column.to_pylist()
            values[row] = value
            return table.set_column(index, name, pa.array(values, column.type))
        if category == 3:  # the names of two columns swapped
            names = [{name: other, other: name}.get(n, n) for n in table.column_names]
            return table.rename_columns(names)
        if category == 4:
            return table.drop_columns([name])
        if category == 5:  # another type
            return table.set_column(index, name, pa.array([str(v) for v in column.to_pylist()]))
        if category == 6:  # rows reordered, repeated or removed
            return table.take(pa.array(rows, pa.int64()))
        return table.replace_schema_metadata({**(table.schema.metadata or {}), b"assumptions": assumptions})

    row, value = draw(st.integers(0, ROWS - 1)), draw(_values(name) | st.none() if category <= 2 else st.none())
    rows = draw(st.lists(st.integers(0, ROWS - 1), max_size=2 * ROWS))
    assumptions = draw(
        st.sampled_from([b"", b"{", b"[]", b"{}", b'{"pools": {}}', b"\xff", b"NaN", b"null", b"[" * 100_000])
        | st.dictionaries(KEYS, JSON_VALUES, max_size=3).map(lambda values: json.dumps(values).encode())
    )
    return change


@fuzz
@given(st.lists(changes(), min_size=1, max_size=3))
def test_a_changed_tape_is_rejected_or_usable(path: Path, good: Path, several: list[Any]) -> None:
    def change(table: Any) -> Any:
        for one in several:
            try:
                table = one(table)
            except (LookupError, TypeError, ValueError, OverflowError, pa.ArrowException):
                continue  # an earlier change has removed its target
        return table

    path.write_bytes(good.read_bytes())
    rewrite(path, change)
    tape = _read(path)
    if tape is not None:
        write_tape(path, tape)
        assert read_tape(path).events.tobytes() == tape.events.tobytes()


@fuzz
@given(st.dictionaries(st.text(max_size=8) | KEYS, JSON_VALUES, max_size=3))
def test_assumptions_survive_or_are_rejected(path: Path, assumptions: dict[str, Any]) -> None:
    tape = _valid()
    try:
        write_tape(path, Tape(tape.events, tape.mints, assumptions))
    except TapeError as error:
        one_line(error)
        return
    assert json.dumps(read_tape(path).assumptions, sort_keys=True) == json.dumps(assumptions, sort_keys=True)
