"""Units of amounts that the columns' names do not say: derived from the data only where they leave no doubt.

An amount is in SOL or lamports, and in whole or raw tokens. Amounts with fractions are not in the smallest unit. For
whole numbers the size of the trades and the price that each reading implies decide, if exactly one is plausible.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.errors import TapeError, printable
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.tapes.columns import strings
from memesnipe.tapes.sources.mapping import example

Floats = NDArray[np.float64]
_FEW: Final = 0.05  # share of fractions that damaged rows explain
# Median of the trades: at most 100,000 SOL; at least 10,000 lamports, twice the fee of a transaction.
_TRADE: Final = (1e5, 1e4)
# Median of the reserves: at most a million SOL; at least 0.01 SOL.
_RESERVE: Final = (1e6, 1e7)
_TOKENS: Final = (1e15, 1.0)
# SOL per whole token, of any token, and of those that pump.fun issued with a supply of one billion, which begin at
# 2.8e-8. A reading counts only if all others are outside of these wide ranges.
_PRICES: Final = (1e-12, 1.0)
_PUMP_PRICES: Final = (1e-10, 1e-2)
_SAME_PRICE: Final = 3.0  # the price of a trade and that of the pool after it differ by less
_NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"


@dataclass(frozen=True, slots=True)
class Amounts:
    """A column of amounts: the field, the name of the column, its unit or "", and the values, NaN for no number."""

    field: str
    column: str
    unit: str
    values: Floats


def amounts(field: str, column: str, unit: str, texts: Any) -> Amounts:
    """Return a column of strings as amounts; signs are ignored."""
    is_number = strings(texts, _NUMBER)
    readable = pc.if_else(pa.array(is_number), pc.replace_substring_regex(texts, r"^[+-]", ""), "0")
    values = pc.cast(readable, pa.float64()).to_numpy(zero_copy_only=False)
    return Amounts(field, column, unit, np.where(is_number & (values > 0) & np.isfinite(values), values, np.nan))


def infer_units(
    sol: Amounts, tokens: Amounts, reserves: tuple[Amounts, Amounts] | None, decimals: Floats, pump_share: float
) -> Mapping[str, str]:
    """Return the unit of each field.

    Args:
        sol: SOL of the trades.
        tokens: tokens of the trades.
        reserves: SOL and tokens of the pools, or None.
        decimals: decimals of the token, shape (n,) or (1,).
        pump_share: share of the rows whose token was issued on pump.fun.

    Raises:
        TapeError: more than one reading is plausible, or none.
    """
    pairs = list(product(_possible(sol, "sol", "lamports", _TRADE), _possible(tokens, "whole", "raw", _TOKENS)))
    price = {pair: _price(sol, tokens, pair, decimals) for pair in pairs}
    if len(pairs) != 1:
        low, high = _PUMP_PRICES if pump_share >= 0.5 else _PRICES
        pairs = [pair for pair in pairs if low <= price[pair] <= high]
    if len(pairs) != 1:
        raise _doubt((sol, tokens), {pair: _price(sol, tokens, pair, decimals) for pair in _readings(sol, tokens)})
    units = {sol.field: pairs[0][0], tokens.field: pairs[0][1]}
    return units if reserves is None else {**units, **_reserve_units(*reserves, price[pairs[0]], decimals)}


def _reserve_units(sol: Amounts, tokens: Amounts, trade_price: float, decimals: Floats) -> Mapping[str, str]:
    pairs = list(product(_possible(sol, "sol", "lamports", _RESERVE), _possible(tokens, "whole", "raw", _TOKENS)))
    price = {pair: _price(sol, tokens, pair, decimals) for pair in pairs}
    if len(pairs) != 1:
        pairs = [pair for pair in pairs if 1 / _SAME_PRICE < price[pair] / trade_price < _SAME_PRICE]
    if len(pairs) != 1:
        raise _doubt((sol, tokens), {pair: _price(sol, tokens, pair, decimals) for pair in _readings(sol, tokens)})
    return {sol.field: pairs[0][0], tokens.field: pairs[0][1]}


def _possible(column: Amounts, whole: str, smallest: str, limits: tuple[float, float]) -> list[str]:
    """Return the units that the values of one column allow."""
    if column.unit:
        return [column.unit]
    values = column.values[~np.isnan(column.values)]
    if not len(values):
        return [whole]  # every row is rejected
    most, least = limits
    middle = float(np.median(values))
    fractions = float(np.mean(values != np.rint(values)))
    return [whole] * (middle <= most) + [smallest] * (fractions < _FEW and middle >= least)


def _readings(sol: Amounts, tokens: Amounts) -> list[tuple[str, str]]:
    return list(
        product([sol.unit] if sol.unit else ["sol", "lamports"], [tokens.unit] if tokens.unit else ["whole", "raw"])
    )


def _price(sol: Amounts, tokens: Amounts, units: tuple[str, str], decimals: Floats) -> float:
    """Return the median price in SOL per whole token, NaN without any."""
    with np.errstate(all="ignore"):  # an infinite price is not plausible
        whole = tokens.values / (10.0**decimals if units[1] == "raw" else 1.0)
        prices = sol.values / (LAMPORTS_PER_SOL if units[0] == "lamports" else 1) / whole
    prices = prices[~np.isnan(prices)]
    return float(np.median(prices)) if len(prices) else float("nan")


def _doubt(columns: tuple[Amounts, Amounts], prices: Mapping[tuple[str, str], float]) -> TapeError:
    """Return the error of units that the data do not determine, with the price of each reading."""
    if all(np.isnan(price) for price in prices.values()):
        amounts = " and ".join(printable(column.column)[:40] for column in columns)
        return TapeError(f"has no row with numbers above 0 in {amounts}; write decimals with a point")
    names = " and ".join(printable(column.column)[:40] for column in columns if not column.unit)
    readings = "; ".join(f"{sol} and {tokens}: {price:.3g} SOL a token" for (sol, tokens), price in prices.items())
    options = " or ".join(
        example({c.field: f"{c.column}:{unit}" for c, unit in zip(columns, pair, strict=True)})
        for pair in list(prices)[:2]
    )
    return TapeError(f"does not say the unit of {names} ({readings}); choose, for example with {options}")
