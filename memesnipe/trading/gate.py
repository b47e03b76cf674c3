"""The risk gate: decides whether an order may be sent, and names the rule that refuses it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from memesnipe.engine.orders import ENTRIES, Order
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, NS_PER_S, PUMP_CURVE, PUMPSWAP
from memesnipe.market.state import TokenMarket
from memesnipe.number_text import significant
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.desk_state import DeskState

_MINUTE_NS: Final = 60 * NS_PER_S
_RAW_PER_TOKEN: Final = 1_000_000  # every pump.fun token has 6 decimals; those of other venues are unknown
_PUMP_VENUES: Final = (PUMP_CURVE, PUMPSWAP)


class RefusalReason(StrEnum):
    """The rules. A refusal names the first rule that the order breaks."""

    HALTED = "halted"  # manually
    BREAKER = "breaker"  # the breaker's level does not allow it
    BUSY = "busy"  # the strategy has an open order for this token, or already holds it
    STALE_DATA = "stale_data"  # the market data is too old to act on
    UNSAFE_TOKEN = "unsafe_token"  # noqa: S105 - the developer is leaving, or liquidity was pulled
    PRICE = "price"  # the reported price deviates from the pool's
    NO_CAPITAL = "no_capital"  # the strategy's allocation is spent, or too small
    NO_CASH = "no_cash"  # the budget exceeds the portfolio's cash, whatever the allocation
    TOKEN_EXPOSURE = "token_exposure"  # noqa: S105 - the exposure to this token would exceed its limit
    TOTAL_EXPOSURE = "total_exposure"  # the exposure to all tokens would exceed its limit
    ORDER_RATE = "order_rate"  # too many orders in the last minute
    NO_VENUE = "no_venue"  # the account's venue does not trade perps
    NO_LIQUIDITY = "no_liquidity"  # the pool gives nothing for the budget


@dataclass(frozen=True, slots=True)
class RiskRefused:
    """An order that is not sent, with the rule and its figures."""

    order: Order
    reason: RefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the gate. Times are event time."""

    max_position_usd: float
    max_token_exposure_usd: float = float("inf")
    max_total_exposure_usd: float = float("inf")
    max_orders_per_minute: int = 1_000_000
    max_data_age_ns: int = 2**62
    max_price_deviation: float = float("inf")  # ratio of the pool's price
    max_dev_out: float = float("inf")  # value that the developer sent away, as a ratio of the token's liquidity
    max_pull: float = 1.0  # largest share of the liquidity that one event may ever have removed
    min_position_usd: float = 0.0  # an entry is not smaller while the allocation suffices: fees would consume it
    max_pool_share: float = float("inf")  # largest buy relative to its pool's SOL; it moves the price by twice that


def refuse(order: Order, state: DeskState, limits: Limits) -> RiskRefused | None:
    """Return why an order must not be sent at any size, or None.

    An exit is refused only by a halt, in Emergency, and while an order for its token is open: under every other
    condition, closing is the safer choice. While everything is being sold, a halt and Emergency refuse entries only.
    """
    is_entry = order.side in ENTRIES
    if state.halted and (is_entry or not state.flattening):
        return RiskRefused(order, RefusalReason.HALTED, "trading was halted manually")
    if (state.level is RiskLevel.EMERGENCY and (is_entry or not state.flattening)) or (
        is_entry and state.level is RiskLevel.CRITICAL
    ):
        return RiskRefused(order, RefusalReason.BREAKER, f"the breaker is at {state.level}")
    if state.is_pending(order.spec_id, order.token):
        return RiskRefused(order, RefusalReason.BUSY, "an order for this token is open")
    if not is_entry:
        return None
    market = state.market_state.tokens[order.token]
    if state.holding(order.spec_id, order.token) is not None:
        return RiskRefused(order, RefusalReason.BUSY, "the token is held already")
    return _refuse_market(order, market, state, limits)


def _refuse_market(order: Order, market: TokenMarket, state: DeskState, limits: Limits) -> RiskRefused | None:
    if state.is_late:
        return RiskRefused(order, RefusalReason.STALE_DATA, "the event arrived too late, or from an untrusted feed")
    # A quiet token keeps the price of its last trade; a market without any trade means that data is missing.
    silent_ns = state.market_state.last_ts - state.market_state.traded_ts
    if silent_ns > limits.max_data_age_ns:
        return RiskRefused(
            order, RefusalReason.STALE_DATA, f"there was no trade of any token for {silent_ns / NS_PER_S:.1f} s"
        )
    return _refuse_token(order, market, limits) if order.side == BUY_SIDE else None


def _refuse_token(order: Order, market: TokenMarket, limits: Limits) -> RiskRefused | None:
    if market.dev_out_usd > limits.max_dev_out * market.liquidity_usd:
        return RiskRefused(
            order, RefusalReason.UNSAFE_TOKEN, f"the developer sent {market.dev_out_usd:.0f} USD of it away"
        )
    if market.worst_pull > limits.max_pull:
        return RiskRefused(order, RefusalReason.UNSAFE_TOKEN, f"{market.worst_pull:.0%} of its liquidity left at once")
    pool = market.pool
    if pool.venue in _PUMP_VENUES and pool.token_raw > 0 and market.sol_usd > 0:
        per_token = pool.sol_lamports / LAMPORTS_PER_SOL * market.sol_usd / (pool.token_raw / _RAW_PER_TOKEN)
        away = abs(market.price_usd / per_token - 1.0)
        if away > limits.max_price_deviation:
            return RiskRefused(
                order,
                RefusalReason.PRICE,
                f"reported {significant(market.price_usd, 3)} USD, the pool gives {significant(per_token, 3)} USD",
            )
    return None


def refuse_size(order: Order, state: DeskState, limits: Limits) -> RiskRefused | None:
    """Return why an entry of this budget must not be sent, or None."""
    usd = state.market_state.sol_usd / LAMPORTS_PER_SOL
    budget_usd = order.budget_lamports * usd
    if order.budget_lamports <= 0:
        return RiskRefused(
            order,
            RefusalReason.NO_CAPITAL,
            f"of {state.allocations_usd.get(order.spec_id, 0.0):.2f} USD nothing is left",
        )
    cash_lamports = state.cash_lamports - sum(pending.budget_lamports for pending in state.pending)
    if order.budget_lamports > cash_lamports:
        return RiskRefused(
            order, RefusalReason.NO_CASH, f"of the portfolio's cash {cash_lamports * usd:.2f} USD is left"
        )
    in_token, in_all = state.exposure_lamports(order.token) * usd, state.exposure_lamports() * usd
    if in_token + budget_usd > limits.max_token_exposure_usd:
        return RiskRefused(order, RefusalReason.TOKEN_EXPOSURE, f"{in_token:.2f} USD are in this token")
    if in_all + budget_usd > limits.max_total_exposure_usd:
        return RiskRefused(order, RefusalReason.TOTAL_EXPOSURE, f"{in_all:.2f} USD are in the market")
    recent = sum(ts > state.market_state.last_ts - _MINUTE_NS for ts in state.sent_ts)
    if recent >= limits.max_orders_per_minute:
        return RiskRefused(order, RefusalReason.ORDER_RATE, f"{recent} orders in the last minute")
    return None
