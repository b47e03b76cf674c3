"""The two own layouts of columns, converted to one frame of integers; `memesnipe.tapes.sources` translates all others.

The plain layout has ``ts_ns,mint,side,sol_amount,token_amount`` and optionally
``v_sol,v_tok,venue,trader,slot,seq,decimals`` (SOL and whole tokens). The raw layout has the columns of a recorded
pump.fun trade (lamports and raw tokens).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.errors import TapeError
from memesnipe.market.events import AMM, BUY_SIDE, LAMPORTS_PER_SOL, PUMP_CURVE, PUMPSWAP, SELL_SIDE
from memesnipe.market.plausible import FEE_BPS_BELOW, MAX_LAMPORTS, MAX_RAW
from memesnipe.market.pump import (
    AMM_LP_FEE_BPS,
    CURVE_START_SOL_LAMPORTS,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_FEES_BPS,
    PUMP_SUPPLY_RAW,
    wallet_hash,
)
from memesnipe.market.record_rules import VENUE_CODES, is_mint
from memesnipe.tapes.columns import Reasons, integers, scaled, strings, with_decimal_points
from memesnipe.tapes.table import Table
from memesnipe.tapes.times import to_ns

PLAIN: Final = ("ts_ns", "mint", "side", "sol_amount", "token_amount")
RAW: Final = (
    "block_time", "block_num", "token_address", "wallet_address", "is_buy", "amount_in_sol", "amount_in_token",
    "virtual_sol_reserves", "virtual_token_reserves", "real_sol_reserves", "real_token_reserves",
    "fee_basis_points", "creator_fee_basis_points",
)  # fmt: skip
PUMP_DECIMALS: Final = 6
MAX_DECIMALS: Final = 12
_SHOWN: Final = {"block_time": "time block_time", "block_num": "slot block_num"}  # clearer names in messages
_MAX_SLOT: Final = 2**32 - 1
_MAX_INT: Final = 2**62


@dataclass(slots=True)
class Swaps:
    """Swaps as a frame of integers, one row each, with the assumptions made to read them.

    The frame's columns: ``ts, slot, mint`` (index in `mints`), ``trader, side, venue, sol_lamports, token_raw,
    decimals, supply_raw, lp_fee_bps, protocol_fee_bps, creator_fee_bps``, and if the file has them ``seq`` and the
    four reserves ``pool_sol_lamports, pool_token_raw, real_sol_lamports, real_token_raw``.
    """

    frame: pd.DataFrame
    mints: list[str]
    reasons: Reasons
    has_reserves: bool
    assumptions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """How the columns of the plain layout are written, if not as its own description says.

    Attributes:
        units: "lamports" or "raw" by column, for amounts in smallest units.
        shown: the names of the file's columns, for messages.
        time_unit: the only unit of the times, or "".
        time_label: the unit of the file's times, if they were converted.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    time_unit: str = ""
    time_label: str = ""

    def name(self, column: str) -> str:
        """Return the name of a column for messages."""
        return self.shown.get(column, column)


def rejected_rows(table: Table) -> Reasons:
    """Return the reasons of the rows that are no records of the table."""
    reasons = Reasons(np.zeros(len(table), dtype=np.int32))
    for reason, bad in table.bad.items():
        reasons.reject(bad, reason)
    for width in np.unique(table.widths[table.widths != table.header_width]):
        text = f"the row has {width} fields where the header has {table.header_width}"
        reasons.reject(table.widths == width, text)
    return reasons


def swaps_of_form(columns: dict[str, Any], form: Form, reasons: Reasons, decimals: int | None, now_ns: int) -> Swaps:
    """Return the swaps of columns with the names of the plain layout; arguments and errors as for `swaps_of`."""
    assumptions: dict[str, Any] = {}
    swaps = _read_plain(columns, reasons, decimals, assumptions, form)
    ts, name = swaps.frame["ts"].to_numpy(), form.name("ts_ns")
    swaps.frame["ts"], unit = to_ns(ts, name, reasons, now_ns, form.time_unit, form.time_label)
    assumptions["time_unit"] = form.time_label or unit
    return swaps


def swaps_of(table: Table, decimals: int | None, now_ns: int) -> Swaps:
    """Return the swaps of a table, with the reason for each unusable row.

    Args:
        table: a table with the columns of one of the layouts.
        decimals: decimals of every token if the table has no such column; None if unknown.
        now_ns: the clock.

    Raises:
        TapeError: times of several units, ambiguous commas, or decimals given twice.
    """
    reasons = rejected_rows(table)
    layout = _read_raw if set(RAW) <= set(table.columns) else _read_plain
    assumptions: dict[str, Any] = {}
    columns, with_commas = with_decimal_points(_numeric(table), table.delimiter, reasons)
    if with_commas:
        assumptions["decimal_mark"] = "comma"
    swaps = layout({**table.columns, **columns}, reasons, decimals, assumptions)
    swaps.frame["ts"], assumptions["time_unit"] = to_ns(
        swaps.frame["ts"].to_numpy(), "block_time" if layout is _read_raw else "ts_ns", reasons, now_ns
    )
    return swaps


