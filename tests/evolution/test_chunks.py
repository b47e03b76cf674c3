"""Chunks are few, hold every genome once, and end with small ones where several workers share the work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.evolution.chunks import chunk_sizes


@given(st.integers(0, 3_000), st.integers(1, 64), st.integers(1, 40), st.integers(1, 400))
def test_every_genome_is_in_one_chunk_of_at_most_the_size(genomes: int, workers: int, least: int, most: int) -> None:
    sizes = chunk_sizes(genomes, workers, least, most)
    assert sum(sizes) == genomes
    assert all(1 <= size <= most for size in sizes)
    assert len(sizes) >= min(workers, genomes), "every worker has work"


@given(st.integers(1, 3_000), st.integers(2, 64), st.integers(1, 40))
def test_the_last_chunks_are_small_but_worth_a_pass(genomes: int, workers: int, least: int) -> None:
    sizes = chunk_sizes(genomes, workers, least, genomes)
    assert sizes[-1] <= 2 * least
    assert len(sizes) <= workers or min(sizes) >= least // 2


@pytest.mark.parametrize(
    ("genomes", "workers", "expected"),
    [
        (21, 2, [10, 11]),
        (51, 2, [17, 17, 8, 9]),
        (153, 2, [51, 51, 17, 17, 8, 9]),
        (21, 1, [21]),
        (60, 1, [20, 20, 20]),
        (3, 8, [1, 1, 1]),
        (0, 2, []),
    ],
)
def test_sizes_of_chunks(genomes: int, workers: int, expected: list[int]) -> None:
    assert chunk_sizes(genomes, workers, 10, 24 if workers == 1 else 1_000) == expected
