"""The input of every tool: trades by token, the parameter sets, and the whole market for the engine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEE_PER_SIDE = 0.0125
CASH_USD = 10_000.0
PARAMS = ("lookback_s", "breakout", "vol_mult")

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tape:
    """Trades sorted by token and then by time; those of token i are rows starts[i] to starts[i + 1]."""

    ts: Array  # ns
    price: Array
    volume: Array
    side: Array  # 1 for a buy, -1 for a sell
    starts: Array
    params: Array  # one row per parameter set, in the order of PARAMS; the first has the strategy's defaults
    market: Array  # every event as raw bytes, for the engine; the peers do not use it

    @property
    def trades(self) -> int:
        """Return the number of trades."""
        return len(self.ts)

    def tokens(self) -> Iterator[slice]:
        """Return the rows of each token."""
        return (slice(int(a), int(b)) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True))

    def save(self, path: Path) -> None:
        """Write the tape to a file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})


def load(path: Path) -> Tape:
    """Return the tape in a file."""
    with np.load(path) as stored:
        return Tape(**{field.name: stored[field.name] for field in fields(Tape)})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A tool with its data loaded; its code is compiled by the first run."""

    version: str
    count_buys: Callable[[], int]  # buy signals of the first parameter set over the whole tape
    run: Callable[[], int]  # every parameter set over the whole tape; returns the number of orders or trades
