"""From the events of transactions to messages of the feed, in the order of the chain."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from solders.pubkey import Pubkey

from memesnipe.feeds.base import OWN_TS, FeedMessage
from memesnipe.feeds.pumpfun.amm import PoolTranslator
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
from memesnipe.feeds.pumpfun.coins import Coins, base58
from memesnipe.feeds.pumpfun.context import AHEAD, LATE, NO_SOL_PRICE, Moment
from memesnipe.feeds.pumpfun.curve import CurveTranslator
from memesnipe.feeds.pumpfun.decoder import Transaction
from memesnipe.feeds.pumpfun.pool_questions import FoundPool
from memesnipe.feeds.pumpfun.programs import WRAPPED_SOL
from memesnipe.feeds.pumpfun.quotes import foreign_quote
from memesnipe.market.events import CURVE_COMPLETE, NS_PER_S
from memesnipe.market.plausible import SOL_USD

# The chain's clock may be ahead of this machine's. An event further ahead would hold back the time of all later ones.
MAX_AHEAD_NS: Final = 5 * NS_PER_S  # half of what the sequencer accepts
# An event of the past would pass for one of the present, because times never go back.
MAX_LATE_NS: Final = 10 * NS_PER_S


class Translator:
    """Translates transactions; ``counts`` has the number of messages by kind, and of events put aside by reason.

    An event's time is the chain's, in whole seconds, or that of the message before it if that is later: the sequencer
    accepts no time before the previous one.

    Args:
        sol_usd: returns the price of SOL now, 0.0 if it is unknown.
        now_ns: returns this machine's time in ns since 1970.
        want_pool: is called with a pool of which nothing is known, at each of its events.
    """

    def __init__(
        self,
        sol_usd: Callable[[], float],
        now_ns: Callable[[], int],
        want_pool: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.last_ts = 0
        self.has_sol_price = True  # at the last event
        self._sol_usd, self._now_ns = sol_usd, now_ns
        self.coins = Coins()
        self._curve = CurveTranslator(self.coins, self.counts)
        self._pools = PoolTranslator(self.coins, self.counts, want_pool)
        self._handlers: dict[type, Callable[[Any, Moment], list[FeedMessage]]] = {
            CreateEvent: self._curve.create,
            CompleteEvent: self._curve.complete,
            PostCompleteBuyEvent: self._curve.post_complete_buy,
            MigrationEvent: self._curve.migrate,
            CreatePoolEvent: self._pools.create,
            BuyEvent: self._pools.trade,
            SellEvent: self._pools.trade,
            DepositEvent: self._pools.liquidity,
            WithdrawEvent: self._pools.liquidity,
        }

    def translate(self, transaction: Transaction) -> list[FeedMessage]:
        """Return the messages of a transaction's events."""
        rests = {event.mint: event for event in transaction.events if isinstance(event, PostCompleteBuyEvent)}
        messages: list[FeedMessage] = []
        for event in transaction.events:
            late = self._advance(event.timestamp * NS_PER_S)
            moment = Moment(self.last_ts, transaction.slot, self._known_sol_usd())
            found = self._translate(event, moment, rests)  # also if it is put aside: it may make a pool known
            if late and found:
                self.counts[late] += 1
                continue
            for message in found:
                if moment.sol_usd > 0 or message.get("action") == CURVE_COMPLETE:
                    self.counts[f"{message['kind']} messages"] += 1
                    own_ts = event.timestamp * NS_PER_S
                    messages.append(message if own_ts == moment.ts else {**message, OWN_TS: own_ts})
                else:
                    self.counts[NO_SOL_PRICE] += 1
        if rests:
            self.counts["buy into a future pool without its trade"] += len(rests)
        return messages

    def _advance(self, ts: int) -> str:
        """Advance the time to that of an event; return the reason to put the event aside, or ""."""
        if ts > self._now_ns() + MAX_AHEAD_NS:
            return AHEAD
        if ts < self.last_ts - MAX_LATE_NS:
            return LATE
        self.last_ts = max(self.last_ts, ts)
        return ""

    def _known_sol_usd(self) -> float:
        """Return the price of SOL, 0.0 if it is unknown or implausible."""
        sol_usd = self._sol_usd()
        self.has_sol_price = SOL_USD[0] <= sol_usd <= SOL_USD[1]
        return sol_usd if self.has_sol_price else 0.0

    def _translate(
        self, event: ChainEvent, moment: Moment, rests: dict[bytes, PostCompleteBuyEvent]
    ) -> list[FeedMessage]:
        if isinstance(event, TradeEvent):
            return self._curve.trade(event, moment, _rest_of(event, rests))
        return self._handlers[type(event)](event, moment)

    def learn_pool(self, pool: str, mint: str, quote_mint: str = WRAPPED_SOL, decimals: int = 6) -> None:
        """Learn the coin of a pool that was created before the feed was opened.

        Args:
            pool: address of the pool.
            mint: address of its base coin.
            quote_mint: address of its quote coin.
            decimals: of the base coin.
        """
        key, base, quote = (bytes(Pubkey.from_string(address)) for address in (pool, mint, quote_mint))
        self._pools.learn(key, base, quote, decimals, max(self.last_ts, self._now_ns()))

    def learn_found(self, found: FoundPool) -> None:
        """Learn what was looked up about a pool."""
        self._pools.learn_found(found, max(self.last_ts, self._now_ns()))

    def unknown_pools(self) -> list[str]:
        """Return the pools of which trades were put aside because their coin is not known, the last traded first."""
        return [base58(pool) for pool in self._pools.unknown_pools()]


def _rest_of(event: TradeEvent, rests: dict[bytes, PostCompleteBuyEvent]) -> PostCompleteBuyEvent | None:
    """Take the part of the buy that completed a curve which went on into the future pool; None for other trades."""
    rest = rests.get(event.mint)
    if rest is None or not event.is_buy or event.real_token_reserves > 0 or event.user != rest.user:
        return None
    if foreign_quote(rest.quote_mint) or min(rest.pool_quote_after, rest.pool_base_after) <= 0:
        return None
    return rests.pop(event.mint)
