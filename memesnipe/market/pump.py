"""Default constants of pump.fun and PumpSwap for records without their own, and the hash of wallets."""

from hashlib import blake2b
from typing import Final

from memesnipe.market.events import LAMPORTS_PER_SOL

RAW_PER_TOKEN: Final = 1_000_000  # pump.fun tokens have 6 decimals
CURVE_START_SOL_LAMPORTS: Final = 30 * LAMPORTS_PER_SOL
CURVE_START_TOKEN_RAW: Final = 1_073_000_000 * RAW_PER_TOKEN
CURVE_UNSOLD_TOKEN_RAW: Final = 279_900_000 * RAW_PER_TOKEN  # virtual tokens that are never for sale
PUMP_SUPPLY_RAW: Final = 1_000_000_000 * RAW_PER_TOKEN
PUMP_FEES_BPS: Final = (95, 30)  # of the curve: protocol, creator
AMM_LP_FEE_BPS: Final = 25


def wallet_hash(wallet: str) -> int:
    """Return a 32-bit hash of a wallet: enough to distinguish the wallets of one token."""
    if not wallet:
        return 0
    return int.from_bytes(blake2b(wallet.encode(), digest_size=4).digest(), "big")
