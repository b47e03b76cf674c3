"""The same swaps in the shapes of many programs."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

SOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
MINT = "FCuk4XWLR6fAJFTcQoMrm3KeywSt2X6wK4Ufh4Xjpump"


@dataclass(frozen=True)
class Swap:
    """A swap in smallest units, at a whole second."""

    second: int
    mint: str
    is_buy: bool
    lamports: int
    raw: int
    trader: str
    signature: str

    @property
    def side(self) -> str:
        return "buy" if self.is_buy else "sell"

    @property
    def sol(self) -> str:
        return _decimal(self.lamports, 9)

    @property
    def tokens(self) -> str:
        return _decimal(self.raw, 6)

    @property
    def iso(self) -> str:
        return datetime.fromtimestamp(self.second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _decimal(units: int, digits: int) -> str:
    return f"{units // 10**digits}.{units % 10**digits:0{digits}d}"


Row = dict[str, Any]


def plain(swap: Swap) -> Row:
    return {
        "ts_ns": swap.second * 10**9, "mint": swap.mint, "side": swap.side, "sol_amount": swap.sol,
        "token_amount": swap.tokens, "venue": "pump_curve", "trader": swap.trader, "signature": swap.signature,
    }  # fmt: skip


def lamports_and_ms(swap: Swap) -> Row:
    return {
        "timestamp": swap.second * 1000, "token_address": swap.mint, "is_buy": swap.is_buy,
        "sol_amount": swap.lamports, "token_amount": swap.raw, "platform": "pump.fun", "wallet": swap.trader,
        "tx_hash": swap.signature,
    }  # fmt: skip


def words_and_dates(swap: Swap) -> Row:
    return {
        "datetime": swap.iso + "Z", "token": swap.mint, "direction": swap.side.upper(), "sol": swap.sol,
        "tokens": swap.tokens, "dex": "PumpFun", "user": swap.trader, "tx": swap.signature,
    }  # fmt: skip


def named_units(swap: Swap) -> Row:
    return {
        "ts_us": swap.second * 10**6, "mint": swap.mint, "side": swap.side[0], "lamports": swap.lamports,
        "raw_amount": swap.raw, "venue": "pump", "owner": swap.trader, "txid": swap.signature,
    }  # fmt: skip


def dune(swap: Swap) -> Row:
    token = (swap.mint, swap.tokens, swap.raw)
    sol = (SOL, swap.sol, swap.lamports)
    (bought, bought_whole, bought_raw), (sold, sold_whole, sold_raw) = (token, sol) if swap.is_buy else (sol, token)
    return {
        "block_time": swap.iso.replace("T", " ") + ".000 UTC", "project": "pumpdotfun", "trader_id": swap.trader,
        "tx_id": swap.signature, "outer_instruction_index": 2, "inner_instruction_index": 1,
        "token_bought_mint_address": bought, "token_sold_mint_address": sold, "token_bought_amount": bought_whole,
        "token_sold_amount": sold_whole, "token_bought_amount_raw": bought_raw, "token_sold_amount_raw": sold_raw,
        "amount_usd": "12.5",
    }  # fmt: skip


def bitquery(swap: Swap) -> Row:
    token = {"Amount": swap.tokens, "Currency": {"MintAddress": swap.mint, "Symbol": "T"}, "PriceInUSD": 1e-5}
    sol = {"Amount": swap.sol, "Currency": {"MintAddress": "1" * 32, "Symbol": "SOL"}, "PriceInUSD": 200.0}
    bought, sold = (token, sol) if swap.is_buy else (sol, token)
    return {
        "Block": {"Time": swap.iso + "Z"}, "Transaction": {"Signature": swap.signature},
        "Trade": {
            "Buy": {**bought, "Account": {"Address": swap.trader}}, "Sell": {**sold, "Account": {"Address": "pool"}},
            "Dex": {"ProtocolName": "pump"},
        },
    }  # fmt: skip


def pumpportal(swap: Swap) -> Row:
    message = {
        "signature": swap.signature, "mint": swap.mint, "traderPublicKey": swap.trader, "txType": swap.side,
        "tokenAmount": float(swap.tokens), "solAmount": float(swap.sol), "pool": "pump",
    }  # fmt: skip
    return {"t_wall": float(swap.second), "raw": json.dumps(message)}


def geckoterminal(swap: Swap) -> Row:
    token, sol = (swap.mint, swap.tokens), (SOL, swap.sol)
    (to, to_amount), (of, of_amount) = (token, sol) if swap.is_buy else (sol, token)
    return {"id": swap.signature, "type": "trade", "attributes": {
        "block_timestamp": swap.iso + "Z", "tx_hash": swap.signature, "tx_from_address": swap.trader,
        "kind": swap.side, "from_token_amount": of_amount, "to_token_amount": to_amount, "from_token_address": of,
        "to_token_address": to, "volume_in_usd": "12.5",
    }}  # fmt: skip


def csv(rows: list[Row]) -> bytes:
    return pd.DataFrame(rows).to_csv(index=False).encode()


def json_lines(rows: list[Row]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def json_list(rows: list[Row]) -> bytes:
    return json.dumps(rows).encode()


def nested(*names: str) -> Callable[[list[Row]], bytes]:
    def write(rows: list[Row]) -> bytes:
        value: Any = rows
        for name in reversed(names):
            value = {name: value}
        return json.dumps(value).encode()

    return write


def parquet(rows: list[Row]) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(rows).to_parquet(file)
    return file.getvalue()


SHAPES: dict[str, tuple[Callable[[Swap], Row], Callable[[list[Row]], bytes]]] = {
    "plain, JSON by lines": (plain, json_lines),
    "plain, Parquet": (plain, parquet),
    "lamports, CSV": (lamports_and_ms, csv),
    "lamports, JSON": (lamports_and_ms, json_list),
    "lamports, Parquet": (lamports_and_ms, parquet),
    "dates, CSV": (words_and_dates, csv),
    "dates, JSON by lines": (words_and_dates, json_lines),
    "units in the names, CSV": (named_units, csv),
    "units in the names, Parquet": (named_units, parquet),
    "Dune, CSV": (dune, csv),
    "Dune, JSON": (dune, nested("result", "rows")),
    "Dune, Parquet": (dune, parquet),
    "Bitquery": (bitquery, nested("data", "Solana", "DEXTrades")),
    "PumpPortal": (pumpportal, json_lines),
    "GeckoTerminal": (geckoterminal, nested("data")),
}
