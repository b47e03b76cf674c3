"""The same swaps give the same tape in every shape."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.tapes.importer import Imported, import_swaps
from tests.tapes.csvs import TS_S
from tests.tapes.sources.shapes import MINT, SHAPES, Swap, csv, plain

# Trades of some size near the start of a curve, as most are: amounts with fractions, whole numbers in smallest units.
TRADES = st.tuples(
    st.integers(0, 3), st.sampled_from([MINT, "B" * 40 + "pump"]), st.booleans(), st.integers(1_000_001, 30 * 10**9),
    st.integers(2_500, 4_000), st.sampled_from(["w1", "w2"]),
)  # fmt: skip


def _swaps(drawn: list[tuple[int, str, bool, int, int, str]]) -> list[Swap]:
    swaps, second = [], TS_S
    for i, (step, mint, is_buy, lamports, per_lamport, trader) in enumerate(drawn):
        second += step
        # Odd numbers, so that whole SOL and whole tokens do not occur.
        swaps.append(Swap(second, mint, is_buy, lamports | 1, (lamports * per_lamport // 100) | 1, trader, f"s{i}"))
    return swaps


def _import(folder: Path, data: bytes) -> Imported:
    path = folder / "swaps"
    path.write_bytes(data)
    return import_swaps(path, 200.0)


@settings(max_examples=25)
@given(st.lists(TRADES, min_size=1, max_size=12))
def test_the_same_swaps_are_the_same_tape_in_every_shape(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, str, bool, int, int, str]]
) -> None:
    swaps, folder = _swaps(drawn), tmp_path_factory.mktemp("shapes")
    expected = _import(folder, csv([plain(swap) for swap in swaps]))
    for name, (row, write) in SHAPES.items():
        imported = _import(folder, write([row(swap) for swap in swaps]))
        assert imported.tape.mints == expected.tape.mints, name
        assert imported.tape.events.tobytes() == expected.tape.events.tobytes(), name
        assert (imported.rejected, imported.duplicates) == (expected.rejected, expected.duplicates), name


@pytest.mark.parametrize("name", SHAPES)
def test_rows_twice_in_a_file_are_found_in_every_shape(tmp_path: Path, name: str) -> None:
    row, write = SHAPES[name]
    swaps = _swaps([(1, MINT, True, 10**9, 3_000, "w1"), (2, MINT, False, 10**8, 3_000, "w2")])
    imported = _import(tmp_path, write([row(swap) for swap in (*swaps, swaps[0])]))
    assert (len(imported.tape.events), imported.duplicates) == (2, 1)
    assert imported.left_out.write(tmp_path / "rejects.csv") == 1
    assert (tmp_path / "rejects.csv").read_text().splitlines()[1].startswith('3,"duplicate of another row (by')