def _numeric(table: Table) -> dict[str, Any]:
    names = {*PLAIN, *RAW, "v_sol", "v_tok", "slot", "seq", "decimals"}
    names -= {"mint", "side", "token_address", "wallet_address", "is_buy"}
    return {name: column for name, column in table.columns.items() if name in names}


def _read_raw(columns: dict[str, Any], reasons: Reasons, decimals: int | None, assumptions: dict[str, Any]) -> Swaps:
    mints, mint = _mints(columns["token_address"], reasons)
    numbers = {
        name: integers(columns[source], _SHOWN.get(source, source), reasons, maximum=maximum, minimum=minimum)
        for name, source, minimum, maximum in (
            ("ts", "block_time", 0, _MAX_INT),
            ("slot", "block_num", 0, _MAX_SLOT),
            ("sol_lamports", "amount_in_sol", 0, MAX_LAMPORTS),
            ("token_raw", "amount_in_token", 1, MAX_RAW),
            ("pool_sol_lamports", "virtual_sol_reserves", 1, MAX_LAMPORTS),
            ("pool_token_raw", "virtual_token_reserves", 1, MAX_RAW),
            ("real_sol_lamports", "real_sol_reserves", 0, MAX_LAMPORTS),
            ("real_token_raw", "real_token_reserves", 0, MAX_RAW),
            ("protocol_fee_bps", "fee_basis_points", 0, FEE_BPS_BELOW - 1),
            ("creator_fee_bps", "creator_fee_basis_points", 0, FEE_BPS_BELOW - 1),
        )
    }
    side = _coded(columns["is_buy"], {"true": BUY_SIDE, "false": SELL_SIDE})
    reasons.reject(side == 0, "side is_buy is neither true nor false")
    frame = pd.DataFrame(numbers).assign(mint=mint, side=side, venue=PUMP_CURVE, lp_fee_bps=0)
    frame["trader"] = _traders(columns["wallet_address"])
    frame["decimals"] = _decimals(columns, mint, reasons, decimals, assumptions)
    _reject_free_tokens(frame, "amount_in_sol", reasons)
    frame["supply_raw"] = _supply(frame)
    fees_bps = frame["protocol_fee_bps"] + frame["creator_fee_bps"]
    reasons.reject(fees_bps >= FEE_BPS_BELOW, f"the fees together are {FEE_BPS_BELOW} bps or more")
    return Swaps(frame, mints, reasons, has_reserves=True, assumptions=assumptions)


def _read_plain(
    columns: dict[str, Any],
    reasons: Reasons,
    decimals: int | None,
    assumptions: dict[str, Any],
    form: Form = Form(),
) -> Swaps:
    mints, mint = _mints(columns["mint"], reasons)
    side = _coded(columns["side"], {"buy": BUY_SIDE, "sell": SELL_SIDE})
    reasons.reject(side == 0, "side is neither buy nor sell")
    ts = integers(columns["ts_ns"], f"time {form.name('ts_ns')}", reasons, maximum=_MAX_INT)
    frame = pd.DataFrame({"ts": ts, "mint": mint})
    frame["side"], frame["venue"] = side, PUMP_CURVE
    if "venue" in columns and strings(columns["venue"], ".").any():
        reasons.reject(strings(columns["venue"], "^$"), "venue is empty")
        frame["venue"] = _coded(columns["venue"], {name: code for name, code in VENUE_CODES.items() if name})
        reasons.reject(frame["venue"] == 0, "unknown venue: it must be pump_curve, pumpswap or amm")
    else:
        assumptions["venue"] = "pump_curve"
    frame["slot"] = integers(columns["slot"], "slot", reasons, maximum=_MAX_SLOT, empty=0) if "slot" in columns else 0
    frame["trader"] = _traders(columns["trader"]) if "trader" in columns else 0
    if "seq" in columns:
        frame["seq"] = integers(columns["seq"], "seq", reasons, maximum=_MAX_INT)
    frame["decimals"] = _decimals(columns, mint, reasons, decimals, assumptions)
    per_token = 10.0 ** frame["decimals"].to_numpy()
    scales = {"sol": (LAMPORTS_PER_SOL, MAX_LAMPORTS), "tok": (per_token, MAX_RAW)}

    def units(column: str, kind: str, noun: str = "") -> NDArray[np.int64]:
        scale, maximum = scales[kind]
        if column in form.units:
            return integers(columns[column], noun + form.name(column), reasons, maximum=maximum)
        return scaled(columns[column], noun + form.name(column), reasons, scale=scale, maximum=maximum)

    frame["sol_lamports"] = units("sol_amount", "sol")
    frame["token_raw"] = units("token_amount", "tok")
    reasons.reject(frame["token_raw"] == 0, f"{form.name('token_amount')} is 0, or less than the smallest unit")
    _reject_free_tokens(frame, form.name("sol_amount"), reasons)
    frame["supply_raw"] = np.where(frame["venue"] == PUMPSWAP, _supply(frame), 0)
    frame["lp_fee_bps"] = np.where(frame["venue"] == AMM, AMM_LP_FEE_BPS, 0)
    frame["protocol_fee_bps"] = np.where(frame["venue"] == PUMP_CURVE, PUMP_FEES_BPS[0], 0)
    frame["creator_fee_bps"] = np.where(frame["venue"] == AMM, 0, PUMP_FEES_BPS[1])
    has_reserves = _has_reserves(columns)
    if has_reserves:
        frame["pool_sol_lamports"] = units("v_sol", "sol", "reserve ")
        frame["pool_token_raw"] = units("v_tok", "tok", "reserve ")
        _complete_reserves(frame, per_token, form, reasons)
    return Swaps(frame, mints, reasons, has_reserves, assumptions)


