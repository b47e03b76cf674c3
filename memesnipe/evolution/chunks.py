"""How backtests of genomes in several segments are divided into chunks, each of which passes once over one segment.

A pass costs as much as the backtests of several genomes. So the work, laid out in one line with one segment after the
other, is cut into equal shares, one for each worker: only a segment in which a cut falls is passed over twice. Two
workers mostly get one segment each.

The cost of a genome is not known exactly. So many genomes come in waves, of which each has two thirds of what
remains, until so little remains that more passes would cost more than they even out.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

_SHARE_OF_A_WAVE: Final = Fraction(2, 3)
PASS: Final = 4  # genomes whose backtests cost as much as a pass: fewer are not moved to another worker


def chunks_of(
    left: Sequence[int], costs: Sequence[float], workers: int, least: int, most: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the segment and the number of genomes of each chunk, in the order in which workers take them.

    Args:
        left: number of genomes in each segment.
        costs: of a genome in each segment, relative to each other; above 0.
        workers: that take chunks; at least 1.
        least: genomes of a worker in a wave that are worth more passes; at least 1.
        most: genomes in a chunk of each segment, at most; at least 1.
    """
    left, chunks = list(left), list[tuple[int, int]]()
    while workers > 1 and sum(left) >= 2 * least * workers:
        wave = [int(_SHARE_OF_A_WAVE * genomes) for genomes in left]
        chunks += _shares(wave, costs, workers, most, moves_few=False)  # later waves even out what is left
        left = [genomes - sent for genomes, sent in zip(left, wave, strict=True)]
    return chunks + _shares(left, costs, workers, most, moves_few=True)


def _shares(
    genomes: Sequence[int], costs: Sequence[float], workers: int, most: Sequence[int], *, moves_few: bool
) -> list[tuple[int, int]]:
    """Return the chunks of one share of the work for each worker, the most expensive share first."""
    share = sum(count * cost for count, cost in zip(genomes, costs, strict=True)) / workers
    parts, start = list[tuple[int, int]](), 0.0
    for segment, (count, cost) in enumerate(zip(genomes, costs, strict=True)):
        places = [(share * worker - start) / cost for worker in range(1, workers)]
        too_few = min(PASS, share / cost / 2) if moves_few else share / cost / 3
        cuts = sorted({round(place) for place in places if too_few <= place <= count - too_few})
        edges = [0, *(cut for cut in cuts if 0 < cut < count), count]
        parts += [(segment, stop - first) for first, stop in pairwise(edges) if stop > first]
        start += count * cost
    parts.sort(key=lambda part: -part[1] * costs[part[0]])
    divided = [[(segment, size) for size in _evenly(count, -(-count // most[segment]))] for segment, count in parts]
    # Chunks of all parts in turn, so that genomes have their results of every segment early.
    return [part[turn] for turn in range(max(map(len, divided), default=0)) for part in divided if turn < len(part)]


def _evenly(genomes: int, parts: int) -> list[int]:
    return [genomes * (part + 1) // parts - genomes * part // parts for part in range(parts)]
