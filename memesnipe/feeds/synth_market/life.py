"""The state of one token while its life is generated: records that compiled code updates in place."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import Events
from memesnipe.market.pools import POOL

LIFE_S: Final = 48 * 3600.0  # nothing happens to a token later, so any window needs only this much of the past
SLOT_NS: Final = 300_000_000  # a slot of Solana in autumn 2026
STEP_S: Final = 10.0  # of the functions of time below

LIFE: Final = np.dtype(
    [
        ("pool", POOL),
        ("key", "u8"),  # of the token's random numbers
        ("counter", "u8"),  # number of draws so far
        ("token", "i8"),
        ("launch_ts", "i8"),
        ("now_s", "f8"),  # since the launch
        ("slot", "i8"),  # of the last event
        ("in_slot", "i8"),  # events before it in the same slot
        ("written", "i8"),  # events in the output
        ("positions", "i8"),
        ("actions", "i8"),  # scheduled
        ("scheduled", "i8"),  # ever; breaks ties
        ("is_full", "i8"),  # an array was too small: its size is doubled and the life generated again
        ("holders", "i8"),
        ("buyers", "i8"),  # buys of people, without bots
        ("gifted", "f8"),  # holders by airdrop
        ("waves", "i8"),  # of interest, before the present one
        ("interest", "f8"),  # expected buyers that come on their own
        ("since_s", "f8"),  # start of the interest
        ("fades_s", "f8"),
        ("virality", "f8"),  # expected followers of a buyer
        ("audience", "f8"),  # buyers after which nobody follows any more
        ("median_sol", "f8"),  # of a buy
        ("sigma", "f8"),
        ("wealth_sol", "f8"),  # a buy is at most about this
        ("bot_lamports", "i8"),  # size of its volume bot
        ("bot_ends_s", "f8"),
        ("bundle_s", "f8"),  # when the makers of a bundled launch sell
        ("state", "i8"),  # see the codes below
        ("extra_lamports", "i8"),  # budget of the buy that completed the curve, left for the future pool
        ("extra_wallet", "u4"),
        ("collected_raw", "i8"),  # by the owner of a large sale of the planted edge
        ("collector", "i8"),
        ("top_price", "f8"),
        ("deposit_raw", "i8"),  # tokens that an outside provider added
        ("pool_raw", "i8"),  # in the pool before
    ]
)
ON_CURVE: Final = 0
COMPLETE: Final = 1  # until the liquidity has moved
ON_PUMPSWAP: Final = 2

# A buy and what its owner still holds of it.
POSITION: Final = np.dtype(
    [
        ("raw", "i8"),
        ("price", "f8"),  # paid, in lamports per raw token
        ("wait_s", "f8"),  # until the owner looks again
        ("target", "f8"),  # gain at which the owner sells
        ("stop", "f8"),  # loss at which the owner sells
        ("wallet", "u4"),
        ("style", "u4"),
    ]
)
FAST: Final = 0  # a bot or a scalper
PERSON: Final = 1
INSIDER: Final = 2  # the developer or a maker's wallet: sells by plan
VOLUME_BOT: Final = 3

ACTION: Final = np.dtype([("at_s", "f8"), ("number", "i8"), ("kind", "i8"), ("subject", "i8")])


class Environment(NamedTuple):
    """The functions of time that all tokens share, one value for each `STEP_S` from the market's start."""

    start_ts: int
    end_ts: int
    sol_usd: NDArray[np.float64]
    mood: NDArray[np.float64]  # factor on the buyers that come


class Scratch(NamedTuple):
    """Working memory of one life, and the output."""

    positions: Any  # dtype POSITION
    actions: Any  # dtype ACTION: a binary heap
    events: Events
    environment: Environment
    edge: int


def new_scratch(positions: int, actions: int, events: Events, environment: Environment, edge: int) -> Scratch:
    """Return working memory of these sizes."""
    return Scratch(np.zeros(positions, POSITION), np.zeros(actions, ACTION), events, environment, edge)
