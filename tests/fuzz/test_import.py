"""Files of swaps, generated and damaged: a tape that a run accepts completely, or one line and exit code 2."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.cli.main import run
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.sources.layout import FIELDS
from memesnipe.tapes.tape import read_tape
from tests.fuzz.framework import JSON_VALUES, MUTATIONS, fuzz
from tests.tapes.csvs import FULL, PLAIN, RAW, TS, TS_S
from tests.tapes.sources.shapes import SHAPES, Swap, json_list, parquet

ODD = st.one_of(
    st.text(max_size=12),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.sampled_from([
        "", " ", "0", "-0", "-1", "nan", "inf", "1e400", "1e-400", "0x1f", "1_000", "1,5", "1.000,5", "٣", "+5", "5.",
        "9" * 40, str(2**62), str(2**63), str(2**63 - 1), "2305843009213693952", "4.6e17", "A" * 5000, "\x00",
        "\x1b[2J", ".5",
        '"', '""', '"a', "a\nb", "a\r\nb", "\u2028", "\ufeff", "amm", "pumpswap", "buy", "false", "TRUE",
        "1757782395", "1757782395000", "1577836799999999999", "1e18", "2025-09-13 16:53:15",
    ]),
)  # fmt: skip
MINTS = st.sampled_from(["TokenA11111111111111111111111111111111pump", "B", "C" * 44, "caf\xe9", ""])
COUNTS = st.integers(0, 12)
LAMPORTS = st.one_of(st.integers(1, 10**10), st.integers(10**7, 10**9), st.sampled_from([1, 10**9, 2**53]))
PACKERS = (bytes, bytes, bytes, gzip.compress, bz2.compress, lzma.compress)


@st.composite
def plain_rows(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    header = draw(st.sampled_from([PLAIN, f"{PLAIN},venue", f"{PLAIN},slot,decimals", f"{PLAIN},signature", FULL]))
    unit = draw(st.sampled_from([1, 1, 10**3, 10**6, 10**9]))
    price = draw(st.floats(1e-12, 1e3))
    rows = []
    for i in range(draw(COUNTS)):
        sol = draw(st.one_of(st.floats(0, 100), st.sampled_from([0.0, 1e-9, 0.01, 1e7])))
        values = {
            "ts_ns": str((TS + i * draw(st.integers(0, 10**9))) // unit), "mint": draw(MINTS),
            "side": draw(st.sampled_from(["buy", "sell"])), "sol_amount": f"{sol:.9f}",
            "token_amount": f"{sol / price * draw(st.sampled_from([1, 1, 1, 1.1, 100, 1e-5])):.6f}",
            "v_sol": f"{draw(st.floats(1e-9, 1e7)):.9f}", "v_tok": f"{draw(st.floats(1e-6, 1e12)):.6f}",
            "venue": draw(st.sampled_from(["pump_curve", "pumpswap", "amm"])), "trader": "me", "slot": str(i // 3),
            "seq": str(i), "decimals": draw(st.sampled_from(["6", "6", "9", "0"])), "signature": f"s{i // 2}",
        }  # fmt: skip
        rows.append([values[name] for name in header.split(",")])
    return header, rows


@st.composite
def raw_rows(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    rows, amount = [], st.one_of(st.integers(0, 10**12), st.integers(0, 2**63))
    for i in range(draw(COUNTS)):
        amounts = [str(draw(amount)) for _ in range(6)]
        start = [str(TS // 10**9 + i // 2), str(i // 4), draw(MINTS), "w", draw(st.sampled_from(["true", "false"]))]
        rows.append([*start, *amounts, "95", draw(st.sampled_from(["30", "30", "9905"]))])
    return RAW, rows


@st.composite
def files(draw: st.DrawFn) -> bytes:
    header, rows = draw(st.one_of(plain_rows(), raw_rows()))
    names = header.split(",")
    for _ in range(draw(st.integers(0, 3)) if rows else 0):
        row = draw(st.sampled_from(rows))
        change = draw(st.sampled_from(["replace", "replace", "replace", "drop", "add"]))
        if change == "add" or not row:
            row.insert(draw(st.integers(0, len(row))), draw(ODD))
        elif change == "drop":
            row.pop(draw(st.integers(0, len(row) - 1)))
        else:
            row[draw(st.integers(0, len(row) - 1))] = draw(ODD)
    if draw(st.integers(0, 9)) == 0:
        names[draw(st.integers(0, len(names) - 1))] = draw(ODD)
    lines = [names, *rows, *(draw(st.lists(st.sampled_from(rows), max_size=2)) if rows else [])]
    if draw(st.booleans()):
        lines[1:] = reversed(lines[1:])
    delimiter = draw(st.sampled_from([",", ",", ",", ";", "\t", ", "]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", ",\n", "\r"]))
    text = "".join(delimiter.join(line) + end for line in lines)
    if delimiter == ";" and draw(st.booleans()):
        text = text.replace(".", ",")
    data = draw(st.sampled_from(PACKERS))(text.encode(errors="replace"))
    for mutation in draw(st.lists(MUTATIONS, max_size=2)) if draw(st.integers(0, 3)) == 0 else []:
        data = mutation.of(data)
    return data


@st.composite
def exports(draw: st.DrawFn) -> bytes:
    """Files of other programs: rows and names replaced by odd ones, then bytes damaged."""
    swaps = [
        Swap(TS_S + i // 2, draw(MINTS), draw(st.booleans()), draw(LAMPORTS), draw(LAMPORTS) * 30, "w", f"s{i // 2}")
        for i in range(draw(st.integers(1, 8)))
    ]
    row, write = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    rows = [row(swap) for swap in swaps]
    for _ in range(draw(st.integers(0, 3))):
        changed = draw(st.sampled_from(rows))
        name = draw(st.sampled_from(sorted(changed)))
        value = draw(st.one_of(ODD, JSON_VALUES))
        if draw(st.booleans()):
            changed[draw(st.sampled_from([name.upper(), "price", "open", "high", "quote", "ts_ns"]))] = value
        else:
            changed[name] = value
    try:
        data = write(rows)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):  # Parquet has one type per column
        data = json_list(rows) if write is parquet else b"{}"
    data = draw(st.sampled_from(PACKERS))(data)
    for mutation in draw(st.lists(MUTATIONS, max_size=2)) if draw(st.booleans()) else []:
        data = mutation.of(data)
    return data


@st.composite
def candles(draw: st.DrawFn) -> bytes:
    number = st.one_of(st.floats(allow_nan=False), st.floats(1e-9, 1e3), st.integers(-5, 10**19))
    value = st.one_of(number, number, number, JSON_VALUES)
    rows = draw(st.lists(st.tuples(st.one_of(st.integers(TS_S, TS_S + 999), value), *[value] * 5), max_size=6))
    meta = {"base": {"address": draw(MINTS)}, "quote": {"address": draw(ODD)}}
    return json.dumps({"data": {"attributes": {"ohlcv_list": rows}}, "meta": meta}).encode(errors="replace")


FIELD_NAMES = st.sampled_from([*FIELDS, "", "nothing"])
COLUMN_NAMES = st.sampled_from(
    ["timestamp", "sol_amount", "token_amount", "is_buy", "ohlcv.open", "@A", "@", "x:y", "", "ts_ns"]
)
UNITS = st.sampled_from(["", ":raw", ":lamports", ":usd", ":ms", ":?"])
MAPS = st.lists(
    st.builds("{}={}{}".format, FIELD_NAMES, COLUMN_NAMES, UNITS),
    max_size=4,
).map(",".join)  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    temporary = Path(tempfile.mkdtemp(prefix="memesnipe-import-"))
    yield temporary
    shutil.rmtree(temporary)


def _run_command(*arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and its standard error."""
    before, sys.argv = sys.argv, ["memesnipe", *arguments]
    error = io.StringIO()
    try:
        with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
            run()
    except SystemExit as done:
        return int(done.code or 0), error.getvalue()
    finally:
        sys.argv = before
    raise AssertionError("the command did not end")


