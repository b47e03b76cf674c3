"""The price of SOL in USD: a constant, or a series joined by time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.errors import InputError, TapeError
from memesnipe.market.events import NS_PER_S
from memesnipe.market.plausible import SOL_USD
from memesnipe.tapes.columns import Reasons, integers, scaled, with_decimal_points
from memesnipe.tapes.files import read_text
from memesnipe.tapes.table import read_table
from memesnipe.tapes.times import to_ns

LAYOUT: Final = ("ts", "price")
MAX_AGE_NS: Final = 86_400 * NS_PER_S  # an older price is not used
NO_PRICE: Final = "no price of SOL in the day before it"
_MAX_INT: Final = 2**62
_MICRO: Final = 1_000_000  # prices have six decimals


@dataclass(frozen=True, slots=True)
class SolPrice:
    """Prices of SOL, each valid from its time on; a single one without a time is constant."""

    ts: NDArray[np.int64]  # shape (n,), ascending; empty for a constant price
    usd: NDArray[np.float64]  # shape (n,) or (1,)
    assumption: Mapping[str, Any]

    def at(self, ts: NDArray[np.int64], reasons: Reasons) -> NDArray[np.float64]:
        """Return the last price at each time, shape (n,); rows without one are rejected and read as the first price."""
        if not len(self.ts):
            return np.full(len(ts), self.usd[0])
        index = np.searchsorted(self.ts, ts, side="right") - 1
        known = (index >= 0) & (ts - self.ts[np.maximum(index, 0)] <= MAX_AGE_NS)
        reasons.reject(~known, NO_PRICE)
        return np.asarray(self.usd[np.where(known, index, 0)])


def sol_price_of(text: str | None, default_usd: float, now_ns: int) -> SolPrice:
    """Parse ``--sol-usd``: a number, or the path of a CSV file with the columns ts and price.

    Raises:
        InputError: it is neither, a price is outside its range, or the file is not a price series.
    """
    if text is None:
        return _constant(default_usd, "default")
    try:
        usd = float(text)
    except ValueError:
        return _series(Path(text), now_ns)
    minimum, maximum = SOL_USD
    if not (math.isfinite(usd) and minimum <= usd <= maximum):
        raise InputError(f"--sol-usd {text}: must be from {minimum:g} to {maximum:g} USD, or a file with ts,price")
    return _constant(usd, "option")


def _constant(usd: float, source: str) -> SolPrice:
    return SolPrice(np.empty(0, np.int64), np.array([usd]), {"value": usd, "source": source})


def _series(path: Path, now_ns: int) -> SolPrice:
    if not path.exists():
        raise InputError(f"--sol-usd {path}: is neither a number nor a file")
    try:
        return _read_series(path, now_ns)
    except TapeError as error:
        raise TapeError(f"--sol-usd: {error}") from None


def _read_series(path: Path, now_ns: int) -> SolPrice:
    table = read_table(path, read_text(path), (LAYOUT,))
    reasons = Reasons(np.zeros(len(table), dtype=np.int32))
    reasons.reject(table.widths != table.header_width, "a row does not have as many fields as the header")
    columns, _ = with_decimal_points({name: table.columns[name] for name in LAYOUT}, table.delimiter, reasons)
    stamps = integers(columns["ts"], "ts", reasons, maximum=_MAX_INT)
    usd = scaled(columns["price"], "price", reasons, scale=_MICRO, maximum=2**53) / _MICRO
    minimum, maximum = SOL_USD
    reasons.reject((usd < minimum) | (usd > maximum), f"price is not from {minimum:g} to {maximum:g} USD")
    ts, _ = to_ns(stamps, f"{path}: ts", reasons, now_ns)
    bad = np.flatnonzero(~reasons.is_good)
    if len(bad) or not len(ts):
        error = f"row {bad[0] + 1}: {reasons.texts[reasons.codes[bad[0]]]}" if len(bad) else "it has no prices"
        raise TapeError(f"{path}: {error}")
    order = np.argsort(ts, kind="stable")
    ts, usd = ts[order], usd[order]
    if np.any((np.diff(ts) == 0) & (np.diff(usd) != 0)):
        raise TapeError(f"{path}: has two prices for one time")
    source = {"source": path.name, "prices": len(ts), "from_ts": int(ts[0]), "to_ts": int(ts[-1])}
    return SolPrice(ts, usd, source)
