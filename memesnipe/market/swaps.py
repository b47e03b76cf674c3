"""Swaps from CSV files: two layouts of columns, put into chain order, become a tape.

The plain layout has ``ts_ns,mint,side,sol_amount,token_amount`` and optionally ``v_sol,v_tok,venue,trader,slot,seq``
(SOL and whole tokens). The raw layout has the columns of a recorded pump.fun trade (lamports and raw tokens).
"""

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd

from memesnipe.errors import TapeError, first_line
from memesnipe.market.chain_order import chain_order
from memesnipe.market.codec import SIDE_CODES, VENUE_CODES
from memesnipe.market.events import (
    AMM,
    BUY_SIDE,
    LAMPORTS_PER_SOL,
    NS_PER_S,
    PRICE,
    PUMP_CURVE,
    PUMPSWAP,
    SELL_SIDE,
    empty,
)
from memesnipe.market.pools import BPS
from memesnipe.market.tape import Tape

RAW_PER_TOKEN = 1_000_000  # pump.fun tokens have 6 decimals
CURVE_START_SOL_LAMPORTS = 30 * LAMPORTS_PER_SOL
CURVE_START_TOKEN_RAW = 1_073_000_000 * RAW_PER_TOKEN
CURVE_UNSOLD_TOKEN_RAW = 279_900_000 * RAW_PER_TOKEN  # virtual tokens that are never for sale
PUMP_SUPPLY_RAW = 1_000_000_000 * RAW_PER_TOKEN
PUMP_FEES_BPS = (95, 30)  # of the curve: protocol, creator
AMM_LP_FEE_BPS = 25
_TOO_LARGE = 2**62  # sums of two such numbers still fit into 64 bits
_LARGEST_SLOT = 2**32 - 1

_PLAIN = ("ts_ns", "mint", "side", "sol_amount", "token_amount")
_RAW = (
    "block_time", "block_num", "token_address", "wallet_address", "is_buy", "amount_in_sol", "amount_in_token",
    "virtual_sol_reserves", "virtual_token_reserves", "real_sol_reserves", "real_token_reserves",
    "fee_basis_points", "creator_fee_basis_points",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """A tape, how many rows were put aside and why, and how many pools had to be assumed."""

    tape: Tape
    rejected: dict[str, int]
    assumed_pools: int


def import_swaps(path: Path, sol_usd: float) -> Imported:
    """Read a CSV(.gz) of swaps.

    Raises:
        TapeError: no such file, or neither layout fits its columns.
    """
    if not path.is_file():
        raise TapeError(f"no file at {path}")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise TapeError(f"{path} is not a CSV file: {first_line(error)}") from error
    if set(_RAW) <= set(frame.columns):
        swaps, assumed = _from_raw(frame), 0
    elif set(_PLAIN) <= set(frame.columns):
        swaps, assumed = _from_plain(frame)
    else:
        lacking = ", ".join(name for name in _PLAIN if name not in frame.columns)
        raise TapeError(f"{path} lacks the columns {lacking} (found: {', '.join(frame.columns[:8])}, ...)")
    reasons = _flaws(swaps)
    good = swaps[reasons == ""].reset_index(drop=True)
    if good.empty:
        flaw = reasons.iloc[0] if len(frame) else "it has no rows"
        raise TapeError(f"{path} holds no usable swap: {flaw}")
    rejected = {str(k): int(v) for k, v in reasons[reasons != ""].value_counts().items()}
    return Imported(_tape(good.iloc[chain_order(good)], sol_usd), rejected, assumed)


def _integers(column: pd.Series) -> pd.Series:
    """Exact integers of a text column; what is none, or too large, becomes -1, which `_flaws` refuses."""

    def exact(text: str) -> int:
        digits = text.strip()
        number = int(digits) if digits.isdecimal() and len(digits) < 20 else -1
        return number if number < _TOO_LARGE else -1

    return column.map(exact).astype("int64")


def _scaled(column: pd.Series, scale: int) -> pd.Series:
    numbers = (pd.to_numeric(column, errors="coerce") * scale).round()
    return numbers.where(numbers.between(0, _TOO_LARGE, inclusive="left"), -1).astype("int64")


def _from_raw(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts": _integers(frame["block_time"]).where(lambda s: s < _TOO_LARGE // NS_PER_S, -1) * NS_PER_S,
            "slot": _integers(frame["block_num"]),
            "mint": frame["token_address"],
            "trader": frame["wallet_address"],
            "side": frame["is_buy"].str.lower().map({"true": 1, "false": -1}).fillna(0).astype("int64"),
            "venue": PUMP_CURVE,
            "sol_lamports": _integers(frame["amount_in_sol"]),
            "token_raw": _integers(frame["amount_in_token"]),
            "pool_sol_lamports": _integers(frame["virtual_sol_reserves"]),
            "pool_token_raw": _integers(frame["virtual_token_reserves"]),
            "real_sol_lamports": _integers(frame["real_sol_reserves"]),
            "real_token_raw": _integers(frame["real_token_reserves"]),
            "supply_raw": PUMP_SUPPLY_RAW,
            "lp_fee_bps": 0,
            "protocol_fee_bps": _integers(frame["fee_basis_points"]),
            "creator_fee_bps": _integers(frame["creator_fee_basis_points"]),
        }
    )


