"""Chain order: recorded trades of one slot put back into the order in which the chain ran them."""

from collections import defaultdict

import pandas as pd


def chain_order(swaps: pd.DataFrame) -> list[int]:
    """Row positions of ``swaps`` in chain order.

    Rows are ordered by time, then by slot, then by ``row`` where the source numbers them. Else a token's trades of
    one time and slot are chained: next comes the one whose pool before it is the pool that the
    previous one left. Where no trade continues the chain (one was not recorded), the given order decides.
    """
    if "row" in swaps:
        return [int(i) for i in swaps.sort_values(["ts", "slot", "row"], kind="stable").index]
    after = swaps["pool_sol_lamports"].tolist()
    before = (swaps["pool_sol_lamports"] - swaps["side"] * swaps["sol_lamports"]).tolist()
    groups: dict[tuple[int, int], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    moments = zip(swaps["ts"].tolist(), swaps["slot"].tolist(), swaps["mint"], strict=True)
    for position, (ts, slot, mint) in enumerate(moments):
        groups[ts, slot][mint].append(position)
    pool: dict[str, int] = {}  # the SOL reserve that each token's last trade left
    ordered: list[int] = []
    for moment in sorted(groups):
        for mint, positions in groups[moment].items():
            waiting = list(positions)
            while waiting:
                chosen = next((p for p in waiting if before[p] == pool.get(mint)), None)
                if chosen is None:
                    chosen = _chain_start(waiting, before, after)
                waiting.remove(chosen)
                pool[mint] = after[chosen]
                ordered.append(chosen)
    return ordered


def _chain_start(waiting: list[int], before: list[int], after: list[int]) -> int:
    """The first trade that continues none of the others, so that a chain begins with its head."""
    left_by_others = {after[p] for p in waiting}
    return next((p for p in waiting if before[p] not in left_by_others), waiting[0])
