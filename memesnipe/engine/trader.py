"""The arguments of compiled code: one strategy with its arrays, and the batch of deliveries it is advanced over."""

from typing import Any, NamedTuple

from memesnipe.engine.fills import FillModel


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


class Batch(NamedTuple):
    """A batch of events laid out as deliveries. The addresses are arguments of the families' loops."""

    events: Any  # dtype EVENT
    events_at: int  # address of the event at index `first`
    first: int
    length: int  # number of events from `first` on
    last_seq: int  # seq of the event before `events`
    deliveries: Any  # dtype DELIVERY
    deliveries_at: int
    delivery_count: int  # number of deliveries in use
    after: Any  # dtype MARKET: the market of each event's token after the event
    subscribed: Any  # shape (sets, deliveries): for each set of event kinds the indices of its deliveries
    subscribed_at: Any  # address of each row
    subscribed_counts: Any  # number of indices in each row
    votes: Any  # shape (MAX_GENES, room), i1: work space
    votes_at: int