def _from_plain(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    venue = frame["venue"].map(VENUE_CODES).fillna(0) if "venue" in frame else pd.Series(PUMP_CURVE, frame.index)
    swaps = pd.DataFrame(
        {
            "ts": _integers(frame["ts_ns"]),
            "slot": _integers(frame["slot"].replace("", "0")) if "slot" in frame else 0,
            "mint": frame["mint"],
            "trader": frame.get("trader", ""),
            "side": frame["side"].str.lower().map(SIDE_CODES).fillna(0).astype("int64"),
            "venue": venue.astype("int64"),
            "sol_lamports": _scaled(frame["sol_amount"], LAMPORTS_PER_SOL),
            "token_raw": _scaled(frame["token_amount"], RAW_PER_TOKEN),
        }
    )
    if "seq" in frame:
        swaps["row"] = _integers(frame["seq"])
    assumed = 0
    if "v_sol" in frame and "v_tok" in frame:
        swaps["pool_sol_lamports"] = _scaled(frame["v_sol"], LAMPORTS_PER_SOL)
        swaps["pool_token_raw"] = _scaled(frame["v_tok"], RAW_PER_TOKEN)
    else:
        assumed = swaps["mint"].nunique()
        _assume_pools(swaps)
    on_curve = swaps["venue"] == PUMP_CURVE
    virtual = on_curve if assumed == 0 else on_curve & False  # of an assumed pool, all can be taken out
    swaps["real_sol_lamports"] = swaps["pool_sol_lamports"] - virtual * CURVE_START_SOL_LAMPORTS
    swaps["real_token_raw"] = swaps["pool_token_raw"] - virtual * CURVE_UNSOLD_TOKEN_RAW
    _set_fees(swaps)
    return swaps, assumed


def _set_fees(swaps: pd.DataFrame) -> None:
    """Each venue's fees. Of PumpSwap, supply and creator are set and the fees follow the tier of the market cap."""
    venue = swaps["venue"]
    swaps["supply_raw"] = np.where(venue == PUMPSWAP, PUMP_SUPPLY_RAW, 0)
    swaps["lp_fee_bps"] = np.where(venue == AMM, AMM_LP_FEE_BPS, 0)
    swaps["protocol_fee_bps"] = np.where(venue == PUMP_CURVE, PUMP_FEES_BPS[0], 0)
    swaps["creator_fee_bps"] = np.where(venue == AMM, 0, PUMP_FEES_BPS[1])


def _assume_pools(swaps: pd.DataFrame) -> None:
    """Without reserves, a pool of a fresh curve's depth at each trade's own price."""
    product = float(CURVE_START_SOL_LAMPORTS) * float(CURVE_START_TOKEN_RAW)
    price = swaps["sol_lamports"].clip(lower=1) / swaps["token_raw"].clip(lower=1)
    swaps["pool_sol_lamports"] = np.sqrt(product * price).round().astype("int64")
    swaps["pool_token_raw"] = np.sqrt(product / price).round().astype("int64")


def _flaws(swaps: pd.DataFrame) -> pd.Series:
    """Why each row cannot be used; empty for a good one."""
    fees = swaps[["lp_fee_bps", "protocol_fee_bps", "creator_fee_bps"]]
    checks = {
        "no mint": swaps["mint"] == "",
        "side is neither buy nor sell": ~swaps["side"].isin((BUY_SIDE, SELL_SIDE)),
        "unknown venue": swaps["venue"] == 0,
        "time is not a positive integer": swaps["ts"] <= 0,
        "slot is not a number of 32 bits": ~swaps["slot"].between(0, _LARGEST_SLOT),
        "an amount is not a positive number": (swaps["sol_lamports"] < 0) | (swaps["token_raw"] <= 0),
        "a reserve is not a positive number": (swaps["pool_sol_lamports"] <= 0) | (swaps["pool_token_raw"] <= 0),
        "a fee is below 0, or all fees together are 10000 bps": (fees < 0).any(axis=1) | (fees.sum(axis=1) >= BPS),
    }
    reasons = pd.Series("", index=swaps.index)
    for reason, bad in reversed(checks.items()):
        reasons[bad] = reason
    return reasons


def _tape(swaps: pd.DataFrame, sol_usd: float) -> Tape:
    events = empty(len(swaps))
    index: dict[str, int] = {}
    for name in (
        "ts", "slot", "side", "venue", "sol_lamports", "token_raw", "pool_sol_lamports", "pool_token_raw",
        "real_sol_lamports", "real_token_raw", "supply_raw", "lp_fee_bps", "protocol_fee_bps", "creator_fee_bps",
    ):  # fmt: skip
        events[name] = swaps[name].to_numpy()
    events["kind"] = PRICE
    events["seq"] = np.arange(1, len(swaps) + 1)
    events["token"] = [index.setdefault(mint, len(index)) for mint in swaps["mint"]]
    events["trader"] = [wallet_hash(wallet) for wallet in swaps["trader"]]
    events["sol_usd"] = sol_usd
    usd_per_lamport = sol_usd / LAMPORTS_PER_SOL
    whole_tokens = events["pool_token_raw"] / RAW_PER_TOKEN
    events["price_usd"] = events["pool_sol_lamports"] * usd_per_lamport / whole_tokens
    events["volume_usd"] = events["sol_lamports"] * usd_per_lamport
    events["liquidity_usd"] = events["real_sol_lamports"] * usd_per_lamport
    return Tape(events, list(index))


def wallet_hash(wallet: str) -> int:
    """A wallet as a 32-bit number: enough to tell the wallets around a token apart."""
    if not wallet:
        return 0
    return int.from_bytes(blake2b(wallet.encode(), digest_size=4).digest(), "big")
