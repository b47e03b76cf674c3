"""Events of a small market for the tests of the translator, the sentinel and the feed."""

from typing import Any

import msgspec

from memesnipe.feeds.pumpfun.chain_events import (
    BuyEvent,
    ChainEvent,
    CompleteEvent,
    CreateEvent,
    CreatePoolEvent,
    DepositEvent,
    MigrationEvent,
    PostCompleteBuyEvent,
    SellEvent,
    TradeEvent,
    WithdrawEvent,
)
from memesnipe.feeds.pumpfun.decoder import Transaction
from memesnipe.feeds.pumpfun.quotes import WRAPPED_SOL_KEY
from memesnipe.market.events import NS_PER_S
from memesnipe.testing.pumpfun_frames import key_of

NOW_S = 1_790_000_000
NOW_NS = NOW_S * NS_PER_S
SOL_USD = 200.0
SOL = 10**9
TOKEN = 10**6
MINT, MAKER, USER, POOL = key_of("mint"), key_of("maker"), key_of("user"), key_of("pool")
START = (30 * SOL, 1_073_000_000 * TOKEN)

CREATE = CreateEvent(MINT, MAKER, MAKER, NOW_S, START[1], START[0], 793_100_000 * TOKEN, 10**9 * TOKEN)
COMPLETE = CompleteEvent(USER, MINT, NOW_S)
MIGRATION = MigrationEvent(MINT, 206_900_000 * TOKEN, 84 * SOL, NOW_S, POOL)
CREATE_POOL = CreatePoolEvent(NOW_S, MINT, WRAPPED_SOL_KEY, 6, 206_900_000 * TOKEN, 84 * SOL, POOL)
REST = PostCompleteBuyEvent(USER, MINT, bytes(32), NOW_S, 10**6 * TOKEN, SOL, 205_900_000 * TOKEN, 85 * SOL)


def changed(event: Any, **fields: Any) -> Any:
    """Return an event with other fields."""
    return msgspec.structs.replace(event, **fields)


def transaction(*events: ChainEvent, slot: int = 7) -> Transaction:
    """Return a transaction with these events and nothing else."""
    return Transaction(slot, list(events), [], [], is_complete=True)


class Curve:
    """A curve whose trades follow from each other exactly."""

    def __init__(self, mint: bytes = MINT) -> None:
        self.mint = mint
        self.sol, self.tokens = START

    def _trade(self, is_buy: bool, sol: int, token_raw: int, user: bytes, at_s: int) -> TradeEvent:
        sign = 1 if is_buy else -1
        self.sol, self.tokens = self.sol + sign * sol, self.tokens - sign * token_raw
        real = (self.sol - START[0], self.tokens - 279_900_000 * TOKEN)
        return TradeEvent(self.mint, sol, token_raw, is_buy, user, at_s, self.sol, self.tokens, *real, 95, MAKER, 30)

    def buy(self, token_raw: int, user: bytes = USER, at_s: int = NOW_S) -> TradeEvent:
        """Buy exactly so many raw tokens."""
        cost = token_raw * self.sol // (self.tokens - token_raw) + 1
        return self._trade(True, cost, token_raw, user, at_s)

    def sell(self, token_raw: int, user: bytes = USER, at_s: int = NOW_S) -> TradeEvent:
        """Sell so many raw tokens."""
        return self._trade(False, token_raw * self.sol // (self.tokens + token_raw), token_raw, user, at_s)

    def buy_all(self, user: bytes = USER) -> TradeEvent:
        """Buy everything that is for sale."""
        return self.buy(self.tokens - 279_900_000 * TOKEN, user)


def pool_buy(base: int, pool_base: int, pool_quote: int, virtual: int = 0, **fields: Any) -> BuyEvent:
    """Return a buy of so many raw tokens from a pool with these reserves, at 2 + 93 + 30 bps."""
    q = pool_quote + virtual
    quote = -(-q * base // (pool_base - base))
    lp = -(-quote * 2 // 10_000)
    event = BuyEvent(NOW_S, base, pool_base, pool_quote, quote, 2, 93, quote + lp, POOL, USER, MAKER, 30)
    return changed(event, virtual_quote_reserves=virtual, **fields)


def pool_sell(base: int, pool_base: int, pool_quote: int, virtual: int = 0, **fields: Any) -> SellEvent:
    """Return a sale of so many raw tokens to a pool with these reserves, at 2 + 93 + 30 bps."""
    quote = (pool_quote + virtual) * base // (pool_base + base)
    lp = -(-quote * 2 // 10_000)
    event = SellEvent(NOW_S, base, pool_base, pool_quote, quote, 2, 93, quote - lp, POOL, USER, MAKER, 30)
    return changed(event, virtual_quote_reserves=virtual, **fields)


DEPOSIT = DepositEvent(NOW_S, 84 * SOL, 6 * SOL, POOL)
WITHDRAWAL = WithdrawEvent(NOW_S, 84 * SOL, 4 * SOL, POOL)
