"""The event of a trade in a pool of PumpSwap, and the names of its instruction."""

from typing import Any, Final

from memesnipe.feeds.pumpfun.chain_events import BuyEvent, SellEvent
from memesnipe.localnet.event_encoding import event_line
from memesnipe.localnet.programs.pool_state import PoolState
from memesnipe.market.pools import BPS, Fees, Quote
from memesnipe.market.wide import mul_div_up
from memesnipe.solana.instructions.pumpswap import PoolBuy, PoolBuyExactQuoteIn, PoolSell, PoolTrade
from memesnipe.solana.instructions.pumpswap_cashback import CashbackTradeAccounts

_NAMES: Final[dict[type, tuple[str, str]]] = {
    PoolBuy: ("BuyV2", "buy_v2"),
    PoolBuyExactQuoteIn: ("BuyExactQuoteInV2", "buy_exact_quote_in_v2"),
    PoolSell: ("SellV2", "sell_v2"),
}
_V1_NAMES: Final[dict[type, tuple[str, str]]] = {
    PoolBuy: ("Buy", "buy"),
    PoolBuyExactQuoteIn: ("BuyExactQuoteIn", "buy_exact_quote_in"),
    PoolSell: ("Sell", "sell"),
}


def names(trade: PoolTrade) -> tuple[str, str]:
    """Return the names of an instruction in its log and in its event."""
    return (_V1_NAMES if isinstance(trade.accounts, CashbackTradeAccounts) else _NAMES)[type(trade)]


def trade_event(trade: PoolTrade, before: PoolState, quote: Quote, fees: Fees, timestamp: int) -> str:
    """Return the line of a trade's event; its reserves are those before the trade, the virtual ones included."""
    accounts, sign = trade.accounts, -1 if isinstance(trade, PoolSell) else 1
    creator = mul_div_up(quote.sol_lamports, fees.creator, BPS)
    is_v1 = isinstance(accounts, CashbackTradeAccounts)  # the creator's fee is the trader's then
    values: dict[str, Any] = {
        "timestamp": timestamp,
        "base_amount": quote.token_raw,
        "quote_limit": {
            PoolBuy: getattr(trade, "max_quote_amount_in", 0),
            PoolBuyExactQuoteIn: getattr(trade, "spendable_quote_in", 0),
            PoolSell: getattr(trade, "min_quote_amount_out", 0),
        }[type(trade)],
        "pool_base_token_reserves": before.base,
        "pool_quote_token_reserves": before.quote,
        "quote_amount": quote.sol_lamports,
        "lp_fee_basis_points": fees.lp,
        "lp_fee": mul_div_up(quote.sol_lamports, fees.lp, BPS),
        "protocol_fee_basis_points": fees.protocol,
        "protocol_fee": mul_div_up(quote.sol_lamports, fees.protocol, BPS),
        "pool_quote_amount": quote.pool_sol_lamports,
        "user_quote_amount": quote.sol_lamports + sign * quote.fee_lamports,
        "pool": bytes(accounts.pool),
        "user": bytes(accounts.user),
        "user_base_token_account": bytes(accounts.user_base_token_account),
        "user_quote_token_account": bytes(accounts.user_quote_token_account),
        "coin_creator": bytes(before.account.coin_creator),
        "coin_creator_fee_basis_points": 0 if is_v1 else fees.creator,
        "coin_creator_fee": 0 if is_v1 else creator,
        "cashback_fee_basis_points": fees.creator if is_v1 else 0,
        "cashback": creator if is_v1 else 0,
        "virtual_quote_reserves": before.account.virtual_quote_reserves,
        "base_supply": before.supply_raw,
    }
    if isinstance(accounts, CashbackTradeAccounts):
        values["protocol_fee_recipient"] = bytes(accounts.protocol_fee_recipient)
        values["protocol_fee_recipient_token_account"] = bytes(accounts.protocol_fee_recipient_token_account)
    if isinstance(trade, PoolSell):
        return event_line(SellEvent, **values)
    least = trade.min_base_amount_out if isinstance(trade, PoolBuyExactQuoteIn) else 0
    return event_line(BuyEvent, **values, min_base_amount_out=least, ix_name=names(trade)[1])
