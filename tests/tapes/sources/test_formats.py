"""JSON and Parquet of many forms."""

import gzip
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memesnipe.errors import TapeError
from memesnipe.tapes.importer import Imported, import_swaps
from tests.tapes.csvs import TS, TS_S
from tests.tapes.sources.shapes import MINT

RECORD: dict[str, Any] = {"time": TS_S, "token": MINT, "side": "buy", "sol": 0.380000069, "tokens": 13421332.211323}


def _import(folder: Path, data: bytes | str) -> Imported:
    path = folder / "swaps"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return import_swaps(path, 200.0)


def _parquet(columns: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        json.dumps([RECORD]), json.dumps(RECORD), json.dumps(RECORD) + "\n\n", json.dumps({"data": {"rows": [RECORD]}}),
        json.dumps({"body": json.dumps(RECORD)}).replace('"body"', '"raw"'), " \n" + json.dumps([RECORD], indent=2),
        json.dumps({"Time": TS_S, **{k.upper(): v for k, v in RECORD.items() if k != "time"}}),
        json.dumps({"columns": ["time", "token"], "records": [RECORD], "empty": []}),
        "\ufeff" + json.dumps([RECORD]), gzip.compress(json.dumps(RECORD).encode()),
    ],
)  # fmt: skip
def test_records_are_found_in_json(tmp_path: Path, data: bytes | str) -> None:
    event = _import(tmp_path, data).tape.events[0]
    assert (event["ts"], event["sol_lamports"], event["token_raw"]) == (TS, 380000069, 13421332211323)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"a": [{"x": 1}], "b": [{"x": 1}]}', r"has several lists of records \(a and b\): write one list per file"),
        ("[1, 2]", "has no list of records"), ("{broken", "is neither JSON nor one JSON object per line"),
        ("[]", "has no list of records"), ('{"a": ' * 2000, "is neither JSON nor one JSON object per line"),
        (json.dumps({**RECORD, "TIME": 1}), "two values of one name"),
        (json.dumps({str(i): i for i in range(501)}), "has more than 500 different names in its records"),
        ("{}", "lacks ts and mint and side and sol_amount and token_amount"),
    ],
)  # fmt: skip
def test_json_without_one_list_of_records_is_refused(tmp_path: Path, data: str, expected: str) -> None:
    with pytest.raises(TapeError, match=expected) as refused:
        _import(tmp_path, data)
    assert str(refused.value).isprintable()


def test_lines_that_are_no_records_are_rejected(tmp_path: Path) -> None:
    lines = [json.dumps(RECORD), "[1]", json.dumps({**RECORD, "time": TS_S + 1})[:-9], "null"]
    imported = _import(tmp_path, "\n".join(lines))
    assert (len(imported.tape.events), imported.rejected) == (1, {"the row is not a JSON object": 3})


@pytest.mark.parametrize(
    "time",
    [
        pa.array([datetime.fromtimestamp(TS_S, UTC)], pa.timestamp("ms", "UTC")),
        pa.array([datetime.fromtimestamp(TS_S, UTC).replace(tzinfo=None)], pa.timestamp("us")),
        pa.array([float(TS_S)], pa.float64()), pa.array([TS_S * 1000], pa.int64()), pa.array([TS_S], pa.uint32()),
        pa.array([Decimal(TS_S)], pa.decimal128(20, 0)), pa.array(["2025-09-13T16:53:15Z"], pa.large_string()),
    ],
)  # fmt: skip
def test_types_of_parquet_are_read(tmp_path: Path, time: Any) -> None:
    columns = {
        "time": time, "token": pa.array([MINT]).dictionary_encode(), "is_buy": pa.array([False]),
        "sol": pa.array([Decimal("0.380000069")]), "tokens": pa.array([13421332.211323]),
        "list": pa.array([[1, 2]]), "bytes": pa.array([b"x"]),
    }  # fmt: skip
    event = _import(tmp_path, _parquet(columns)).tape.events[0]
    assert (event["ts"], event["side"], event["sol_lamports"]) == (TS, -1, 380000069)


def test_nested_columns_of_parquet_are_joined_with_points(tmp_path: Path) -> None:
    of = {name: pa.array([value]) for name, value in (("mintaddress", MINT), ("symbol", "T"))}
    token = pa.StructArray.from_arrays(list(of.values()), list(of))
    sol = pa.StructArray.from_arrays([pa.array(["1" * 32])], ["MintAddress"])
    sides = [
        pa.StructArray.from_arrays([pa.array([amount]), currency], ["Amount", "Currency"])
        for amount, currency in ((13421332.211323, token), (0.380000069, sol))
    ]
    trade = pa.StructArray.from_arrays(sides, ["Buy", "Sell"])
    block = pa.StructArray.from_arrays([pa.array(["2025-09-13T16:53:15Z"])], ["Time"])
    imported = _import(tmp_path, _parquet({"Block": block, "Trade": trade}))
    assert imported.layout == "Bitquery DEXTrades"
    assert imported.tape.events["sol_lamports"].tolist() == [380000069]


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_truncated_parquet_is_refused(tmp_path: Path, kept: float) -> None:
    data = _parquet({name: [value] for name, value in RECORD.items()})
    with pytest.raises(TapeError, match="the Parquet data is truncated or damaged"):
        _import(tmp_path, data[: int(len(data) * kept)])


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="has two columns with the name 'time'"):
        _import(tmp_path, _parquet({**{name: [value] for name, value in RECORD.items()}, "Time": [1]}))


def test_no_row_left_out_is_an_empty_file_of_rejects(tmp_path: Path) -> None:
    imported = _import(tmp_path, json.dumps([RECORD]))
    assert imported.left_out.write(tmp_path / "r.csv") == 0
    assert (tmp_path / "r.csv").read_text() == '"row","reason","time","token","side","sol","tokens"\n'


def test_a_small_parquet_file_starts_no_threads_that_could_abort_the_exit(tmp_path: Path) -> None:
    """Threads of Arrow that are still starting when a process ends abort it (apache/arrow issue 34314)."""
    program = (
        "import os, sys, pathlib, pyarrow as pa, pyarrow.parquet as pq\n"
        "from memesnipe.tapes.sources.parquet_rows import read_parquet\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "read_parquet(path, path.read_bytes())\n"
        "print(len(os.listdir('/proc/self/task')) - before)\n"
    )
    path = tmp_path / "swaps.parquet"
    pq.write_table(pa.table({name: [f"{i}" for i in range(9)] for name in "abcdefghi"}), path)
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0"
