"""What every translated event shares: its time, slot and the price of SOL; and the values in USD that follow."""

from collections import Counter
from typing import NamedTuple

from memesnipe.feeds.base import FeedMessage
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.market.pump import RAW_PER_TOKEN


class Moment(NamedTuple):
    """When an event happened."""

    ts: int
    slot: int
    sol_usd: float  # 0.0: unknown

    def usd(self, lamports: int) -> float:
        """Return the value of lamports in USD."""
        return lamports * self.sol_usd / LAMPORTS_PER_SOL

    def price_usd(self, lamports: int, token_raw: int) -> float:
        """Return the price of one whole token in USD in a pool with these reserves."""
        return self.usd(lamports) / (token_raw / RAW_PER_TOKEN)

    def message(self, kind: str, mint: str, venue: str, side: str = "") -> FeedMessage:
        """Return the header of a message."""
        return {
            "ts": self.ts,
            "kind": kind,
            "venue": venue,
            "side": side,
            "slot": self.slot,
            "sol_usd": self.sol_usd,
            "mint": mint,
        }


Counts = Counter[str]

# Reasons for which an event is put aside.
FOREIGN_QUOTE = "quoted in another coin"
USDC_QUOTE = "quoted in USDC"
NO_SOL_PRICE = "price of SOL unknown"
NO_FEES = "trade without fees"
EMPTY_RESERVES = "reserves are zero"
UNKNOWN_POOL = "pool not known"
OVERTAKEN = "older than the last event of its coin"
OTHER_POOL = "not the pool of its coin"
OTHER_DECIMALS = "coin without 6 decimals"
LATE = "too late"
AHEAD = "ahead of the clock"
