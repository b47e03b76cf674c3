"""The arguments of compiled code: one strategy with its arrays, and the batch of deliveries it is advanced over."""

from typing import Any, NamedTuple

from memesnipe.engine.fills import FillModel
from memesnipe.engine.points import Points


class Trader(NamedTuple):
    """One strategy: its row of every array, the fill model, and the buffers for its returns and actions."""

    row: int
    strategy: Any  # record of STRATEGY_PARAMS
    account: Any  # record of ACCOUNT
    exposures: Any  # shape (MAX_EXPOSURES,), dtype EXPOSURE
    vote_states: Any  # shape (slots,), dtype VOTE_STATE
    model: FillModel
    returns: Any  # shape (population, intervals), f4: from the interval that ends at `first_sample_ts`
    first_sample_ts: int
    actions: Any  # dtype ACTION
    written: Any  # shape (1,): the number of actions written
    evidence: Any  # shape (population,), dtype EVIDENCE; empty where none is kept
    # Work space: the standing votes at the point that is looked at, the number of the event up to which a decision
    # spends the votes, shape (1,), and the next point of each exposure, shape (MAX_EXPOSURES,).
    votes: Any
    spending: Any
    next_points: Any


class Batch(NamedTuple):
    """A batch of events laid out as deliveries, with the votes of every gene at its points."""

    events: Any  # dtype EVENT, in order of time
    ts: Any  # shape (length,): of the events from index `first` on
    seq: Any  # shape (length + 1,): of the event before them, 0 before the engine's first, and of each
    born_ts: Any  # shape (length,): when each event's token was born
    liquidity: Any  # shape (length,): of the token after each event, in USD
    first: int
    length: int  # number of events from `first` on
    number: int  # of the event at index `first`, counted from the engine's first event
    deliveries: Any  # dtype DELIVERY
    delivery_count: int  # number of deliveries in use
    after: Any  # dtype MARKET: the market of each event's token after the event
    points: Points
    genes: Any  # shape (genes,), dtype GENE
    planes: Any  # shape (genes, 2, words), i8: the votes at the points, see `memesnipe.engine.votes`
    numbers: Any  # shape (genes, early votes), i8: of the events of votes from before the batch
