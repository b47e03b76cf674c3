"""The engine's records: a strategy's parameters and state are one row of each of the first four dtypes.

Times are ns, amounts lamports or raw tokens. `STRATEGY_PARAMS` never change; the others are the state.
"""

from typing import Final

import numpy as np

from memesnipe.engine.holdings import HOLDING
from memesnipe.market.state import MARKET

MAX_GENES: Final = 3
MAX_EXPOSURES: Final = 16  # tokens that a strategy holds or has an order for at the same time
NO_EXPOSURE: Final = -1
NEVER: Final = 2**63 - 1
SAMPLE_NS: Final = 60 * 1_000_000_000

# A gene: a family with its parameters, and the states of all token slots; strategies share it (`engine/genes.py`).
GENE: Final = np.dtype(
    [
        ("code", "i8"),  # address of the family's loop; 0: the record is free
        ("params", "i8"),  # address
        ("states", "i8"),  # address of the first slot's state
        ("state_size", "i8"),  # bytes of one slot's state
        ("subscription", "i8"),  # index of its set of event kinds
    ]
)

# A genome as numbers. The first fields are those that a strategy without holdings and entries needs.
STRATEGY_PARAMS: Final = np.dtype(
    [
        ("genes", "i8"),
        ("gene", "i8", (MAX_GENES,)),  # index of each gene; -1 beyond the last
        ("buys", "i8"),  # the combinations of votes that call for an entry: see `engine/entries.py`
        ("shorts", "i8"),
        ("weights", "f8", (MAX_GENES,)),
        ("vote_threshold", "f8"),
        ("key", "i8"),
        ("size", "f8"),
        ("stop_loss", "f8"),
        ("take_profit", "f8"),
        ("trailing_stop", "f8"),
        ("max_hold_ns", "i8"),
        ("min_liquidity_usd", "f8"),
        ("min_age_ns", "f8"),
        ("watched", "i8"),  # whether its actions are recorded
    ]
)

ACCOUNT: Final = np.dtype(
    [
        ("capital_lamports", "i8"),
        ("cash_lamports", "i8"),
        ("joined_ts", "i8"),
        ("orders", "i8"),
        ("failed", "i8"),
        ("fills", "i8"),
        ("round_trips", "i8"),
        ("wins", "i8"),
        ("held_ns", "i8"),  # of all round trips together
        ("gross_profit_lamports", "i8"),
        ("gross_loss_lamports", "i8"),
        ("fees_lamports", "i8"),
        ("exposures", "i8"),
        ("orders_in_flight", "i8"),
        ("reserved_lamports", "i8"),
        ("next_due_ts", "i8"),
        ("is_between_events", "i8"),  # whether the current work is due between two events
        ("digest", "u8"),  # of every outcome so far
        ("next_sample_ts", "i8"),
        ("sampled_lamports", "i8"),
        ("peak_lamports", "i8"),
        ("periods", "i8"),
        ("sum", "f8"),
        ("sum_of_squares", "f8"),
        ("sum_of_squares_below", "f8"),
        ("sum_of_cubes", "f8"),
        ("sum_of_fourths", "f8"),
        ("max_drawdown", "f8"),
    ]
)

# An order, with the names of `memesnipe.engine.orders.Order`; `side` 0: none.
ORDER: Final = np.dtype(
    [
        ("side", "i8"),
        ("order_no", "i8"),
        ("reason", "i4"),
        ("decided_between_events", "i4"),
        ("decided_ts", "i8"),
        ("decided_seq", "i8"),
        ("due_ts", "i8"),
        ("budget_lamports", "i8"),
        ("token_raw", "i8"),
        ("expected", "i8"),
    ]
)

# A strategy's holding of one token, its order in flight there, and the token's market at the last event. Small fields
# are 4 bytes, because live batches are small and wait for memory: a row of 344 bytes instead of 320 cost 3 % of speed.
EXPOSURE: Final = np.dtype(
    [
        ("used", "i4"),
        ("slot", "i4"),
        ("best_value_lamports", "i8"),
        ("leave_ts", "i8"),
        ("ready_ts", "i8"),  # when its last order ended
        ("holding", HOLDING),
        ("order", ORDER),
        ("market", MARKET),
    ]
)

# A strategy's record of each slot: its exposure there, and the number of the event up to which the votes are spent.
VOTE_STATE: Final = np.dtype([("spent", "i8"), ("exposure", "i1")])

# One action of a watched strategy: an order (`is_outcome` 0) or the outcome of one.
ACTION: Final = np.dtype(
    [
        ("row", "i8"),
        ("is_outcome", "i8"),
        ("is_between_events", "i8"),  # after the event of `seq` or `order.decided_seq`, rather than at it
        ("token", "i8"),
        ("order", ORDER),
        ("ts", "i8"),
        ("seq", "i8"),
        ("failure", "i8"),
        ("token_raw", "i8"),
        ("sol_lamports", "i8"),
        ("fee_lamports", "i8"),
        ("network_fee_lamports", "i8"),
        ("pool_sol_lamports", "i8"),
    ]
)
