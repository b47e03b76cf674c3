"""Plausible ranges of an event's fields: within them no computation of the core overflows or becomes infinite.

The ranges are far beyond any market so far, so a value outside is an error of its source. They also leave headroom:
prices are divided by each other, amounts are multiplied by prices and summed, and lamports are stored in 64 bits.
"""

from typing import Final

from memesnipe.market.events import HOLDERS, MIGRATION

# SOL has cost from 0.5 to 300 USD. A short's margin is multiplied by the price at its start and divided by the price at
# its end; the result in lamports must fit 64 bits.
SOL_USD: Final = (0.1, 1e4)
# Of a whole token, or a perp's mark. A mark is converted to millionths of a USD in 64 bits.
PRICE_USD: Final = (1e-18, 1e12)
# More than all the money in the world. Strategies sum such amounts over days.
MAX_USD: Final = 1e15
# Ten million SOL; about 600 million exist, and the largest pools hold some hundred thousand. The value of several
# hundred positions still fits 64 bits.
MAX_LAMPORTS: Final = 10**16
# A pool's tokens and a holding are added in 63 bits.
MAX_RAW: Final = 2**62
# Per hour. Venues do not charge more than 4 %.
MAX_RATE: Final = 1.0
# Mentions and holders: more than there are people.
MAX_COUNT: Final = 1e12
# Our own feeds report sentiment from -1 to 1; other scales are accepted.
MAX_SENTIMENT: Final = 1e6

# The sum of a trade's fees must be less than the trade.
FEE_BPS_BELOW: Final = 10_000
_BPS: Final = (0, FEE_BPS_BELOW - 1)

# 2020-01-01, before there were memecoins on Solana. Times in s, ms or us read as ns are in 1970.
OLDEST_TS: Final = 1_577_836_800 * 10**9
# The year 2116: latencies and hold times are added to it, and the sum must fit 64 bits.
LAST_TS: Final = 2**62
# Addresses have 32 to 44 characters; those of synthetic markets may be shorter or longer.
MAX_MINT_LENGTH: Final = 64

# Minimum and maximum of every field that is computed with. `sol_usd` may also be 0: unknown.
RANGES: Final[dict[str, tuple[float, float]]] = {
    "price_usd": PRICE_USD,
    "volume_usd": (0.0, MAX_USD),
    "liquidity_usd": (-MAX_USD, MAX_USD),
    "sol_lamports": (0, MAX_LAMPORTS),
    "token_raw": (0, MAX_RAW),
    "pool_sol_lamports": (1, MAX_LAMPORTS),
    "pool_token_raw": (1, MAX_RAW),
    # Negative where the virtual part of a pool's reserves is assumed rather than recorded.
    "real_sol_lamports": (-MAX_LAMPORTS, MAX_LAMPORTS),
    "real_token_raw": (-MAX_RAW, MAX_RAW),
    "supply_raw": (0, MAX_RAW),
    "lp_fee_bps": _BPS,
    "protocol_fee_bps": _BPS,
    "creator_fee_bps": _BPS,
    "sentiment": (-MAX_SENTIMENT, MAX_SENTIMENT),
    "mentions": (0.0, MAX_COUNT),
    "change_usd": (-MAX_USD, MAX_USD),
    "inflow_usd": (-MAX_USD, MAX_USD),
    "rate": (-MAX_RATE, MAX_RATE),
    "mark_usd": PRICE_USD,
    "amount_usd": (0.0, MAX_USD),
    "holders": (0.0, MAX_COUNT),
    "action": (HOLDERS, MIGRATION),
}
