"""The market state: the last known market of every token, the rules by which events change it, and the price of SOL.

Each rule is one function. In the engine it is compiled, and a token's market is a record of dtype MARKET in one of the
slots of `memesnipe.market.token_slots`. In the desk and the ledger it is plain Python, and the market a `TokenMarket`.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.market.events import DEPTH, DEV_TRANSFER, FUNDING, LAMPORTS_PER_SOL, NO_TOKEN, ONCHAIN, PRICE, Event
from memesnipe.market.pools import NO_POOL, POOL, Pool, pool_after, set_pool

# One token's market as of its last event. A pool without tokens has not been traded yet.
MARKET: Final = np.dtype(
    [
        ("ts", "i8"),
        ("born_ts", "i8"),
        ("incarnation", "i4"),
        ("token", "i4"),
        ("pool", POOL),
        ("funding_ts", "i8"),
        ("liquidity_usd", "f8"),
        ("sol_usd", "f8"),
        ("mark_usd", "f8"),
        ("funding_rate", "f8"),
    ]
)


@dataclass(slots=True)
class TokenMarket:
    """The market of one token as of its last event. A pool without tokens has not been traded yet."""

    ts: int
    pool: Pool = NO_POOL
    sol_usd: float = 0.0  # the last price of SOL at that event
    mark_usd: float = 0.0  # of its perp, if any
    funding_rate: float = 0.0
    funding_ts: int = 0
    liquidity_usd: float = 0.0
    # for the risk gate
    price_usd: float = 0.0  # of one whole token, from its last trade
    dev_out_usd: float = 0.0  # transferred by the developer's wallet since the token's first event
    worst_pull: float = 0.0  # largest share of the liquidity removed by one event


@jitable
def sol_usd_after(sol_usd: float, event: Event) -> float:
    """Return the last price of SOL, given the one before an event."""
    return event.sol_usd if event.sol_usd > 0.0 else sol_usd


@jitable
def apply_event(market: Any, event: Event, sol_usd: float) -> None:
    """Apply an event to its token's market; ``sol_usd`` is the last price of SOL, or 0."""
    market.ts = event.ts
    market.sol_usd = sol_usd
    if event.kind == PRICE:
        set_pool(market, pool_after(event))
        market.liquidity_usd = event.liquidity_usd
    elif event.kind == DEPTH:
        market.liquidity_usd = event.liquidity_usd
    elif event.kind == FUNDING:
        market.mark_usd = event.mark_usd
        market.funding_rate = event.rate
        market.funding_ts = event.ts


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
        self.sol_usd = sol_usd_after(self.sol_usd, event)
        if event.token == NO_TOKEN:
            return
        market = self.tokens.get(event.token)
        if market is None:
            market = self.tokens[event.token] = TokenMarket(event.ts)
        apply_event(market, event, self.sol_usd)
        self._apply_risk(market, event)

    def _apply_risk(self, market: TokenMarket, event: Event) -> None:
        """Update the figures that only the risk gate reads."""
        if event.kind == PRICE:
            self.traded_ts = event.ts
            market.price_usd = event.price_usd
        elif event.kind == DEPTH:
            before = event.liquidity_usd - event.change_usd
            if event.change_usd < 0 and before > 0:
                market.worst_pull = max(market.worst_pull, -event.change_usd / before)
        elif event.kind == ONCHAIN and event.action == DEV_TRANSFER:
            market.dev_out_usd += event.amount_usd

    def drop_dead(self, dead_after_ns: int, keep: Container[int]) -> None:
        """Drop the dead tokens, except those in ``keep``."""
        oldest = self.last_ts - dead_after_ns
        self.tokens = {t: m for t, m in self.tokens.items() if m.ts >= oldest or t in keep}
