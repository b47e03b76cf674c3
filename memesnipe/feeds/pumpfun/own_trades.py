"""The pool's account of a wallet's own trade, from the events in its transaction's logs."""

from collections.abc import Sequence

from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.chain_events import BuyEvent, PoolTradeEvent, PostCompleteBuyEvent, SellEvent, TradeEvent
from memesnipe.feeds.pumpfun.decoder import Decoder
from memesnipe.market.pools import BPS
from memesnipe.solana.fills import PoolTrade


def own_trade(logs: Sequence[str], wallet: str) -> PoolTrade | None:
    """Return the trade of a wallet in a pump.fun curve or a PumpSwap pool.

    None where the logs do not have exactly one event of it, were cut, or its quote is not SOL: the balances then say
    what was traded. A buy that completes a curve has two events, and is one of these cases.
    """
    found = Decoder().decode(0, logs)
    user = bytes(Pubkey.from_string(wallet))
    trades = [
        event for event in found.events
        if isinstance(event, TradeEvent | BuyEvent | SellEvent | PostCompleteBuyEvent) and event.user == user
    ]  # fmt: skip
    if len(trades) != 1 or not found.is_complete:
        return None
    (event,) = trades
    if isinstance(event, TradeEvent):
        return _of_curve(event)
    return _of_pool(event) if isinstance(event, PoolTradeEvent) else None


def _of_curve(event: TradeEvent) -> PoolTrade | None:
    bps = (
        event.fee_basis_points, event.creator_fee_basis_points,
        event.cashback_fee_basis_points, event.holder_rewards_bps,
    )  # fmt: skip
    if min(bps) < 0 or any(event.quote_mint):
        return None
    return PoolTrade(event.sol_amount, _fees(event.sol_amount, bps), event.sol_amount)


def _of_pool(event: PoolTradeEvent) -> PoolTrade:
    bps = (
        event.lp_fee_basis_points, event.protocol_fee_basis_points, event.coin_creator_fee_basis_points,
        event.cashback_fee_basis_points, event.holder_rewards_bps,
    )  # fmt: skip
    return PoolTrade(event.quote_amount, _fees(event.quote_amount, bps), event.pool_quote_amount)


def _fees(lamports: int, bps: Sequence[int]) -> int:
    """Return the sum of fees, each of which the programs round up."""
    return sum(-(-lamports * each // BPS) for each in bps)
