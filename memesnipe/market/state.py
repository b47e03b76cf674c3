"""The market state: the last known market of every token, as plain objects for the desk and the ledger.

The engine has the same state in arrays (`memesnipe.market.token_slots`).
"""

from collections.abc import Container
from dataclasses import dataclass, field

from memesnipe.market.events import DEPTH, DEV_TRANSFER, FUNDING, LAMPORTS_PER_SOL, NO_TOKEN, ONCHAIN, PRICE, Event
from memesnipe.market.pools import NO_POOL, Pool, pool_after


@dataclass(slots=True)
class TokenMarket:
    """The market of one token as of its last event. A pool without tokens has not been traded yet."""

    last_ts: int
    pool: Pool = NO_POOL
    sol_usd: float = 0.0
    mark_usd: float = 0.0  # of its perp, if any
    funding_rate: float = 0.0
    funding_ts: int = 0
    price_usd: float = 0.0  # of one whole token, from its last trade
    liquidity_usd: float = 0.0
    dev_out_usd: float = 0.0  # transferred by the developer's wallet since the token's first event
    worst_pull: float = 0.0  # largest share of the liquidity removed by one event


def capital_lamports(capital_usd: float, sol_usd: float) -> int:
    """Return an initial capital in lamports, given the first price of SOL: of the first event that has one."""
    return int(capital_usd / sol_usd * LAMPORTS_PER_SOL)


@dataclass(slots=True)
class MarketState:
    """The markets of recent tokens by token index, and the price of SOL."""

    tokens: dict[int, TokenMarket] = field(default_factory=dict)
    sol_usd: float = 0.0
    last_ts: int = 0
    last_seq: int = 0
    traded_ts: int = 0  # time of the last trade of any token

    def apply(self, event: Event) -> None:
        """Apply one event."""
        self.last_ts = event.ts
        self.last_seq = event.seq
        if event.sol_usd > 0:
            self.sol_usd = event.sol_usd
        if event.token == NO_TOKEN:
            return
        market = self.tokens.get(event.token)
        if market is None:
            market = self.tokens[event.token] = TokenMarket(event.ts)
        market.last_ts, market.sol_usd = event.ts, event.sol_usd or market.sol_usd
        if event.kind == PRICE:
            self.traded_ts = event.ts
            market.pool = pool_after(event)
            market.price_usd, market.liquidity_usd = event.price_usd, event.liquidity_usd
        elif event.kind == FUNDING:
            market.mark_usd, market.funding_rate, market.funding_ts = event.mark_usd, event.rate, event.ts
        elif event.kind == DEPTH:
            before = event.liquidity_usd - event.change_usd
            market.liquidity_usd = event.liquidity_usd
            if event.change_usd < 0 and before > 0:
                market.worst_pull = max(market.worst_pull, -event.change_usd / before)
        elif event.kind == ONCHAIN and event.action == DEV_TRANSFER:
            market.dev_out_usd += event.amount_usd

    def drop_dead(self, dead_after_ns: int, keep: Container[int]) -> None:
        """Drop the dead tokens, except those in ``keep``."""
        oldest = self.last_ts - dead_after_ns
        self.tokens = {t: m for t, m in self.tokens.items() if m.last_ts >= oldest or t in keep}
