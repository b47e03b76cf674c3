"""Trades as two sides, what the trader bought and sold, as purchases and sales of a token for SOL."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.tapes.columns import Reasons, strings
from memesnipe.tapes.layouts import MAX_DECIMALS

# Wrapped SOL, and the two addresses that stand for SOL itself.
SOL_MINTS: Final = (
    "So11111111111111111111111111111111111111112", "11111111111111111111111111111111",
    "So11111111111111111111111111111111111111111",
)  # fmt: skip
SOL_NAMES: Final = (*SOL_MINTS, "SOL", "WSOL", "sol", "wsol")
OTHER_QUOTES: Final = {
    "USDC": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    "USDT": "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB",
}


def is_one_of(column: Any, values: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return whether each string is one of the values, shape (n,)."""
    return np.asarray(pc.is_in(column, pa.array(values, pa.string())).to_numpy(zero_copy_only=False))


def reject_other_quotes(quote: Any, name: str, reasons: Reasons) -> None:
    """Reject the rows whose amounts are not in SOL."""
    for symbol, mint in OTHER_QUOTES.items():
        reasons.reject(is_one_of(quote, (mint, symbol, symbol.lower())), f"{name} is {symbol}, not SOL")
    reasons.reject(~is_one_of(quote, SOL_NAMES), f"{name} is not SOL")


def one_sided(columns: dict[str, Any], reasons: Reasons) -> dict[str, Any]:
    """Return mint, side and amounts of trades with two sides.

    Args:
        columns: ``bought_mint, sold_mint, bought_amount, sold_amount``, and if known the decimals and whole amounts.
        reasons: updated with the rows in which not exactly one side is SOL.
    """
    bought_sol, sold_sol = (is_one_of(columns[f"{side}_mint"], SOL_MINTS) for side in ("bought", "sold"))
    reasons.reject(bought_sol & sold_sol, "both sides of the trade are SOL")
    neither = ~bought_sol & ~sold_sol
    for symbol, mint in OTHER_QUOTES.items():
        has = is_one_of(columns["bought_mint"], (mint,)) | is_one_of(columns["sold_mint"], (mint,))
        reasons.reject(neither & has, f"the quote of the trade is {symbol}, not SOL")
    reasons.reject(neither, "neither side of the trade is SOL")
    is_buy = pa.array(sold_sol)
    result = {
        "mint": pc.if_else(is_buy, columns["bought_mint"], columns["sold_mint"]),
        "side": pc.if_else(is_buy, "buy", "sell"),
        "sol_amount": pc.if_else(is_buy, columns["sold_amount"], columns["bought_amount"]),
        "token_amount": pc.if_else(is_buy, columns["bought_amount"], columns["sold_amount"]),
    }
    for name in ("decimals", "whole"):
        if f"bought_{name}" in columns and f"sold_{name}" in columns:
            result[name] = pc.if_else(is_buy, columns[f"bought_{name}"], columns[f"sold_{name}"])
    return result


def decimals_of(raw: NDArray[np.float64], whole: NDArray[np.float64], mint: Any) -> NDArray[np.float64]:
    """Return the decimals of each row's token from its raw and whole amounts, shape (n,); NaN if unknown.

    Args:
        raw: raw tokens, NaN if unknown.
        whole: whole tokens, NaN if unknown.
        mint: addresses.
    """
    with np.errstate(all="ignore"):  # an exponent that is not finite is none
        exponent = np.rint(np.log10(raw / whole))
    exponent[~((exponent >= 0) & (exponent <= MAX_DECIMALS))] = np.nan
    return pd.Series(exponent).groupby(mint.to_pandas()).transform("median").round().to_numpy(dtype=np.float64)


def has_text(column: Any) -> NDArray[np.bool_]:
    """Return whether each string is not empty, shape (n,)."""
    return ~strings(column, "^$")
