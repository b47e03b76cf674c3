"""Errors of bad tapes: one line with the file, the row, the field and the reason."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memesnipe.errors import TapeError
from memesnipe.market.events import NS_PER_S
from memesnipe.tapes.checksum import is_whole
from memesnipe.tapes.tape import Tape, TapeFile, read_tape, write_tape
from tests.support import START_TS, Market
from tests.tapes.bad_tapes import flipped, rewrite, with_column, with_value

ROW = 3  # row 4 of the tape


def _market() -> Tape:
    market = Market()
    for i in range(8):
        market.trade(i, "A" if i % 2 else "B").talk(i + 0.5)
    events = market.events()
    events["seq"] = events["flags"] = 0
    return Tape(events, ["B", "A"], {"sol_usd": 200.0})


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tape") / "good.tape"
    write_tape(path, _market())
    return path.read_bytes()


@pytest.fixture
def tape(tmp_path: Path, good: bytes) -> Path:
    path = tmp_path / "a.tape"
    path.write_bytes(good)
    return path


def _error(path: Path, **clock: int) -> str:
    messages = []
    for read in (read_tape, TapeFile):
        with pytest.raises(TapeError) as refused:
            read(path, **clock)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]
    assert messages[0].startswith(str(path))
    return messages[0]


def test_a_rewritten_tape_reads_identically(tape: Path) -> None:
    rewrite(tape, lambda table: table)
    read = read_tape(tape)
    assert read.events.tobytes() == _market().events.tobytes()
    assert (read.mints, read.assumptions, read.pools_are_assumed) == (["B", "A"], {"sol_usd": 200.0}, False)


def test_assumptions_survive_writing_and_reading(tmp_path: Path) -> None:
    whole = _market()
    assumed = {"pools": {"tokens": 2, "depth": "fitted"}, "sol_usd": 150.5, "order": "reversed"}
    write_tape(tmp_path / "a.tape", Tape(whole.events, whole.mints, assumed))
    read = read_tape(tmp_path / "a.tape")
    assert (read.assumptions, read.pools_are_assumed) == (assumed, True)
    assert TapeFile(tmp_path / "a.tape").pools_are_assumed


TRADE, POST = 2, 3  # rows of the tape


@pytest.mark.parametrize(
    ("row", "name", "value", "reason"),
    [
        (TRADE, "price_usd", math.nan, "price_usd is nan: must be from 1e-18 to 1e+12"),
        (TRADE, "price_usd", -1.0, "price_usd is -1.0: must be"),
        (TRADE, "price_usd", math.inf, "price_usd is inf: must be"),
        (TRADE, "sol_usd", 0.0, "sol_usd is 0.0: must be from 0.1"),
        (TRADE, "pool_sol_lamports", 0, "pool_sol_lamports is 0: must be from 1"),
        (TRADE, "pool_token_raw", 0, "pool_token_raw is 0: must be from 1"),
        (TRADE, "pool_sol_lamports", 2**63 - 1, "pool_sol_lamports is 9223372036854775807: must be"),
        (TRADE, "protocol_fee_bps", 30_000, "protocol_fee_bps is 30000: must be from 0 to 9999"),
        (TRADE, "protocol_fee_bps", 9_970, "the fees are 10000 bps together: must be below 10000"),
        (TRADE, "venue", 200, "venue is 200"),
        (TRADE, "venue", 0, "venue is ''"),
        (TRADE, "side", 77, "side is 77"),
        (TRADE, "side", 2, "side is 'cover'"),
        (TRADE, "kind", 99, "unknown kind 99"),
        (TRADE, "mint", "", "mint is None: a price event needs one"),
        (TRADE, "mint", "nul\0", "mint is 'nul\\x00': must be 1 to 64 visible ASCII characters"),
        (TRADE, "mint", "m" * 5_000, "must be 1 to 64 visible ASCII characters"),
        (TRADE, "ts", START_TS, "is before the previous event's"),
        (TRADE, "ts", 2**63 - 1, "ts is 9223372036854775807: after the year 2116"),
        (TRADE, "ts", START_TS // NS_PER_S, "before 2020-01-01 in ns since 1970"),
        (POST, "sentiment", math.nan, "sentiment is nan: must be"),
        (POST, "mentions", -1.0, "mentions is -1.0: must be from 0"),
    ],
)
def test_an_invalid_event_is_reported_with_its_row(tape: Path, row: int, name: str, value: Any, reason: str) -> None:
    rewrite(tape, with_value(name, row, value))
    message = _error(tape)
    assert message.startswith(f"{tape}, row {row + 1}: ")
    assert reason in message


def test_the_first_invalid_row_is_named_and_all_are_counted(tape: Path) -> None:
    for row, name, value in ((12, "side", 77), (4, "price_usd", math.nan), (9, "sentiment", math.nan)):
        rewrite(tape, with_value(name, row, value))
    message = _error(tape)
    assert message.startswith(f"{tape}, row 5: price_usd is nan")
    assert "3 of 16 rows are bad: malformed 1, out_of_range 2" in message


def test_fields_of_other_kinds_are_ignored(tape: Path) -> None:
    rewrite(tape, with_value("sentiment", TRADE, math.nan))
    assert read_tape(tape).events.tobytes() == _market().events.tobytes()


def test_events_after_tomorrow_are_rejected(tape: Path) -> None:
    day_ns = 86_400 * NS_PER_S
    last = START_TS + int(7.5 * NS_PER_S)
    read_tape(tape, now_ns=last - day_ns)
    message = _error(tape, now_ns=last - day_ns - 1)
    assert "row 16: " in message
    assert "86400 s from now" in message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.drop_columns(["side"]), "the column side is missing"),
        (lambda table: table.append_column("side", table.column("side")), "there are 2 columns side"),
        (
            lambda table: table.append_column("colour", table.column("side")),
            "the column 'colour' is not a column of a tape",
        ),
        (with_column("side", pa.array(["buy"] * 16)), "the column side is string: must be int8"),
        (with_column("ts", pa.array([0.0] * 16)), "the column ts is double: must be int64"),
        (with_column("mint", pa.array([1] * 16)), "the column mint is int64: must be string"),
        (with_value("mint", ROW, None), "row 4: mint is missing"),
        (with_column("slot", pa.array([1, 2, None, *range(13)], pa.uint32())), "row 3: slot is missing"),
        (lambda table: table.replace_schema_metadata({"format": "memesnipe-tape-1"}), "import its source again"),
        (lambda table: table.replace_schema_metadata({"format": "memesnipe-tape-9"}), "not a tape of this version"),
        (lambda table: table.replace_schema_metadata({"format": "memesnipe-tape-2"}), "is damaged"),
        (
            lambda table: table.replace_schema_metadata({"format": "memesnipe-tape-2", "assumptions": "[1]"}),
            "is damaged",
        ),
    ],
)
def test_wrong_columns_are_named(tape: Path, change: Callable[[Any], Any], reason: str) -> None:
    rewrite(tape, change)
    assert reason in _error(tape)


def test_changed_but_valid_values_are_detected_as_damage(tape: Path) -> None:
    table = with_value("price_usd", TRADE, 0.5)(pq.read_table(tape))
    pq.write_table(table, tape)
    assert "is damaged: its content has changed" in _error(tape)


def test_the_seal_covers_every_bit(tape: Path, good: bytes) -> None:
    assert is_whole(tape)
    for bit in random.Random(1).sample(range(8 * len(good)), 1_000):
        tape.write_bytes(flipped(good, bit))
        assert not is_whole(tape), bit
    for bit in random.Random(2).sample(range(8 * len(good)), 100):
        tape.write_bytes(flipped(good, bit))
        assert _error(tape), bit


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c[:100], lambda c: c + b"\0", lambda c: c + c])
def test_a_file_of_another_length_is_rejected(tape: Path, good: bytes, change: Callable[[bytes], bytes]) -> None:
    tape.write_bytes(change(good))
    assert _error(tape)
