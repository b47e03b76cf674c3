"""Standing votes: those of a strategy at a point, from its genes' votes and its own decisions (compiled).

A vote stands until the gene's next vote on the token, or until the strategy spends it by a decision.
"""

from typing import Any

from memesnipe.compiled import inlined
from memesnipe.engine.points import FRESH
from memesnipe.engine.trader import Batch, Trader
from memesnipe.sdk.strategy import BUY, HOLD, SELL, SHORT


@inlined
def read_votes(trader: Trader, batch: Batch, point: int, spent: int) -> bool:
    """Write the standing votes at a point into ``trader.votes``; return whether any gene votes there.

    Args:
        trader: the strategy.
        batch: with the point.
        point: see above.
        spent: the number of the event up to which votes on the token are spent.
    """
    has_voted = False
    for i in range(trader.strategy.genes):
        gene = trader.strategy.gene[i]
        source = batch.points.sources[batch.genes[gene].subscription, point]
        vote = _vote_at(batch.planes[gene], point)
        if source == FRESH:
            has_voted = True
        elif _number_of(batch, gene, source) <= spent:
            vote = HOLD
        trader.votes[i] = vote
    return has_voted


@inlined
def _vote_at(planes: Any, point: int) -> int:
    """Return a gene's vote from its two planes."""
    low, high = planes[0, point >> 6] >> (point & 63) & 1, planes[1, point >> 6] >> (point & 63) & 1
    if high == 0:
        return BUY if low == 1 else HOLD
    return SELL if low == 1 else SHORT


@inlined
def _number_of(batch: Batch, gene: int, source: int) -> int:
    """Return the number of the event of a stale vote; see `Points.sources`."""
    if source >= 0:
        return batch.number + batch.deliveries[source].event
    return batch.numbers[gene, -2 - source]


@inlined
def score_of(strategy: Any, votes: Any) -> float:
    """Return the weighted sum of the standing votes; SHORT counts as SELL."""
    score = 0.0
    for gene in range(strategy.genes):
        score += strategy.weights[gene] * max(votes[gene], -1)
    return score


@inlined
def is_entry(strategy: Any, votes: Any) -> bool:
    """Return whether the votes of a strategy without an exposure call for a decision on an entry."""
    # A single gene that holds or sells calls for none even at a threshold of 0.
    if strategy.genes == 1 and votes[0] != BUY and votes[0] != SHORT:
        return False
    return abs(score_of(strategy, votes)) >= strategy.vote_threshold
