"""Candles as trades: an assumption, because a candle has neither the trades nor their order.

A candle becomes at most four trades: at its open, its low and its high (in this order if it rose, else the high first)
and its close. They divide its volume equally, follow each other by a quarter of the candles' interval, and buy if the
price rises to them. The pools of such trades are always assumed, so nothing on them is promotable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.errors import TapeError
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S
from memesnipe.market.plausible import MAX_LAMPORTS, MAX_RAW
from memesnipe.tapes.columns import Reasons, integers, strings
from memesnipe.tapes.sol_price import SolPrice
from memesnipe.tapes.sources.layout import PRICES
from memesnipe.tapes.sources.units import amounts
from memesnipe.tapes.times import to_ns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOT_ASKED: Final = (
    "has candles, not swaps: with --candles each becomes up to four trades, whose order, size and pool are assumed"
)
_MAX_INT: Final = 2**62
_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades made of candles: columns of the plain layout in smallest units, and the candle of each, shape (n,)."""

    columns: dict[str, Any]
    candle: NDArray[np.int64]
    part: NDArray[np.int64]
    time_unit: str
    assumption: Mapping[str, Any]


def trades_of(
    columns: Mapping[str, Any],
    units: Mapping[str, str],
    reasons: Reasons,
    decimals: Floats,
    sol: SolPrice,
    now_ns: int,
    time_unit: str,
) -> Trades:
    """Return the trades of candles.

    Args:
        columns: strings: ``ts, mint, open, high, low, close, volume``; whole numbers as times.
        units: the unit of each price and of the volume.
        reasons: updated with the unusable candles.
        decimals: decimals of each row's token, shape (n,).
        sol: the price of SOL, for prices and volumes in USD.
        now_ns: the clock.
        time_unit: the only unit of the times, or "".

    Raises:
        TapeError: a unit is unknown, or the times have several units.
    """
    unknown = [name for name in (*PRICES, "volume") if not units.get(name)]
    if unknown:
        raise TapeError(
            f"has candles, but does not say the unit of {', '.join(unknown)}; choose, for example with "
            f"--map 'close=close:usd,volume=volume:usd' (prices: usd or sol; volume: usd, sol or whole tokens)"
        )
    stamps = integers(columns["ts"], "time ts", reasons, maximum=_MAX_INT)
    ts, unit = to_ns(stamps, "ts", reasons, now_ns, time_unit)
    with np.errstate(all="ignore"):  # numbers out of range are rejected later
        price, volume = _numbers(columns, units, sol.at(ts, reasons), reasons)
        good = np.flatnonzero(reasons.is_good)
        interval = _interval(columns["mint"].take(pa.array(good)), ts[good])
        row, part, numbers, is_buy = _parts(price[good], volume[good], decimals[good])
    numbers["ts_ns"] = ts[good][row] + part * (interval // _PARTS)
    texts = {name: pa.array(values).cast(pa.string()) for name, values in numbers.items()}
    texts["mint"] = columns["mint"].take(pa.array(good[row]))
    texts["side"] = pc.if_else(pa.array(is_buy), "buy", "sell")
    assumption = {"candles": len(good), "trades": len(row), "interval_s": interval / NS_PER_S}
    return Trades(texts, good[row], part, unit, assumption)


def _numbers(
    columns: Mapping[str, Any], units: Mapping[str, str], sol_usd: Floats, reasons: Reasons
) -> tuple[Floats, Floats]:
    """Return open, low, high and close in SOL, shape (n, 4), and the volume in SOL, shape (n,)."""
    values = {name: amounts(name, name, units[name], columns[name]).values for name in (*PRICES, "volume")}
    for name, value in values.items():
        reasons.reject(np.isnan(value) | strings(columns[name], "^-"), f"{name} is not a positive number")
    price = np.stack([values[name] / (sol_usd if units[name] == "usd" else 1.0) for name in PRICES], axis=1)
    inner = price[:, [0, 3]]
    outside = (price[:, 2] < inner.max(axis=1)) | (price[:, 1] > inner.min(axis=1))
    reasons.reject(outside, "high and low do not include open and close")
    sol_per_unit = {"usd": 1 / sol_usd, "sol": 1.0, "whole": price.mean(axis=1)}[units["volume"]]
    return price, values["volume"] * sol_per_unit


def _parts(
    price: Floats, volume_sol: Floats, decimals: Floats
) -> tuple[Ints, Ints, dict[str, Ints], NDArray[np.bool_]]:
    """Return the trades of usable candles: candle, part of the candle, numbers and whether it is a purchase."""
    has_risen = price[:, 3] >= price[:, 0]
    path = np.where(has_risen[:, None], price, price[:, [0, 2, 1, 3]])
    kept = np.ones(path.shape, dtype=bool)
    kept[:, 1:] = path[:, 1:] != path[:, :-1]
    row, part = np.nonzero(kept)
    at = path[row, part]
    lamports = np.rint(volume_sol * LAMPORTS_PER_SOL / kept.sum(axis=1))[row]
    raw = np.rint(lamports / LAMPORTS_PER_SOL / at * 10.0 ** decimals[row])
    is_buy = np.where(part > 0, at >= path[row, part - 1], has_risen[row])
    numbers = {
        "sol_amount": np.minimum(np.nan_to_num(lamports), 10.0 * MAX_LAMPORTS).astype(np.int64),
        "token_amount": np.minimum(np.nan_to_num(raw), 1.5 * MAX_RAW).astype(np.int64),
        "seq": part,
    }
    return row, part, numbers, is_buy


def _interval(mints: Any, ts: NDArray[np.int64]) -> int:
    """Return the shortest time between two candles of a token in ns, 0 for single candles."""
    frame = pd.DataFrame({"mint": mints.to_pandas(), "ts": ts}).sort_values(["mint", "ts"])
    steps = frame.groupby("mint")["ts"].diff()
    steps = steps[steps > 0]
    return int(steps.min()) if len(steps) else 0
