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
from numpy.typing import NDArray

from memesnipe.errors import TapeError
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.market.plausible import MAX_LAMPORTS, MAX_RAW
from memesnipe.tapes.columns import Reasons, integers
from memesnipe.tapes.sol_price import SolPrice
from memesnipe.tapes.sources.units import amounts
from memesnipe.tapes.times import to_ns

Floats = NDArray[np.float64]
PRICES: Final = ("open", "high", "low", "close")
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
    sol_usd = sol.at(ts, reasons)
    values = {name: amounts(name, name, units[name], columns[name]).values for name in (*PRICES, "volume")}
    for name, value in values.items():
        reasons.reject(np.isnan(value), f"{name} is not a positive number")
    with np.errstate(all="ignore"):  # numbers out of range are rejected later
        return _made(columns, values, units, reasons, decimals, sol_usd, ts, unit)


def _made(
    columns: Mapping[str, Any],
    values: Mapping[str, Floats],
    units: Mapping[str, str],
    reasons: Reasons,
    decimals: Floats,
    sol_usd: Floats,
    ts: NDArray[np.int64],
    unit: str,
) -> Trades:
    price = np.stack([values[name] / (sol_usd if units[name] == "usd" else 1.0) for name in PRICES], axis=1)
    opened, high, low, closed = price.T
    outside = (high < np.maximum(opened, closed)) | (low > np.minimum(opened, closed))
    reasons.reject(outside, "high and low do not include open and close")
    volume_sol = values["volume"] * {"usd": 1 / sol_usd, "sol": 1.0, "whole": price.mean(axis=1)}[units["volume"]]
    good = np.flatnonzero(reasons.is_good)
    path = np.where((closed >= opened)[:, None], price[:, [0, 2, 1, 3]], price[:, [0, 1, 2, 3]])[good]
    kept = np.ones(path.shape, dtype=bool)
    kept[:, 1:] = path[:, 1:] != path[:, :-1]
    row, part = np.nonzero(kept)
    lamports = np.rint(volume_sol[good] * LAMPORTS_PER_SOL / kept.sum(axis=1))[row]
    raw = np.rint(lamports / LAMPORTS_PER_SOL / path[row, part] * 10.0 ** decimals[good][row])
    before = np.where(part > 0, path[row, part - 1], closed[good][row] * (2.0 * (closed < opened)[good][row]))
    candle = good[row]
    interval = _interval(columns["mint"], ts)
    made = {
        "ts_ns": ts[candle] + part * (interval // _PARTS),
        "sol_amount": np.minimum(np.nan_to_num(lamports), 10.0 * MAX_LAMPORTS).astype(np.int64),
        "token_amount": np.minimum(np.nan_to_num(raw), 1.5 * MAX_RAW).astype(np.int64),
        "seq": part,
    }
    texts = {name: pa.array(values).cast(pa.string()) for name, values in made.items()}
    texts["mint"] = columns["mint"].take(pa.array(candle))
    texts["side"] = pa.array(np.where(path[row, part] >= before, "buy", "sell").tolist(), pa.string())
    assumption = {"candles": len(good), "trades": len(row), "interval_s": interval / 1e9}
    return Trades(texts, candle, part, unit, assumption)


def _interval(mints: Any, ts: NDArray[np.int64]) -> int:
    """Return the shortest time between two candles of a token in ns, 0 for single candles."""
    frame = pd.DataFrame({"mint": mints.to_pandas(), "ts": ts}).sort_values(["mint", "ts"])
    steps = frame.groupby("mint")["ts"].diff()
    steps = steps[steps > 0]
    return int(steps.min()) if len(steps) else 0
