"""The event: one fixed-size record for everything that happens in the market.

All kinds share the header; after it the fields of the kinds overlap, so that every field is a plain read. The same
record is a row of a tape, of a run's event log and of the arrays that backtests share without copying.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

PRICE: Final = 1
SOCIAL: Final = 2
DEPTH: Final = 3
BRIDGE: Final = 4
FUNDING: Final = 5
ONCHAIN: Final = 6
SOL_PRICE: Final = 7

KIND_NAMES: Final[dict[int, str]] = {
    PRICE: "price",
    SOCIAL: "social",
    DEPTH: "depth",
    BRIDGE: "bridge",
    FUNDING: "funding",
    ONCHAIN: "onchain",
    SOL_PRICE: "sol_price",
}

VENUE_NAMES: Final[dict[int, str]] = {0: "", 1: "pump_curve", 2: "pumpswap", 3: "amm"}
PUMP_CURVE: Final = 1
PUMPSWAP: Final = 2
AMM: Final = 3

# Actions of an ONCHAIN event. Each event includes the token's last known number of holders.
HOLDERS: Final = 1  # an update of the number of holders; amount_usd is 0
DEV_TRANSFER: Final = 2  # the developer's wallet transferred tokens worth amount_usd
CURVE_COMPLETE: Final = 3  # the bonding curve is sold out
MIGRATION: Final = 4  # liquidity worth amount_usd moved to a PumpSwap pool

BUY_SIDE: Final = 1
SELL_SIDE: Final = -1
SHORT_SIDE: Final = -2  # open a short on a perp market
COVER_SIDE: Final = 2  # close it
SIDE_NAMES: Final[dict[int, str]] = {
    BUY_SIDE: "buy",
    SELL_SIDE: "sell",
    SHORT_SIDE: "short",
    COVER_SIDE: "cover",
    0: "",
}

# Flags of an event. The sequencer marks the events after which decisions are due; they are the run's only clock.
REBALANCE: Final = 1
GENERATION: Final = 2
DECISION: Final = REBALANCE | GENERATION
# Not to be acted on: the event arrived too late, or while a live feed was untrusted. Decided once, when it is numbered;
# afterwards it is part of the record.
STALE: Final = 4

NO_TOKEN: Final = -1
NS_PER_S: Final = 1_000_000_000
LAMPORTS_PER_SOL: Final = 1_000_000_000

# name -> (numpy format, byte offset)
_HEADER: Final[dict[str, tuple[str, int]]] = {
    "ts": ("i8", 0),  # ns since 1970 UTC, of the event
    "seq": ("i8", 8),  # position in the run, from 1
    "token": ("i4", 16),  # index of the mint in the run, in order of first appearance
    "kind": ("u1", 20),
    "venue": ("u1", 21),
    "side": ("i1", 22),
    "flags": ("u1", 23),
    "slot": ("u4", 24),
    "sol_usd": ("f8", 32),  # price of SOL at the event
}
_BODIES: Final[dict[int, dict[str, tuple[str, int]]]] = {
    PRICE: {
        "lp_fee_bps": ("i2", 28),
        "price_usd": ("f8", 40),  # of one whole token, after the trade
        "volume_usd": ("f8", 48),
        "liquidity_usd": ("f8", 56),  # value of the SOL that can be withdrawn from the pool
        "sol_lamports": ("i8", 64),  # SOL traded, without fees
        "token_raw": ("i8", 72),
        "pool_sol_lamports": ("i8", 80),  # pricing reserves after the trade (virtual ones included)
        "pool_token_raw": ("i8", 88),
        "real_sol_lamports": ("i8", 96),  # reserves that can really be withdrawn
        "real_token_raw": ("i8", 104),
        "trader": ("u4", 112),  # first 4 bytes of a hash of the wallet
        "protocol_fee_bps": ("i2", 116),
        "creator_fee_bps": ("i2", 118),
        "supply_raw": ("i8", 120),  # 0: unknown; if known, a PumpSwap pool's fees follow its market cap
    },
    SOCIAL: {"sentiment": ("f8", 40), "mentions": ("f8", 48)},
    DEPTH: {
        "change_usd": ("f8", 40),
        "liquidity_usd": ("f8", 56),
    },  # liquidity added (negative: removed), and the remaining liquidity
    BRIDGE: {"inflow_usd": ("f8", 40)},  # bridged to Solana; with a token, bridged to buy it
    FUNDING: {"rate": ("f8", 40), "mark_usd": ("f8", 48)},  # of a perp: rate per hour (positive: longs pay) and mark
    ONCHAIN: {"amount_usd": ("f8", 40), "holders": ("f8", 48), "action": ("i8", 64)},  # see the actions above
    SOL_PRICE: {},
}
_ALL: Final[dict[str, tuple[str, int]]] = _HEADER | {n: f for body in _BODIES.values() for n, f in body.items()}

EVENT: Final = np.dtype(
    {
        "names": list(_ALL),
        "formats": [fmt for fmt, _ in _ALL.values()],
        "offsets": [offset for _, offset in _ALL.values()],
        "itemsize": 128,
    }
)

# The fields of each kind of record, in order.
FIELDS: Final[dict[int, tuple[str, ...]]] = {kind: (*_HEADER, *body) for kind, body in _BODIES.items()}

Events = NDArray[Any]  # shape (n,), dtype EVENT


class Event(NamedTuple):
    """A record as plain Python numbers; fields that its kind does not have are meaningless."""

    ts: int
    seq: int
    token: int
    kind: int
    venue: int
    side: int
    flags: int
    slot: int
    sol_usd: float
    price_usd: float
    volume_usd: float
    liquidity_usd: float
    sol_lamports: int
    token_raw: int
    pool_sol_lamports: int
    pool_token_raw: int
    real_sol_lamports: int
    real_token_raw: int
    trader: int
    protocol_fee_bps: int
    lp_fee_bps: int
    creator_fee_bps: int
    supply_raw: int
    sentiment: float
    mentions: float
    change_usd: float
    inflow_usd: float
    rate: float
    mark_usd: float
    amount_usd: float
    holders: float
    action: int


def empty(count: int) -> Events:
    """Return a zeroed array of ``count`` records."""
    return np.zeros(count, dtype=EVENT)


def join(*parts: Events) -> Events:
    """Concatenate arrays of records. (``np.concatenate`` alone would place the overlapping fields side by side.)"""
    whole = np.dtype((np.void, EVENT.itemsize))
    return np.concatenate([np.ascontiguousarray(part).view(whole) for part in parts]).view(EVENT)


def take(events: Events, chosen: Any) -> Events:
    """Return the chosen records byte for byte. (numpy's indexing leaves the bytes between the fields uninitialised.)"""
    whole: Events = np.ascontiguousarray(events).view(np.dtype((np.void, EVENT.itemsize)))
    chosen_records: Events = whole[chosen].view(EVENT)
    return chosen_records


def rows(events: Events) -> Iterator[Event]:
    """Yield the records as plain Python numbers, several times faster than indexing the array."""
    return map(Event._make, zip(*(events[name].tolist() for name in Event._fields), strict=True))


def last_of_decisions(events: Events) -> list[int]:
    """Return the indices of the records after which a decision is due, ascending."""
    return [int(i) for i in np.flatnonzero(events["flags"] & DECISION)]
