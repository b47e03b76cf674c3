"""Compiled memory operations and the pool of states, compared with plain numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.memory import close_gaps, gather
from memesnipe.engine.state_pool import StatePool

STATE = np.dtype([("x", "f8"), ("incarnation_", "i4")])


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_close_gaps_keeps_the_order(is_kept: list[bool]) -> None:
    rows = np.arange(len(is_kept) * 3, dtype=np.int64).reshape(-1, 3)
    kept = np.flatnonzero(is_kept)
    expected = rows[kept]
    close_gaps(rows.ctypes.data, rows.strides[0], kept)
    assert rows[: len(kept)].tolist() == expected.tolist()


def test_gather_concatenates_blocks() -> None:
    parts = [[np.arange(5, dtype=np.uint8), np.full(3, 9, np.uint8)], [np.full(2, 7, np.uint8)]]
    addresses, sizes = np.zeros((2, 2), np.int64), np.zeros((2, 2), np.int64)
    for row, of_row in enumerate(parts):
        for part, array in enumerate(of_row):
            addresses[row, part], sizes[row, part] = array.ctypes.data, len(array)
    copied = np.zeros(10, np.uint8)
    gather(addresses, sizes, copied.ctypes.data)
    assert copied.tolist() == [0, 1, 2, 3, 4, 9, 9, 9, 7, 7]


def test_arrays_do_not_overlap_and_reused_ones_are_zero() -> None:
    pool = StatePool()
    arrays = [pool.take(count, STATE) for count in (5, 64, 1, 5)]
    for i, array in enumerate(arrays):
        array["x"] = i + 1
    assert [set(array["x"].tolist()) for array in arrays] == [{1.0}, {2.0}, {3.0}, {4.0}]
    address = arrays[0].ctypes.data
    pool.release(arrays[0])
    again = pool.take(5, STATE)
    assert again.ctypes.data == address, "its memory is reused"
    assert not again["x"].any()
    assert set(arrays[3]["x"].tolist()) == {4.0}


def test_an_array_larger_than_a_block_gets_its_own_block() -> None:
    pool = StatePool()
    large = pool.take(3_000_000, STATE)
    large["x"] = 1.0
    assert not pool.take(10, STATE)["x"].any()
