"""Chain order: recorded trades of one slot put back into the order in which the chain ran them."""

from collections import defaultdict

import pandas as pd


def chain_order(swaps: pd.DataFrame) -> list[int]:
    """Row positions of ``swaps`` in chain order.

    Rows are ordered by slot (by time where there is none), then by ``row`` where the source numbers them. Else a
    token's trades inside a slot are chained: next comes the one whose pool before it is the pool that the
    previous one left. Where no trade continues the chain (one was not recorded), the given order decides.
    """
    slots = swaps["slot"].where(swaps["slot"] > 0, swaps["ts"])
    if "row" in swaps:
        keys = pd.DataFrame({"slot": slots, "row": swaps["row"]})
        return [int(i) for i in keys.sort_values(["slot", "row"], kind="stable").index]
    after = swaps["pool_sol_lamports"].tolist()
    before = (swaps["pool_sol_lamports"] - swaps["side"] * swaps["sol_lamports"]).tolist()
    groups: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, (slot, mint) in enumerate(zip(slots.tolist(), swaps["mint"], strict=True)):
        groups[slot][mint].append(position)
    pool: dict[str, int] = {}  # the SOL reserve that each token's last trade left
    ordered: list[int] = []
    for slot in sorted(groups):
        for mint, positions in groups[slot].items():
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
