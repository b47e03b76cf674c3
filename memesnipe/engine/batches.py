"""A batch: consecutive events with their deliveries and points, and room for the votes of the genes."""

from typing import Any

import numpy as np

from memesnipe.engine.genes import Genes
from memesnipe.engine.points import points_of
from memesnipe.engine.trader import Batch
from memesnipe.market.events import Events


def batch_of(
    events: Events, first: int, count: int, number: int, last_seq: int, deliveries: Any, delivery_count: int,
    after: Any, genes: Genes, slots: int,
) -> Batch:  # fmt: skip
    """Return a batch without votes; ``genes`` will vote, ``slots`` are the token slots, the others as in `Batch`."""
    points = points_of(deliveries, delivery_count, genes.masks, slots)
    planes = np.empty((len(genes), 2, points.fresh.shape[1]), np.int64)
    numbers = np.empty((len(genes), int(points.stale_counts.max(initial=0))), np.int64)
    # Copies even of a single event: a view that is read only has another type, for which the kernel would compile.
    ts = events["ts"][first : first + count].copy()
    born_ts, liquidity = (after[name][:count].copy() for name in ("born_ts", "liquidity_usd"))
    return Batch(
        events, ts, born_ts, liquidity, first, count, number, last_seq, deliveries, delivery_count, after,
        points, genes.records[: len(genes)], planes, numbers,
    )  # fmt: skip
