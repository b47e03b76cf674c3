"""Times as dates, and with fractions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.errors import TapeError
from memesnipe.tapes.importer import import_swaps
from tests.tapes.csvs import TS, TS_S, write_csv
from tests.tapes.sources.shapes import MINT


def _times(folder: Path, *times: str, columns: str | None = None) -> tuple[list[int], str, dict[str, int]]:
    rows = [f"{time},{MINT},buy,0.5,1000000.5" for time in times]
    imported = import_swaps(write_csv(folder, "time,mint,side,sol,tokens", *rows), 200.0, columns=columns)
    return imported.tape.events["ts"].tolist(), imported.time_unit, imported.rejected


@pytest.mark.parametrize(
    ("time", "ns"),
    [
        ("2025-09-13T16:53:15Z", 0), ("2025-09-13 16:53:15", 0), ("2025-09-13 16:53:15.000 UTC", 0),
        ("2025-09-13T18:53:15+02:00", 0), ("2025-09-13 18:53:15 +0200", 0), ("2025-09-13T16:53:15.25Z", 250_000_000),
        ("2025-09-13T16:53:15.123456789Z", 123_456_789),
    ],
)  # fmt: skip
def test_dates_are_read_in_utc_unless_they_name_a_zone(tmp_path: Path, time: str, ns: int) -> None:
    assert _times(tmp_path, time) == ([TS + ns], "iso", {})


@pytest.mark.parametrize(
    ("time", "unit"), [(f"{TS_S}.123456", "s"), (f"{TS_S}123.456", "ms"), (f"{TS_S}123456.0", "us")]
)
def test_times_with_a_fraction_are_read_exactly(tmp_path: Path, time: str, unit: str) -> None:
    assert _times(tmp_path, time) == ([TS + 123_456_000], unit, {})


def test_a_date_that_does_not_exist_or_is_no_date_is_rejected(tmp_path: Path) -> None:
    good = ["2025-09-13T16:53:15Z"] * 3
    bad = ["2025-02-30T16:53:15Z", "13/09/2025 16:53", str(TS_S), "2012-09-13T16:53:15Z", ""]
    stamps, _, rejected = _times(tmp_path, *good, *bad)
    assert set(stamps) == {TS}
    assert rejected == {
        "time time is a date that does not exist": 1,
        "time time is not a date like 2025-09-13T16:53:15Z": 2,
        "time time is before 2020": 1,
        "time time is empty": 1,
    }


def test_the_unit_that_the_user_chose_is_the_only_one(tmp_path: Path) -> None:
    assert _times(tmp_path, f"{TS_S}", columns="ts=time:s") == ([TS], "s", {})
    with pytest.raises(TapeError, match="before 2020 or after tomorrow in ms"):
        _times(tmp_path, f"{TS_S}", columns="ts=time:ms")


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**8))
def test_every_nanosecond_of_a_date_is_kept(
    tmp_path_factory: pytest.TempPathFactory, fraction: int, minutes: int
) -> None:
    second = TS_S - minutes % 500_000 * 60
    day = datetime.fromtimestamp(second, UTC)
    folder = tmp_path_factory.mktemp("stamps")
    stamps, _, _ = _times(folder, f"{day:%Y-%m-%d %H:%M:%S}.{fraction:09d}")
    assert stamps == [second * 10**9 + fraction]
