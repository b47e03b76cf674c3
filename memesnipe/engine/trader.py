"""What compiled code hands around: one strategy at work, and the batch of turns that it is moved over."""

from typing import Any, NamedTuple

from memesnipe.engine.fills import FillModel


class Trader(NamedTuple):
    """One strategy: its row of every array, how its orders are filled, and where what it does is written down."""

    row: int
    strategy: Any  # record of STRATEGY_PARAMS
    account: Any  # record of ACCOUNT
    exposures: Any  # shape (MAX_EXPOSURES,), dtype EXPOSURE
    vote_states: Any  # shape (slots,), dtype VOTE_STATE
    model: FillModel
    returns: Any  # shape (population, intervals), f4: from the interval that ends at `first_sample_ts`
    first_sample_ts: int
    actions: Any  # dtype ACTION
    written: Any  # shape (1,): how many actions there are


class Batch(NamedTuple):
    """Some events, laid out in turns. Addresses are for the families' loops, which are called by theirs."""

    events: Any  # dtype EVENT
    events_at: int  # the address of the event of number `first`
    first: int
    length: int  # how many events, from `first` on
    last_seq: int  # of the event before all of `events`
    deliveries: Any  # dtype DELIVERY
    deliveries_at: int
    delivery_count: int  # how many visits there are
    after: Any  # dtype MARKET: the market of each event's token behind it
    subscribed: Any  # shape (sets, turns): for each set of kinds the turns of those kinds
    subscribed_at: Any  # the address of each row
    subscribed_counts: Any  # and how much of it is filled
    votes: Any  # shape (MAX_GENES, room), i1, to work in
    votes_at: int
