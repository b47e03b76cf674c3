"""Chunks hold every genome of each segment once, and divide the work equally with few passes over the market."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.evolution.chunks import PASS, chunks_of

COSTS = st.floats(1e-3, 1e3)


@given(st.integers(0, 3_000), st.tuples(COSTS, COSTS), st.integers(1, 64), st.integers(1, 100), st.integers(1, 400))
def test_every_genome_is_in_one_chunk_of_each_segment(
    genomes: int, costs: tuple[float, float], workers: int, least: int, most: int
) -> None:
    chunks = chunks_of([genomes, genomes], costs, workers, least, [most, most])
    for segment in (0, 1):
        sizes = [size for of, size in chunks if of == segment]
        assert sum(sizes) == genomes
        assert all(1 <= size <= most for size in sizes)


@given(st.integers(1, 3_000), st.tuples(COSTS, COSTS), st.integers(1, 64))
def test_shares_of_few_genomes_are_about_equal(genomes: int, costs: tuple[float, float], workers: int) -> None:
    chunks = chunks_of([genomes, genomes], costs, workers, 10_000, [genomes, genomes])
    assert len(chunks) <= workers + 1, "a share passes over one segment, and one share over both"
    share = genomes * sum(costs) / workers
    assert all(size * costs[segment] <= share + (2 * PASS + 1) * costs[segment] for segment, size in chunks)


@given(st.integers(0, 3_000), st.integers(1, 64))
def test_a_single_segment_is_divided_between_all_workers(genomes: int, workers: int) -> None:
    sizes = [size for _, size in chunks_of([genomes], [1.0], workers, 10_000, [10_000])]
    assert sum(sizes) == genomes
    assert len(sizes) == min(workers, genomes)


@pytest.mark.parametrize(
    ("genomes", "workers", "expected"),
    [
        (11, 1, [(1, 11), (0, 11)]),
        (11, 2, [(1, 11), (0, 11)]),
        (11, 4, [(1, 6), (1, 5), (0, 6), (0, 5)]),
        (69, 2, [(1, 63), (0, 69), (1, 6)]),
        (197, 2, [(1, 131), (0, 131), (1, 60), (0, 66), (1, 6)]),
        (500, 1, [(1, 250), (0, 250), (1, 250), (0, 250)]),
        (0, 2, []),
    ],
)
def test_chunks_of_a_shorter_and_a_longer_segment(genomes: int, workers: int, expected: list[tuple[int, int]]) -> None:
    assert chunks_of([genomes, genomes], [0.45, 0.55], workers, 40, [400, 400]) == expected
