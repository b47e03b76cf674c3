"""A batch: consecutive events with their deliveries and points, and room for the votes of the genes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.genes import Genes
from memesnipe.engine.points import points_of
from memesnipe.engine.trader import Batch
from memesnipe.market.events import Events
from memesnipe.market.state import MARKET
from memesnipe.market.token_slots import DELIVERY


@dataclass(slots=True)
class Room:
    """Arrays that every batch is laid out in: to make and to zero them takes longer than a batch of a few events."""

    _deliveries: NDArray[Any] = field(default_factory=lambda: np.zeros(0, DELIVERY))
    _after: NDArray[Any] = field(default_factory=lambda: np.zeros(0, MARKET))

    def take(self, events: int, deliveries: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return room for deliveries and for markets after events; it has the contents of the batch before."""
        if len(self._deliveries) < deliveries:
            self._deliveries = np.zeros(deliveries, DELIVERY)
        if len(self._after) < events:
            self._after = np.zeros(events, MARKET)
        return self._deliveries[:deliveries], self._after[:events]


def batch_of(
    events: Events, first: int, count: int, number: int, last_seq: int, deliveries: Any, delivery_count: int,
    after: Any, genes: Genes, slots: int,
) -> Batch:  # fmt: skip
    """Return a batch without votes.

    ``genes`` will vote, ``slots`` are the token slots, ``last_seq`` is the seq before ``events``, the others are as in
    `Batch`.
    """
    points = points_of(deliveries, delivery_count, genes.masks, slots)
    planes = np.empty((len(genes), 2, points.fresh.shape[1]), np.int64)
    numbers = np.empty((len(genes), int(points.stale_counts.max(initial=0))), np.int64)
    # Copies even of a single event: a view that is read only has another type, for which the kernel would compile.
    ts = events["ts"][first : first + count].copy()
    seq = np.empty(count + 1, np.int64)
    seq[0] = events["seq"][first - 1] if first else last_seq
    seq[1:] = events["seq"][first : first + count]
    born_ts, liquidity = (after[name][:count].copy() for name in ("born_ts", "liquidity_usd"))
    return Batch(
        events, ts, seq, born_ts, liquidity, first, count, number, deliveries, delivery_count, after,
        points, genes.records[: len(genes)], planes, numbers,
    )  # fmt: skip
