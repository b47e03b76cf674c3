"""The tape that every tool reads: trades by token, the parameter sets, and the whole market for the engine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEE_A_SIDE = 0.0125
CASH_USD = 10_000.0
PARAMS = ("lookback_s", "breakout", "vol_mult")

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tape:
    """Trades sorted by token and then by time; those of token i are rows starts[i] to starts[i + 1]."""

    ts: Array  # ns
    price: Array
    volume: Array
    side: Array  # 1 where the trader bought, -1 where he sold
    starts: Array
    params: Array  # one row a parameter set, in the order of PARAMS; the first has the strategy's defaults
    market: Array  # every event as raw bytes, for the engine; the peers leave it alone

    @property
    def trades(self) -> int:
        """How many trades there are."""
        return len(self.ts)

    def tokens(self) -> Iterator[slice]:
        """The rows of each token."""
        return (slice(int(a), int(b)) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True))

    def save(self, path: Path) -> None:
        """Write the tape to a file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})


def load(path: Path) -> Tape:
    """The tape of a file."""
    with np.load(path) as stored:
        return Tape(**{field.name: stored[field.name] for field in fields(Tape)})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A tool that is ready: its data is loaded, its code is compiled by the first run."""

    version: str
    count_buys: Callable[[], int]  # buy signals of the first parameter set over the whole tape
    run: Callable[[], int]  # every parameter set over the whole tape; how many orders or trades came of it
