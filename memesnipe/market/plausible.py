"""Plausible numbers: what a field of an event may say, so that nothing the core makes of it overflows or is infinite.

They are far beyond what any market has seen, so what is outside is a fault of who tells it. And they leave room: prices
are divided by each other, amounts are multiplied by prices and added up, and lamports are kept in 64 bits.
"""

from typing import Final

from memesnipe.market.events import HOLDERS, MIGRATION

# SOL has cost from 0.5 to 300 USD. What was bought at one end may be worth lamports at the other: a short's margin is
# multiplied by the price of its beginning and divided by the price of its end, and the result is kept in 64 bits.
SOL_USD: Final = (0.1, 1e4)
# Of a whole token, or a perp's mark. A mark becomes millionths of a USD in 64 bits.
PRICE_USD: Final = (1e-18, 1e12)
# More than all the money there is. Sums of them are taken over days.
MAX_USD: Final = 1e15
# Ten million SOL; there are about 600 million, and the largest pools hold some hundred thousand. The worth of several
# hundred positions is still a number of 64 bits.
MAX_LAMPORTS: Final = 10**16
# A pool's tokens and what is held of them are added up in 63 bits.
MAX_RAW: Final = 2**62
# Of one hour. Venues do not take more than 4 %.
MAX_RATE: Final = 1.0
# Mentions and holders. There are fewer people.
MAX_COUNT: Final = 1e12
# Sentiment goes from -1 to 1 where we make it; another scale is no fault.
MAX_SENTIMENT: Final = 1e6

# Fees of all of a trade, or more, leave no trade.
FEE_BPS_BELOW: Final = 10_000
_BPS: Final = (0, FEE_BPS_BELOW - 1)

# 2020-01-01, before there were memecoins on Solana. Times in s, ms or us that are taken for ns are in 1970.
OLDEST_TS: Final = 1_577_836_800 * 10**9
# The year 2116: latencies and holds are added to times, and the sum must fit 64 bits.
LAST_TS: Final = 2**62
# An address has 32 to 44 characters; synthetic markets have shorter and longer ones.
MAX_MINT_LENGTH: Final = 64

# The least and the most of every field that arithmetic is done with. `sol_usd` may also be 0: it is not known.
RANGES: Final[dict[str, tuple[float, float]]] = {
    "price_usd": PRICE_USD,
    "volume_usd": (0.0, MAX_USD),
    "liquidity_usd": (-MAX_USD, MAX_USD),
    "sol_lamports": (0, MAX_LAMPORTS),
    "token_raw": (0, MAX_RAW),
    "pool_sol_lamports": (1, MAX_LAMPORTS),
    "pool_token_raw": (1, MAX_RAW),
    # Below 0 where the virtual part of a pool's reserves is not told but assumed.
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
