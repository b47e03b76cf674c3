"""The layouts that are recognised by their columns.

Sources: the schema of Dune's table `dex_solana.trades`, Bitquery's `DEXTrades` of Solana, the trade messages of
PumpPortal's websocket, and the public APIs of GeckoTerminal and DexScreener; docs/importing.md names the pages.
"""

from collections.abc import Mapping
from typing import Final

from memesnipe.tapes.layouts import PLAIN
from memesnipe.tapes.sources.layout import Layout, Source, one_of

_TIMES: Final = (
    "ts", "time", "timestamp", "datetime", "date_time", "block_time", "blocktime", "block_timestamp", "blocktimestamp",
    "unix_time", "unixtime", "unix_timestamp", "created_at",
)  # fmt: skip
_RECEIVED: Final = ("timestamp", "ts", "time", "received_at", "receive_time", "t_wall", "local_timestamp")

PLAIN_LAYOUT: Final = Layout(
    "plain",
    PLAIN,
    {
        "ts": one_of("ts_ns"), "mint": one_of("mint"), "side": one_of("side", unit="word"),
        "sol_amount": one_of("sol_amount", unit="sol"), "token_amount": one_of("token_amount", unit="whole"),
        "v_sol": one_of("v_sol", unit="sol"), "v_tok": one_of("v_tok", unit="whole"), "venue": one_of("venue"),
        "trader": one_of("trader"), "slot": one_of("slot"), "seq": one_of("seq"), "decimals": one_of("decimals"),
    },
)  # fmt: skip

DUNE: Final = Layout(
    "Dune dex_solana.trades",
    ("block_time", "token_bought_mint_address", "token_sold_mint_address"),
    {
        "ts": one_of("block_time"), "slot": one_of("block_slot"), "trader": one_of("trader_id"),
        "signature": one_of("tx_id"), "venue": one_of("project"),
        "bought_mint": one_of("token_bought_mint_address"), "sold_mint": one_of("token_sold_mint_address"),
        "bought_amount": (Source("token_bought_amount_raw", "raw"), Source("token_bought_amount", "whole")),
        "sold_amount": (Source("token_sold_amount_raw", "raw"), Source("token_sold_amount", "whole")),
        "bought_whole": one_of("token_bought_amount"), "sold_whole": one_of("token_sold_amount"),
    },
    order=("tx_index", "outer_instruction_index", "inner_instruction_index"),
    position=("outer_instruction_index", "inner_instruction_index"),
    other_venues_are_amms=True,
)  # fmt: skip

# `Buy` is the currency that the trader bought. `Amount` is in whole units.
BITQUERY: Final = Layout(
    "Bitquery DEXTrades",
    ("block.time", "trade.buy.amount", "trade.buy.currency.mintaddress", "trade.sell.currency.mintaddress"),
    {
        "ts": one_of("block.time"), "slot": one_of("block.slot"), "signature": one_of("transaction.signature"),
        "trader": one_of("transaction.signer", "trade.buy.account.address"), "venue": one_of("trade.dex.protocolname"),
        "bought_mint": one_of("trade.buy.currency.mintaddress"), "sold_mint": one_of("trade.sell.currency.mintaddress"),
        "bought_amount": one_of("trade.buy.amount", unit="whole"),
        "sold_amount": one_of("trade.sell.amount", unit="whole"),
        "bought_decimals": one_of("trade.buy.currency.decimals"),
        "sold_decimals": one_of("trade.sell.currency.decimals"),
    },
    order=("transaction.index", "trade.index"),
    position=("trade.index",),
    other_venues_are_amms=True,
)  # fmt: skip

# The messages have no time: the program that records them adds it. A creation with a purchase is a buy.
PUMPPORTAL: Final = Layout(
    "PumpPortal messages",
    ("signature", "mint", "traderpublickey", "txtype", "solamount"),
    {
        "ts": one_of(*_RECEIVED), "mint": one_of("mint"), "side": one_of("txtype", unit="word"),
        "sol_amount": one_of("solamount", unit="sol"),
        "token_amount": one_of("tokenamount", "initialbuy", unit="whole"),
        "v_sol": one_of("vsolinbondingcurve", "solinpool", unit="sol"),
        "v_tok": one_of("vtokensinbondingcurve", "tokensinpool", unit="whole"),
        "venue": one_of("pool"), "trader": one_of("traderpublickey"), "signature": one_of("signature"),
        "slot": one_of("slot"),
    },
    other_venues_are_amms=True,
)  # fmt: skip


def _geckoterminal(prefix: str) -> Layout:
    def of(name: str, unit: str = "") -> tuple[Source, ...]:
        return one_of(prefix + name, unit=unit)

    return Layout(
        "GeckoTerminal trades",
        tuple(prefix + name for name in ("block_timestamp", "from_token_address", "to_token_address")),
        {
            "ts": of("block_timestamp"), "slot": of("block_number"), "signature": of("tx_hash"),
            "trader": of("tx_from_address"),
            "bought_mint": of("to_token_address"), "sold_mint": of("from_token_address"),
            "bought_amount": of("to_token_amount", "whole"), "sold_amount": of("from_token_amount", "whole"),
        },
    )  # fmt: skip


