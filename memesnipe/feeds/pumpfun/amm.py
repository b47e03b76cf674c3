"""Events of PumpSwap pools as messages."""

from collections.abc import Callable
from typing import Final

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.pumpfun.chain_events import BuyEvent, CreatePoolEvent, DepositEvent, PoolTradeEvent, WithdrawEvent
from memesnipe.feeds.pumpfun.coins import Coin, Coins, KnownPool, Recent
from memesnipe.feeds.pumpfun.context import (
    EMPTY_RESERVES,
    FOREIGN_QUOTE,
    OTHER_DECIMALS,
    OTHER_POOL,
    OVERTAKEN,
    UNKNOWN_POOL,
    Counts,
    Moment,
)
from memesnipe.feeds.pumpfun.curve import POOL, after_trade
from memesnipe.feeds.pumpfun.pool_questions import FoundPool
from memesnipe.feeds.pumpfun.quotes import WRAPPED_SOL_KEY, foreign_quote
from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import Pool, fees_of

_DECIMALS: Final = 6
_MAX_UNKNOWN: Final = 1_000  # pools remembered to be looked up


class PoolTranslator:
    """Translates the events of PumpSwap, and records what they say about coins and pools."""

    def __init__(self, coins: Coins, counts: Counts, want_pool: Callable[[bytes], None]) -> None:
        self._coins, self._counts, self._want_pool = coins, counts, want_pool
        self._unknown: Recent[None] = Recent(max_entries=_MAX_UNKNOWN)

    def create(self, event: CreatePoolEvent, moment: Moment) -> list[FeedMessage]:
        """Learn a new pool. It is the market of its coin unless the coin has another pool or an open curve."""
        self.learn(event.pool, event.base_mint, event.quote_mint, event.base_mint_decimals, moment.ts)
        return []

    def learn(self, pool: bytes, mint: bytes, quote_mint: bytes, decimals: int, ts: int) -> None:
        """Record the coins of a pool."""
        reason = foreign_quote(quote_mint)
        if not reason and mint == WRAPPED_SOL_KEY:
            reason = FOREIGN_QUOTE  # SOL in units of the other coin
        if not reason and decimals != _DECIMALS:
            reason = OTHER_DECIMALS
        self._coins.pools.put(pool, KnownPool(mint, reason), ts)
        if not reason:
            coin = self._coins.coin(mint, ts)
            is_on_curve = coin.is_seen_from_creation and not coin.is_complete
            if not coin.pool and not is_on_curve:
                coin.pool = pool

    def learn_found(self, found: FoundPool, ts: int) -> None:
        """Record what was looked up about a pool, unless its events have told it since."""
        if found.pool in self._coins.pools:
            return
        if found.account is None:
            self._coins.pools.put(found.pool, KnownPool(b"", found.reason), ts)
            return
        account, mint = found.account, found.mint
        # Without a mint the quote is foreign, which is the reason to put the pool aside; the decimals have no meaning.
        self.learn(found.pool, account.base_mint, account.quote_mint, mint.decimals if mint else _DECIMALS, ts)
        known = self._coins.pools.get(found.pool, ts)
        if known is None or known.aside:
            return
        coin = self._coins.coin(account.base_mint, ts)
        if mint is not None and not coin.supply_raw:
            coin.supply_raw = mint.supply_raw
        if account.coin_creator and not coin.developers:
            coin.developers = frozenset({account.coin_creator})
        if account.is_of_migration:
            coin.is_complete, coin.pool = True, found.pool

    def unknown_pools(self) -> list[bytes]:
        """Return the pools of trades that were put aside because their coin is not known, the last traded first."""
        return [pool for pool in self._unknown.newest_keys() if pool not in self._coins.pools]

    def _coin_of(self, pool: bytes, ts: int) -> Coin | None:
        """Return the coin whose market is a pool; None, counted by reason, if there is none."""
        known = self._coins.pools.get(pool, ts)
        if known is None:
            self._unknown.put(pool, None, ts)
            self._want_pool(pool)
        reason = UNKNOWN_POOL if known is None else known.aside
        if known is not None and not reason:
            coin = self._coins.coin(known.mint, ts)
            if coin.pool == pool:
                return coin
            reason = OTHER_POOL
        self._counts[reason] += 1
        return None

    def trade(self, event: PoolTradeEvent, moment: Moment) -> list[FeedMessage]:
        """Return the messages of a trade."""
        coin = self._coin_of(event.pool, moment.ts)
        if coin is None:
            return []
        is_buy = isinstance(event, BuyEvent)
        sign = 1 if is_buy else -1
        before = event.pool_quote_token_reserves + event.virtual_quote_reserves
        quote = before + sign * event.pool_quote_amount
        base = event.pool_base_token_reserves - sign * event.base_amount
        if quote <= 0 or base <= 0:
            self._counts[EMPTY_RESERVES] += 1
            return []
        if not coin.advance(moment.slot):
            self._counts[OVERTAKEN] += 1
            coin.trade(event.user, sign * event.base_amount)
            return []
        # What the virtual part adds cannot be withdrawn; what it subtracts is owed as fees.
        real_quote = quote - max(event.virtual_quote_reserves, 0)
        message = moment.message("price", coin.mint, POOL, "buy" if is_buy else "sell")
        message["price_usd"] = moment.price_usd(quote, base)
        message["volume_usd"] = moment.usd(event.quote_amount)
        message["liquidity_usd"] = moment.usd(real_quote)
        message["sol_lamports"] = event.quote_amount
        message["token_raw"] = event.base_amount
        message["pool_sol_lamports"] = quote
        message["pool_token_raw"] = base
        message["real_sol_lamports"] = real_quote
        message["real_token_raw"] = base
        message |= self._fees(event, coin, before)
        message["trader"] = coin.trade(event.user, sign * event.base_amount)
        sold_lamports = 0 if is_buy else event.quote_amount
        return [message, *after_trade(moment, coin, POOL, event.user, sold_lamports)]

    def _fees(self, event: PoolTradeEvent, coin: Coin, quote_before: int) -> dict[str, int]:
        """Return the fees and the supply, which is 0 (unknown) where the fees do not follow from the market cap.

        With a supply the fees of the next trade are those of the pool's tier, otherwise those of this trade.
        """
        lp, protocol = event.lp_fee_basis_points, event.protocol_fee_basis_points
        creator = event.coin_creator_fee_basis_points + event.cashback_fee_basis_points + event.holder_rewards_bps
        supply = event.base_supply or coin.supply_raw
        base = event.pool_base_token_reserves
        by_tier = fees_of(Pool(PUMPSWAP, quote_before, base, quote_before, base, supply, lp, protocol, creator))
        if by_tier != (lp, protocol, creator):
            supply = 0
        return {"supply_raw": supply, "lp_fee_bps": lp, "protocol_fee_bps": protocol, "creator_fee_bps": creator}

    def liquidity(self, event: DepositEvent | WithdrawEvent, moment: Moment) -> list[FeedMessage]:
        """Return the message of liquidity that was added or removed."""
        coin = self._coin_of(event.pool, moment.ts)
        if coin is None:
            return []
        if not coin.advance(moment.slot):
            self._counts[OVERTAKEN] += 1
            return []
        change = event.quote_amount if isinstance(event, DepositEvent) else -event.quote_amount
        message = moment.message("depth", coin.mint, POOL)
        message["change_usd"] = moment.usd(change)
        message["liquidity_usd"] = moment.usd(event.pool_quote_token_reserves + change)
        return [message]
