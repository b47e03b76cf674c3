"""Small exact tapes for tests of the chain's market."""

from typing import Any

from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.market.events import NS_PER_S, PUMP_CURVE, PUMPSWAP, VENUE_NAMES
from memesnipe.market.pools import Pool, migrated, moved, quote_buy, quote_sell
from memesnipe.market.pump import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_SUPPLY_RAW,
)
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape
from tests.support import SOL_USD, START_TS, price_message

LAUNCH = Pool(
    PUMP_CURVE,
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    0,
    CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW,
    PUMP_SUPPLY_RAW,
    0,
    95,
    30,
)
POOL = Pool(PUMPSWAP, 100 * SOL, 150_000_000_000_000, 100 * SOL, 150_000_000_000_000, PUMP_SUPPLY_RAW, 2, 93, 30)


class TapeBuilder:
    """Builds a tape of exact trades."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}
        self.held: dict[tuple[str, int], int] = {}
        self.messages: list[dict[str, Any]] = []

    def trade(self, at_s: float, mint: str, trader: int, *, sol: int = 0, token_raw: int = 0) -> "TapeBuilder":
        """Add a buy for lamports with fees, or a sale of raw tokens."""
        pool = self.pools.setdefault(mint, LAUNCH)
        quote = quote_buy(pool, sol) if sol else quote_sell(pool, token_raw)
        assert quote.token_raw > 0
        sign = 1 if sol else -1
        after = moved(pool, sign * quote.pool_sol_lamports, -sign * quote.token_raw)
        if quote.token_raw == pool.real_token_raw:
            after = after._replace(real_token_raw=0)
        message = price_message(at_s, mint, "buy" if sol else "sell", after, quote.sol_lamports, quote.token_raw)
        fees = {"lp_fee_bps": pool.lp_fee_bps, "protocol_fee_bps": pool.protocol_fee_bps}
        venue = {"venue": VENUE_NAMES[pool.venue], "creator_fee_bps": pool.creator_fee_bps, **fees}
        self.messages.append(message | venue | {"trader": trader, "supply_raw": pool.supply_raw})
        self.held[mint, trader] = self.held.get((mint, trader), 0) + sign * quote.token_raw
        self.pools[mint] = after
        return self

    def migrate(self, mint: str) -> "TapeBuilder":
        """Move a complete curve into its pool."""
        self.pools[mint] = migrated(self.pools[mint], PUMP_SUPPLY_RAW - LAUNCH.real_token_raw)
        return self

    def price(self, at_s: float, sol_usd: float) -> "TapeBuilder":
        """Add a price of SOL."""
        ts = START_TS + int(at_s * NS_PER_S)
        common = {"slot": 0, "venue": "", "side": "", "mint": ""}
        self.messages.append({"kind": "sol_price", "ts": ts, "sol_usd": sol_usd, **common})
        return self

    def other(self, at_s: float, kind: str, **fields: Any) -> "TapeBuilder":
        """Add an event that the chain cannot have."""
        ts = START_TS + int(at_s * NS_PER_S)
        common = {"slot": 0, "sol_usd": SOL_USD, "venue": "", "side": "", "mint": ""}
        self.messages.append({"kind": kind, "ts": ts, **common, **fields})
        return self

    def tape(self) -> Tape:
        """Return the tape."""
        sequencer = Sequencer(60, 600)
        events, rejected = sequencer.stamp(self.messages)
        assert not rejected
        names: list[str] = []
        for message in self.messages:
            if message["mint"] and message["mint"] not in names:
                names.append(message["mint"])
        return Tape(events, names)
