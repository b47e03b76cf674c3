"""Events of bonding curves as messages."""

from typing import Final

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.pumpfun.chain_events import (
    CompleteEvent,
    CreateEvent,
    MigrationEvent,
    PostCompleteBuyEvent,
    TradeEvent,
)
from memesnipe.feeds.pumpfun.coins import Coin, Coins, KnownPool
from memesnipe.feeds.pumpfun.context import EMPTY_RESERVES, NO_FEES, OVERTAKEN, Counts, Moment
from memesnipe.feeds.pumpfun.quotes import foreign_quote
from memesnipe.market.events import (
    CURVE_COMPLETE,
    DEV_TRANSFER,
    HOLDERS,
    MIGRATION,
    NS_PER_S,
    PUMP_CURVE,
    PUMPSWAP,
    VENUE_NAMES,
)

HOLDERS_EVERY_NS: Final = 30 * NS_PER_S
CURVE: Final = VENUE_NAMES[PUMP_CURVE]
POOL: Final = VENUE_NAMES[PUMPSWAP]


def onchain(moment: Moment, coin: Coin, venue: str, action: int, amount_usd: float = 0.0) -> FeedMessage:
    """Return the message of an on-chain event."""
    message = moment.message("onchain", coin.mint, venue)
    return message | {"action": action, "amount_usd": amount_usd, "holders": float(coin.holders)}


def after_trade(moment: Moment, coin: Coin, venue: str, user: bytes, sold_lamports: int) -> list[FeedMessage]:
    """Return the messages that follow the one of a trade: the developer's sale, and the number of holders.

    Args:
        moment: of the trade.
        coin: after the trade.
        venue: of the trade.
        user: the wallet that traded.
        sold_lamports: value of the tokens sold; 0 for a buy.
    """
    messages = []
    if sold_lamports and user in coin.developers:
        messages.append(onchain(moment, coin, venue, DEV_TRANSFER, moment.usd(sold_lamports)))
    is_due = moment.ts - coin.reported_ts >= HOLDERS_EVERY_NS and coin.holders != coin.reported_holders
    # Of a coin that existed before, only those holders are known that traded since; their number would seem to grow.
    if is_due and coin.is_seen_from_creation:
        coin.reported_ts, coin.reported_holders = moment.ts, coin.holders
        messages.append(onchain(moment, coin, venue, HOLDERS))
    return messages


class CurveTranslator:
    """Translates the events of pump.fun, and records what they say about coins and pools."""

    def __init__(self, coins: Coins, counts: Counts) -> None:
        self._coins, self._counts = coins, counts

    def create(self, event: CreateEvent, moment: Moment) -> list[FeedMessage]:
        """Record a new coin; its first message is its first trade."""
        coin = self._coins.coin(event.mint, moment.ts)
        coin.developers = frozenset({event.user, event.creator})
        coin.supply_raw = event.token_total_supply
        coin.is_seen_from_creation = True
        coin.reported_ts = moment.ts
        return []

    def trade(self, event: TradeEvent, moment: Moment, rest: PostCompleteBuyEvent | None) -> list[FeedMessage]:
        """Return the messages of a trade.

        Args:
            event: the trade.
            moment: of the trade.
            rest: the part of the same buy that went on into the future pool, if it completed the curve.
        """
        reason = foreign_quote(event.quote_mint)
        if not reason and event.fee_basis_points < 0:
            reason = NO_FEES
        if not reason and (event.virtual_sol_reserves <= 0 or event.virtual_token_reserves <= 0):
            reason = EMPTY_RESERVES
        if reason:
            self._counts[reason] += 1
            return []
        coin = self._coins.coin(event.mint, moment.ts)
        self._note(coin, event)
        lamports, token_raw = event.sol_amount, event.token_amount
        if not coin.advance(moment.slot):
            self._counts[OVERTAKEN] += 1
            coin.trade(event.user, token_raw if event.is_buy else -token_raw)
            return []
        price_lamports, price_raw = event.virtual_sol_reserves, event.virtual_token_reserves
        if rest is not None:
            lamports, token_raw = lamports + rest.quote_in, token_raw + rest.base_out
            price_lamports, price_raw = rest.pool_quote_after, rest.pool_base_after
        message = moment.message("price", coin.mint, CURVE, "buy" if event.is_buy else "sell")
        message["price_usd"] = moment.price_usd(price_lamports, price_raw)
        message["volume_usd"] = moment.usd(lamports)
        message["liquidity_usd"] = moment.usd(event.real_sol_reserves)
        message["sol_lamports"] = lamports
        message["token_raw"] = token_raw
        message["pool_sol_lamports"] = event.virtual_sol_reserves
        message["pool_token_raw"] = event.virtual_token_reserves
        message["real_sol_lamports"] = event.real_sol_reserves
        message["real_token_raw"] = event.real_token_reserves
        message["supply_raw"] = coin.supply_raw
        message["lp_fee_bps"] = 0
        message["protocol_fee_bps"] = event.fee_basis_points
        # A coin pays its creator, its traders (cashback) or its holders.
        message["creator_fee_bps"] = (
            event.creator_fee_basis_points + event.cashback_fee_basis_points + event.holder_rewards_bps
        )
        message["trader"] = coin.trade(event.user, token_raw if event.is_buy else -token_raw)
        sold_lamports = 0 if event.is_buy else lamports
        return [message, *after_trade(moment, coin, CURVE, event.user, sold_lamports)]

    def _note(self, coin: Coin, event: TradeEvent) -> None:
        """Record what a trade says about a coin besides its price."""
        if not coin.developers and event.creator:
            coin.developers = frozenset({event.creator})
        if not coin.is_complete and coin.pool:
            coin.pool = b""  # its curve still trades, so the pool that was learned is not its market

    def complete(self, event: CompleteEvent, moment: Moment) -> list[FeedMessage]:
        """Return the message of a curve that is sold out."""
        if self._is_foreign(event.quote_mint):
            return []
        coin = self._coins.coin(event.mint, moment.ts)
        coin.is_complete = True
        return [onchain(moment, coin, CURVE, CURVE_COMPLETE)]

    def post_complete_buy(self, event: PostCompleteBuyEvent, moment: Moment) -> list[FeedMessage]:
        """Record with which reserves the pool will open. The message of the buy includes its amounts."""
        if not self._is_foreign(event.quote_mint):
            coin = self._coins.coin(event.mint, moment.ts)
            coin.is_complete = True
            coin.opens_with = (event.pool_quote_after, event.pool_base_after)
        return []

    def migrate(self, event: MigrationEvent, moment: Moment) -> list[FeedMessage]:
        """Return the message of liquidity that moved to a pool, and learn the pool."""
        reason = foreign_quote(event.quote_mint)
        self._coins.pools.put(event.pool, KnownPool(event.mint, reason), moment.ts)
        if self._is_foreign(event.quote_mint):
            return []
        coin = self._coins.coin(event.mint, moment.ts)
        coin.is_complete, coin.pool = True, event.pool
        if coin.opens_with not in (None, (event.sol_amount, event.mint_amount)):
            self._counts["pool opened with other reserves than its last buy left"] += 1
        coin.opens_with = None
        return [onchain(moment, coin, POOL, MIGRATION, moment.usd(event.sol_amount))]

    def _is_foreign(self, quote_mint: bytes) -> bool:
        reason = foreign_quote(quote_mint)
        if reason:
            self._counts[reason] += 1
        return bool(reason)