DEXSCREENER: Final = Layout(
    "DexScreener pairs",
    ("pairaddress", "basetoken.address", "quotetoken.address"),
    refusal="pairs of DexScreener are prices of one moment, not trades: import the trades or candles of the pair",
)
GECKOTERMINAL_POOLS: Final = Layout(
    "GeckoTerminal pools",
    ("attributes.base_token_price_usd", "attributes.pool_created_at"),
    refusal="pools of GeckoTerminal are prices of one moment, not trades: import the trades or candles of the pool",
)
GECKOTERMINAL_CANDLES: Final = Layout(
    "GeckoTerminal candles",
    ("ohlcv.time", "ohlcv.open"),
    {
        "ts": one_of("ohlcv.time"), "mint": one_of("meta.base.address"), "quote": one_of("meta.quote.address"),
        "open": one_of("ohlcv.open", unit="usd"), "high": one_of("ohlcv.high", unit="usd"),
        "low": one_of("ohlcv.low", unit="usd"), "close": one_of("ohlcv.close", unit="usd"),
        "volume": one_of("ohlcv.volume", unit="usd"),
    },
)  # fmt: skip
LAYOUTS: Final = (
    PLAIN_LAYOUT, DUNE, BITQUERY, PUMPPORTAL, _geckoterminal("attributes."), _geckoterminal(""), DEXSCREENER,
    GECKOTERMINAL_CANDLES, GECKOTERMINAL_POOLS,
)  # fmt: skip

# Names of one meaning each, for files without one of the layouts above. Units are those that the name says. Names
# such as quote_amount are left out: the quote of a pair need not be SOL.
COMMON: Final[Mapping[str, tuple[Source, ...]]] = {
    "ts": (
        *one_of(*_TIMES), *one_of("ts_ns", "time_ns", "timestamp_ns", unit="ns"),
        *one_of("ts_us", "time_us", "timestamp_us", unit="us"), *one_of("ts_ms", "time_ms", "timestamp_ms", unit="ms"),
        *one_of("ts_s", "time_s", "timestamp_s", unit="s"),
    ),
    "mint": one_of(
        "mint", "mint_address", "token", "token_address", "token_mint", "token_mint_address", "base_mint",
        "base_address", "base_token_address", "contract_address", "ca",
    ),
    "side": (
        *one_of("side", "direction", "type", "trade_type", "tx_type", "txtype", "trade_side", "action", "kind"),
        *one_of("is_buy", "isbuy", unit="is_buy"),
    ),
    "sol_amount": (
        *one_of("sol_amount", "solamount", "amount_sol", "amount_in_sol", "sol"),
        *one_of("lamports", "sol_lamports", "amount_lamports", "sol_amount_lamports", unit="lamports"),
        *one_of("sol_ui_amount", unit="sol"),
    ),
    "token_amount": (
        *one_of(
            "token_amount", "tokenamount", "amount_token", "amount_in_token", "tokens", "amount_tokens",
        ),
        *one_of("token_raw", "token_amount_raw", "raw_token_amount", "amount_raw", "raw_amount", unit="raw"),
        *one_of("token_ui_amount", "ui_amount", unit="whole"),
    ),
    "v_sol": (*one_of("v_sol", "virtual_sol_reserves", "vsol"), *one_of("vsolinbondingcurve", unit="sol")),
    "v_tok": (*one_of("v_tok", "virtual_token_reserves", "vtok"), *one_of("vtokensinbondingcurve", unit="whole")),
    "venue": one_of("venue", "dex", "project", "platform", "protocol"),
    "trader": one_of(
        "trader", "wallet", "wallet_address", "user", "maker", "owner", "signer", "trader_id", "traderpublickey",
    ),
    "slot": one_of("slot", "block_slot", "block_num", "block_number"),
    "seq": one_of("seq"),
    "decimals": one_of("decimals", "token_decimals"),
    "quote": one_of("quote_mint", "quote_address", "quote_token_address", "quote_token", "quote_symbol", "quote"),
    "signature": one_of("signature", "transaction_signature", "tx_signature", "tx_hash", "tx_id", "txid", "txn", "tx"),
    "position": one_of("position", "instruction_index", "ix_index", "inner_index", "event_index", "log_index"),
}  # fmt: skip
COMMON_CANDLES: Final[Mapping[str, tuple[Source, ...]]] = {
    **{
        name: (Source(name), Source(name[0]), Source(f"{name}_usd", "usd")) for name in ("open", "high", "low", "close")
    },
    "volume": (*one_of("volume", "v", "vol"), *one_of("volume_usd", unit="usd"), *one_of("volume_sol", unit="sol")),
    **{name: COMMON[name] for name in ("mint", "venue", "quote", "decimals")},
    "ts": (*COMMON["ts"], *one_of("t", "open_time")),
}  # fmt: skip
