"""The board: the last known state of every token, which is all the market there is to trade against."""

from dataclasses import dataclass, field

from memesnipe.market.events import PRICE, Event
from memesnipe.market.pools import Pool, pool_after


@dataclass(slots=True)
class TokenMarket:
    """One token as of its last price event."""

    pool: Pool
    first_ts: int
    last_ts: int
    price_usd: float
    liquidity_usd: float


@dataclass(slots=True)
class Board:
    """Every token seen so far, by its index, and the price of SOL."""

    tokens: dict[int, TokenMarket] = field(default_factory=dict)
    sol_usd: float = 0.0
    last_ts: int = 0
    last_seq: int = 0

    def see(self, event: Event) -> None:
        """Take one event over."""
        self.last_ts = event.ts
        self.last_seq = event.seq
        if event.sol_usd > 0:
            self.sol_usd = event.sol_usd
        if event.kind != PRICE:
            return
        known = self.tokens.get(event.token)
        first_ts = event.ts if known is None else known.first_ts
        self.tokens[event.token] = TokenMarket(
            pool_after(event), first_ts, event.ts, event.price_usd, event.liquidity_usd
        )
