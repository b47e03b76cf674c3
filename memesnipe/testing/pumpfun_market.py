"""The synthetic market as frames of pump.fun and PumpSwap, for tests that need a whole market on the wire.

A frame cannot carry everything that a message says:

- the time is in whole seconds;
- mints and wallets are keys of 32 bytes, here derived from the names in the messages;
- the number of holders, mentions, bridges, funding rates, the price of SOL, and transfers of the developer to another
  wallet are not events of the two programs;
- the fees of a PumpSwap trade are those that were charged, by the market cap before it.
"""

from typing import Any, Final

from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.pumpfun.chain_events import (
    BuyEvent,
    ChainEvent,
    CompleteEvent,
    CreateEvent,
    CreatePoolEvent,
    DepositEvent,
    MigrationEvent,
    SellEvent,
    TradeEvent,
    WithdrawEvent,
)
from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.quotes import WRAPPED_SOL_KEY
from memesnipe.market.events import CURVE_COMPLETE, LAMPORTS_PER_SOL, MIGRATION, NS_PER_S, PUMPSWAP
from memesnipe.market.pools import BPS, Fees, Pool, fees_of
from memesnipe.market.pump import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_SUPPLY_RAW,
    wallet_hash,
)
from memesnipe.testing.pumpfun_frames import key_of, logs_of, migration_logs, notification

_CURVE_FOR_SALE_RAW: Final = CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW
_MIGRATED_RAW: Final = PUMP_SUPPLY_RAW - _CURVE_FOR_SALE_RAW
_LP_FEES_BPS: Final = (2, 20)  # of PumpSwap's tiers


def carried(message: FeedMessage) -> FeedMessage | None:
    """Return a message of the synthetic market with what a frame carries of it; None if there is no frame for it.

    The number of holders is left out.
    """
    kind, action = message["kind"], message.get("action")
    if kind not in ("price", "depth") and action not in (CURVE_COMPLETE, MIGRATION):
        return None
    found = message | {
        "ts": message["ts"] // NS_PER_S * NS_PER_S,
        "mint": base58(key_of(message["mint"])),
    }
    found.pop("holders", None)
    if kind == "price":
        found["trader"] = wallet_hash(base58(_wallet(message)))
        if message["venue"] == "pumpswap":
            lp, protocol, creator = charged_fees(message)
            found |= {"lp_fee_bps": lp, "protocol_fee_bps": protocol, "creator_fee_bps": creator}
    return found


def charged_fees(trade: FeedMessage) -> Fees:
    """Return the fees of a PumpSwap trade, given the pool after it."""
    for lp_bps in _LP_FEES_BPS:
        fees = fees_of(_pool_before(trade, lp_bps))
        if fees.lp == lp_bps:
            return fees
    raise ValueError(f"no tier has the fees of {trade}")


def _pool_before(trade: FeedMessage, lp_bps: int) -> Pool:
    sign = 1 if trade["side"] == "buy" else -1
    sol = trade["pool_sol_lamports"] - sign * _paid_into_pool(trade, lp_bps)
    token = trade["pool_token_raw"] + sign * trade["token_raw"]
    return Pool(PUMPSWAP, sol, token, sol, token, trade["supply_raw"], lp_bps, 0, trade["creator_fee_bps"])


