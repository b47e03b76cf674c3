"""The first trades of an import in words, so that a wrong unit or column is seen at once."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL
from memesnipe.market.times import utc_text

SHOWN: Final = 3


def preview(swaps: pd.DataFrame, mints: list[str], sol_usd: NDArray[Any]) -> list[str]:
    """Return one line per swap: time, side, amounts, the price that they imply, and the token.

    Args:
        swaps: the first swaps of a tape.
        mints: the addresses of the frame's tokens.
        sol_usd: the price of SOL of the swaps.
    """
    lines = []
    for swap, usd in zip(swaps.to_dict("records"), sol_usd, strict=False):
        sol = swap["sol_lamports"] / LAMPORTS_PER_SOL
        tokens = swap["token_raw"] / 10.0 ** swap["decimals"]
        price = sol / tokens if tokens else np.nan
        side = "buy " if swap["side"] == BUY_SIDE else "sell"
        lines.append(
            f"{utc_text(swap['ts'])}  {side}  {sol:,.9g} SOL for {tokens:,.9g} tokens, "
            f"{price:.4g} SOL or {price * usd:.4g} USD each  {mints[swap['mint']]}"
        )
    return lines
