"""The order of rows, and duplicate rows."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.events import rows
from memesnipe.tapes.chain_order import ASCENDING, DESCENDING, SORTED
from memesnipe.tapes.importer import Imported, import_swaps
from tests.tapes.csvs import FULL, PLAIN, RAW, RAW_ROW, SHARED, TS, write_csv

NEWEST_FIRST = SHARED / "cases/newest_first_six.csv"
TWICE = SHARED / "cases/raw_same_signature_twice.csv"


def _same(one: Imported, other: Imported) -> bool:
    return one.tape.events.tobytes() == other.tape.events.tobytes() and one.tape.mints == other.tape.mints


def _rows(seconds: list[int]) -> list[str]:
    """Return distinct trades at these seconds."""
    return [f"{TS + s * 10**9},A,{'buy' if i % 2 else 'sell'},1.{i:03d},20000000" for i, s in enumerate(seconds)]


@given(st.lists(st.integers(0, 2), min_size=2, max_size=40).filter(lambda steps: any(steps[1:])))
def test_a_file_newest_first_imports_like_one_oldest_first(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    seconds = [sum(steps[: i + 1]) for i in range(len(steps))]
    lines, folder = _rows(seconds), tmp_path_factory.mktemp("order")
    oldest = import_swaps(write_csv(folder, PLAIN, *lines), 100.0)
    newest = import_swaps(write_csv(folder, PLAIN, *reversed(lines)), 100.0)
    assert _same(oldest, newest)
    assert (oldest.order, newest.order) == (ASCENDING, DESCENDING)


def test_a_file_newest_first_with_a_few_late_rows_is_reversed_and_sorted(tmp_path: Path) -> None:
    seconds = [i // 2 for i in range(100)]
    lines = _rows(seconds)
    newest = [*reversed(lines)]
    newest[10], newest[11] = newest[11], newest[10]
    moved = import_swaps(write_csv(tmp_path, PLAIN, *newest), 100.0)
    assert (moved.order, len(moved.tape.events)) == (DESCENDING, 100)
    sizes = moved.tape.events["sol_lamports"].tolist()
    assert sum(a > b for a, b in pairwise(sizes)) <= 2


@given(st.randoms(use_true_random=False))
def test_an_unordered_file_is_sorted_by_time(tmp_path_factory: pytest.TempPathFactory, random: Random) -> None:
    lines = _rows(list(range(30)))
    random.shuffle(lines)
    lines += _rows(list(range(30, 32)))  # not descending as a whole, whatever the shuffle
    imported = import_swaps(write_csv(tmp_path_factory.mktemp("order"), PLAIN, *lines), 100.0)
    assert imported.tape.events["ts"].tolist() == sorted(imported.tape.events["ts"].tolist())
    assert imported.order in (SORTED, ASCENDING, DESCENDING)


def test_rows_are_ordered_by_slot_and_number(tmp_path: Path) -> None:
    lines = [
        f"{TS + slot * 10},A,buy,1,1000,{50 + n},1000000,amm,,{slot},{n}"
        for slot, n in ((2, 3), (1, 2), (1, 1), (2, 1))
    ]
    tape = import_swaps(write_csv(tmp_path, FULL, *lines), 100.0).tape
    assert [(e.slot, e.pool_sol_lamports // 10**9) for e in rows(tape.events)] == [(1, 51), (1, 52), (2, 51), (2, 53)]


@pytest.mark.skipif(not NEWEST_FIRST.is_file(), reason=f"there is no {NEWEST_FIRST}")
def test_the_recorded_file_newest_first_is_reversed(tmp_path: Path) -> None:
    header, *lines = NEWEST_FIRST.read_text().split()
    imported = import_swaps(NEWEST_FIRST)
    assert imported.order == imported.tape.assumptions["order"] == DESCENDING
    assert _same(imported, import_swaps(write_csv(tmp_path, header, *reversed(lines))))
    assert imported.tape.events["side"].tolist() == [1, 1, 1, 1, -1, -1, -1, -1]


@pytest.mark.skipif(not TWICE.is_file(), reason=f"there is no {TWICE}")
def test_a_transaction_recorded_twice_is_imported_once(tmp_path: Path) -> None:
    imported = import_swaps(TWICE)
    once = import_swaps(write_csv(tmp_path, *TWICE.read_text().splitlines()[:3]))
    assert _same(imported, once)
    assert (imported.duplicates, imported.rejected, once.duplicates) == (1, {}, 0)
    assert imported.tape.assumptions["duplicates"] == {"rows": 1, "by": "transaction_signature and the trade"}


@pytest.mark.parametrize(
    ("header", "lines", "duplicates"),
    [
        (PLAIN, [f"{TS},A,buy,1,20000000"] * 3, 2),
        (PLAIN, [f"{TS},A,buy,1,20000000", f"{TS},A,sell,1,20000000"], 0),
        (f"{PLAIN},note", [f"{TS},A,buy,1,20000000,x", f"{TS},A,buy,1,20000000,y"], 0),
        (f"{PLAIN},signature", [f"{TS},A,buy,1,20000000,s"] * 2, 1),
        (f"{PLAIN},signature", [f"{TS},A,buy,1,20000000,"] * 2, 0),  # without a signature they may be two trades
        (f"{PLAIN},signature,ix_index", [f"{TS},A,buy,1,20000000,s,{i}" for i in (1, 2, 1)], 1),
        (f"{PLAIN},signature,loaded", [f"{TS},A,buy,1,20000000,s,{i}" for i in (1, 2)], 1),
        (f"{PLAIN},signature", [f"{TS},A,buy,{i},20000000,s" for i in (1, 2)], 0),  # two trades of one transaction
        (RAW, [RAW_ROW, RAW_ROW, RAW_ROW.replace(",w,", ",x,")], 1),
    ],
)
def test_duplicate_rows_are_dropped_and_counted(tmp_path: Path, header: str, lines: list[str], duplicates: int) -> None:
    imported = import_swaps(write_csv(tmp_path, header, *lines), 100.0)
    assert (imported.duplicates, len(imported.tape.events)) == (duplicates, len(lines) - duplicates)