def _paid_into_pool(trade: FeedMessage, lp_bps: int) -> int:
    """Return the lamports that moved between the pool and the trader, with the fee that stays in the pool."""
    lamports: int = trade["sol_lamports"]
    fee = -(-lamports * lp_bps // BPS)
    return lamports + fee if trade["side"] == "buy" else lamports - min(fee, lamports)


def _wallet(trade: FeedMessage) -> bytes:
    return key_of(f"wallet {trade['trader']}")


def _lamports(usd: float, sol_usd: float) -> int:
    """Invert the value in USD of an integer number of lamports."""
    return round(usd * LAMPORTS_PER_SOL / sol_usd)


class MarketEncoder:
    """Encodes the messages of one synthetic market, from its first one on, each as the frame of a transaction."""

    def __init__(self) -> None:
        self._coins: set[str] = set()
        self._pools: set[str] = set()
        self._transactions = 0

    def encode(self, message: FeedMessage) -> str | None:
        """Return the frame of a message; None if there is none for it."""
        logs = self._logs(message)
        if not logs:
            return None
        self._transactions += 1
        return notification(message["slot"], f"transaction {self._transactions}", logs)

    def _logs(self, message: FeedMessage) -> list[str]:
        at_s = message["ts"] // NS_PER_S
        if message["kind"] == "price" and message["venue"] == "pump_curve":
            return logs_of([*self._creation(message, at_s), _curve_trade(message, at_s)])
        if message["kind"] == "price":
            return logs_of([*self._pool_creation(message, at_s), _pool_trade(message, at_s)])
        if message["kind"] == "depth":
            return logs_of([*self._pool_creation(message, at_s), _liquidity(message, at_s)])
        if message.get("action") == CURVE_COMPLETE:
            return logs_of([CompleteEvent(key_of("buyer"), key_of(message["mint"]), at_s)])
        if message.get("action") == MIGRATION:
            (created,) = self._pool_creation(message, at_s)
            lamports = _lamports(message["amount_usd"], message["sol_usd"])
            mint, pool = key_of(message["mint"]), _pool_key(message)
            return migration_logs(created, MigrationEvent(mint, _MIGRATED_RAW, lamports, at_s, pool))
        return []

    def _creation(self, message: FeedMessage, at_s: int) -> list[ChainEvent]:
        """Return the creation of a coin before its first trade."""
        if message["mint"] in self._coins:
            return []
        self._coins.add(message["mint"])
        reserves = (CURVE_START_TOKEN_RAW, CURVE_START_SOL_LAMPORTS, _CURVE_FOR_SALE_RAW, message["supply_raw"])
        maker = key_of(f"maker of {message['mint']}")
        return [CreateEvent(key_of(message["mint"]), maker, maker, at_s, *reserves)]

    def _pool_creation(self, message: FeedMessage, at_s: int) -> list[ChainEvent]:
        """Return the creation of a coin's pool before its first event."""
        if message["mint"] in self._pools:
            return []
        self._pools.add(message["mint"])
        mint = key_of(message["mint"])
        return [CreatePoolEvent(at_s, mint, WRAPPED_SOL_KEY, 6, 0, 0, _pool_key(message), key_of("maker"))]


def _pool_key(message: FeedMessage) -> bytes:
    return key_of(f"pool of {message['mint']}")


def _curve_trade(trade: FeedMessage, at_s: int) -> TradeEvent:
    return TradeEvent(
        mint=key_of(trade["mint"]),
        sol_amount=trade["sol_lamports"],
        token_amount=trade["token_raw"],
        is_buy=trade["side"] == "buy",
        user=_wallet(trade),
        timestamp=at_s,
        virtual_sol_reserves=trade["pool_sol_lamports"],
        virtual_token_reserves=trade["pool_token_raw"],
        real_sol_reserves=trade["real_sol_lamports"],
        real_token_reserves=trade["real_token_raw"],
        fee_basis_points=trade["protocol_fee_bps"],
        creator=key_of(f"maker of {trade['mint']}"),
        creator_fee_basis_points=trade["creator_fee_bps"],
    )


def _pool_trade(trade: FeedMessage, at_s: int) -> BuyEvent | SellEvent:
    fees = charged_fees(trade)
    before = _pool_before(trade, fees.lp)
    fields: dict[str, Any] = {
        "timestamp": at_s,
        "base_amount": trade["token_raw"],
        "pool_base_token_reserves": before.token_raw,
        "pool_quote_token_reserves": before.sol_lamports,
        "quote_amount": trade["sol_lamports"],
        "lp_fee_basis_points": fees.lp,
        "protocol_fee_basis_points": fees.protocol,
        "pool_quote_amount": _paid_into_pool(trade, fees.lp),
        "pool": _pool_key(trade),
        "user": _wallet(trade),
        "coin_creator": key_of("maker"),
        "coin_creator_fee_basis_points": fees.creator,
        "base_supply": trade["supply_raw"],
    }
    return BuyEvent(**fields) if trade["side"] == "buy" else SellEvent(**fields)


def _liquidity(message: FeedMessage, at_s: int) -> DepositEvent | WithdrawEvent:
    change = _lamports(message["change_usd"], message["sol_usd"])
    before = _lamports(message["liquidity_usd"], message["sol_usd"]) - change
    if change >= 0:
        return DepositEvent(at_s, before, change, _pool_key(message))
    return WithdrawEvent(at_s, before, -change, _pool_key(message))
