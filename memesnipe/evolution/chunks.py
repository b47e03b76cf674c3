"""How a number of genomes is divided into chunks, each of which passes over the market once.

A pass costs as much as the backtests of several genomes, so many small chunks take more time in all. With few large
ones, the last worker ends long after the others. Chunks therefore come in waves of one for each worker: each wave has
two thirds of what remains, until so little remains that another pass would cost more than it evens out.
"""

from fractions import Fraction
from typing import Final

_SHARE_OF_A_WAVE: Final = Fraction(2, 3)


def chunk_sizes(genomes: int, workers: int, least: int, most: int) -> list[int]:
    """Return the number of genomes in each chunk, in the order in which workers take them.

    Args:
        genomes: to divide.
        workers: that take chunks; at least 1.
        least: genomes of a chunk that are worth a pass over the market; at least 1.
        most: genomes in a chunk, at most; at least 1.
    """
    sizes: list[int] = []
    while workers > 1 and genomes >= 2 * least * workers:
        size = min(int(_SHARE_OF_A_WAVE * genomes / workers), most)
        sizes += [size] * workers
        genomes -= size * workers
    return sizes + _evenly(genomes, max(min(workers, genomes), -(-genomes // most)))


def _evenly(genomes: int, parts: int) -> list[int]:
    return [genomes * (part + 1) // parts - genomes * part // parts for part in range(parts)]