def _reject_free_tokens(frame: pd.DataFrame, name: str, reasons: Reasons) -> None:
    """Reject trades of a whole token or more for 0 SOL; less may be worth less than a lamport, and is dust."""
    is_whole = frame["token_raw"].to_numpy() >= 10.0 ** frame["decimals"].to_numpy()
    reasons.reject((frame["sol_lamports"] == 0) & is_whole, f"{name} is 0 for a whole token or more")


def _has_reserves(columns: dict[str, Any]) -> bool:
    given = [name for name in ("v_sol", "v_tok") if name in columns]
    if len(given) == 1:
        raise TapeError(f"has only {given[0]}: a pool's reserves are v_sol and v_tok; add the other or remove it")
    return bool(given)


def _complete_reserves(frame: pd.DataFrame, per_token: Any, form: Form, reasons: Reasons) -> None:
    """Set the real reserves from the pricing ones; on a curve these have a virtual part."""
    for name, column in (("pool_sol_lamports", "v_sol"), ("pool_token_raw", "v_tok")):
        reasons.reject(frame[name] == 0, f"reserve {form.name(column)} is 0, or less than the smallest unit")
    on_curve = (frame["venue"] == PUMP_CURVE).astype("int64")
    unsold_raw = (CURVE_UNSOLD_TOKEN_RAW // 10**PUMP_DECIMALS) * per_token.astype("int64")
    frame["real_sol_lamports"] = frame["pool_sol_lamports"] - on_curve * CURVE_START_SOL_LAMPORTS
    frame["real_token_raw"] = frame["pool_token_raw"] - on_curve * unsold_raw


def _supply(frame: pd.DataFrame) -> NDArray[np.int64]:
    whole = PUMP_SUPPLY_RAW // 10**PUMP_DECIMALS
    return np.minimum(whole * 10.0 ** frame["decimals"].to_numpy(), MAX_RAW).astype(np.int64)


def _encoded(column: Any) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct strings of a column, and the index of each row's string."""
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _coded(column: Any, codes: dict[str, int]) -> NDArray[np.int64]:
    """Return a column of words as their codes; 0 for any other word."""
    words, index = _encoded(column)
    return np.array([codes.get(word.lower(), 0) for word in words] or [0], dtype=np.int64)[index]


def _mints(column: Any, reasons: Reasons) -> tuple[list[str], NDArray[np.int64]]:
    mints, index = _encoded(column)
    if mints:
        is_good = np.array([is_mint(mint) for mint in mints])
        is_empty = np.array([not mint for mint in mints])
        reasons.reject(is_empty[index], "no mint")
        reasons.reject(~is_good[index], "mint is not an address: 1 to 64 visible ASCII characters")
    return mints, index


def _traders(column: Any) -> NDArray[np.int64]:
    wallets, index = _encoded(column)
    return np.array([wallet_hash(wallet) for wallet in wallets] or [0], dtype=np.int64)[index]


def _decimals(
    columns: dict[str, Any], mint: NDArray[np.int64], reasons: Reasons, given: int | None, assumptions: dict[str, Any]
) -> NDArray[np.int64]:
    """Return the decimals of each row's token, shape (n,): from the column, the option or the default."""
    count = len(mint)
    if "decimals" not in columns:
        assumptions["decimals"] = {"value": PUMP_DECIMALS if given is None else given, "assumed": given is None}
        return np.full(count, PUMP_DECIMALS if given is None else given, dtype=np.int64)
    if given is not None:
        raise TapeError("the file has a column decimals: omit --decimals")
    decimals = integers(columns["decimals"], "decimals", reasons, maximum=MAX_DECIMALS)
    good = reasons.is_good
    if good.any():
        size = int(mint.max()) + 1
        minimum, maximum = np.full(size, MAX_DECIMALS), np.zeros(size, dtype=np.int64)
        np.minimum.at(minimum, mint[good], decimals[good])
        np.maximum.at(maximum, mint[good], decimals[good])
        reasons.reject((minimum < maximum)[mint], "decimals differ from another row of the same token")
    return decimals
