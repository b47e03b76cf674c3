"""A tape for notebooks: its events as a table, and its summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from memesnipe.errors import InputError
from memesnipe.market.events import KIND_NAMES, NO_TOKEN, PRICE
from memesnipe.notebook.arguments import check_type
from memesnipe.notebook.figures import axes_of, html_table, show_prices, show_times
from memesnipe.runtime.backtest_run import read_numbered_tape
from memesnipe.tapes.tape import Tape


@dataclass(frozen=True, slots=True)
class Market:
    """A recorded market.

    Attributes:
        path: of the tape.
        tape: events, mints and assumptions, as the engine reads them.
    """

    path: Path
    tape: Tape

    @property
    def summary(self) -> Mapping[str, Any]:
        """Counts of events and tokens, and the span of time."""
        return self.tape.summary()

    def trades(self, mint: str | None = None) -> pd.DataFrame:
        """Return the trades by their time in UTC: mint, side, price and volume in USD, and the price of SOL.

        Args:
            mint: of the only token to return; None for all.

        Raises:
            InputError: the tape has no such token.
        """
        events = self.tape.events
        chosen = events["kind"] == PRICE
        check_type("mint", mint, (str, NoneType), "the address of a token, as in `tokens`")
        if mint is not None:
            if mint not in self.tape.mints:
                raise InputError(f"mint {mint[:60]}: is not on {self.path}; its tokens are in `tokens`")
            chosen &= events["token"] == self.tape.mints.index(mint)
        trades = events[chosen]
        return pd.DataFrame(
            {
                "mint": np.array(self.tape.mints, dtype=object)[trades["token"]],
                "side": np.where(trades["side"] > 0, "buy", "sell"),
                "price_usd": trades["price_usd"],
                "volume_usd": trades["volume_usd"],
                "sol_usd": trades["sol_usd"],
            },
            index=pd.to_datetime(trades["ts"], utc=True).rename("time"),
        )

    @property
    def tokens(self) -> pd.DataFrame:
        """The tokens, indexed by mint: number of events, and the times of the first and the last one in UTC."""
        events = self.tape.events[self.tape.events["token"] != NO_TOKEN]
        grouped = pd.Series(events["ts"]).groupby(events["token"]).agg(["size", "first", "last"])
        mints = np.array(self.tape.mints, dtype=object)[grouped.index.to_numpy()]
        return pd.DataFrame(
            {
                "events": grouped["size"].to_numpy(),
                "first": pd.to_datetime(grouped["first"].to_numpy(), utc=True),
                "last": pd.to_datetime(grouped["last"].to_numpy(), utc=True),
            },
            index=pd.Index(mints, name="mint"),
        )

    @property
    def kinds(self) -> Mapping[str, int]:
        """The number of events of each kind."""
        kinds, counts = np.unique(self.tape.events["kind"], return_counts=True)
        return {KIND_NAMES[int(kind)]: int(count) for kind, count in zip(kinds, counts, strict=True)}

    def plot(self, mint: str, ax: Any = None) -> Any:
        """Plot the price of a token in USD; return matplotlib's axes."""
        ax = axes_of(ax)
        prices = self.trades(mint)["price_usd"]
        ax.step(prices.index, prices.to_numpy(), where="post", linewidth=1.0)
        ax.set(title=mint, ylabel="price (USD)")
        show_times(ax)
        show_prices(ax, float(prices.min()), float(prices.max()))
        return ax

    def __repr__(self) -> str:
        found = self.summary
        return f"<Market {self.path}: {found['events']:,} events of {found['tokens']:,} tokens>"

    def _repr_html_(self) -> str:
        return html_table(str(self.path), self.summary)


def read_tape(path: str | Path) -> Market:
    """Return the market on a tape.

    Raises:
        InputError: it has no events, or the argument is no path.
        TapeError: there is no such file, or it is not a valid tape.
    """
    check_type("path", path, (str, Path), "the path of a tape")
    return Market(Path(path), read_numbered_tape(Path(path)))