@fuzz
@given(files(), st.sampled_from([(), (), ("--decimals", "9"), ("--sol-usd", "0.1"), ("--sol-usd", "10000")]))
def test_any_file_becomes_a_valid_tape_or_one_line(folder: Path, data: bytes, options: tuple[str, ...]) -> None:
    _check(folder, data, options)


@fuzz
@given(
    st.one_of(exports(), exports(), candles()),
    st.one_of(st.just(()), MAPS.map(lambda text: ("--map", text))),
    st.sampled_from([(), ("--candles",), ("--candles", "--decimals", "9"), ("--rejects", "bad.csv")]),
)
def test_any_export_becomes_a_valid_tape_or_one_line(
    folder: Path, data: bytes, chosen: tuple[str, ...], options: tuple[str, ...]
) -> None:
    _check(folder, data, (*chosen, *(str(folder / name) if name == "bad.csv" else name for name in options)))


def _check(folder: Path, data: bytes, options: tuple[str, ...]) -> None:
    source, tape = folder / "swaps.csv", folder / "a.tape"
    source.write_bytes(data)
    tape.unlink(missing_ok=True)
    code, message = _run_command("import", str(source), "-o", str(tape), *options)
    assert source.read_bytes() == data
    if code:
        assert (code, len(message.splitlines()), tape.exists()) == (2, 1, False), message
        assert message.removesuffix("\n").isprintable(), message
        assert message.startswith("memesnipe: input: ")
        return
    recorded = read_tape(tape)
    events, rejected = Sequencer(60, 600).stamp(list(recorded.messages()))
    assert not rejected
    assert len(events) == len(recorded.events) > 0
    assert events["pool_sol_lamports"].tolist() == recorded.events["pool_sol_lamports"].tolist()
