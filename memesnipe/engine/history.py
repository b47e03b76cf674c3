"""History: the recorded actions of watched strategies as orders and fills."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from memesnipe.engine.fills import REASONS, Outcome
from memesnipe.engine.holdings import fill_of
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.engine.population import Population


@dataclass(slots=True)
class WatchedActions:
    """The orders of watched strategies in order of decision, and their fills in order of time."""

    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)


def read_actions(batches: list[Any], population: Population) -> WatchedActions:
    """Return the orders and fills of arrays of dtype ACTION, sorted by time and then by row."""
    done = WatchedActions()
    if not any(len(batch) for batch in batches):
        return done
    actions = np.concatenate(batches)
    is_outcome = actions["is_outcome"] != 0
    decided = actions[~is_outcome]
    # The sorts are stable: each strategy's actions keep their order.
    order = decided["order"]
    keys = (decided["row"], order["decided_ts"], decided["is_between_events"], order["decided_seq"])
    for action in decided[np.lexsort(keys)]:
        done.orders.append(_order(action, population))
    ended = actions[is_outcome]
    for action in ended[np.lexsort([ended[name] for name in ("row", "ts", "is_between_events", "seq")])]:
        outcome = Outcome(
            int(action["failure"]),
            int(action["token_raw"]),
            int(action["sol_lamports"]),
            int(action["fee_lamports"]),
            int(action["pool_sol_lamports"]),
            int(action["network_fee_lamports"]),
        )
        done.fills.append(fill_of(_order(action, population), outcome, int(action["ts"]), int(action["seq"])))
    return done


def _order(action: Any, population: Population) -> Order:
    row, order = int(action["row"]), action["order"]
    side = int(order["side"])
    return Order(
        spec_id=population.spec_ids[row],
        order_no=int(order["order_no"]),
        token=int(action["token"]),
        side=side,
        reason=REASONS[int(order["reason"])],
        decided_ts=int(order["decided_ts"]),
        decided_seq=int(order["decided_seq"]),
        due_ts=int(order["due_ts"]),
        size=population.genomes[row].size if side in ENTRIES else 0.0,
        budget_lamports=int(order["budget_lamports"]),
        token_raw=int(order["token_raw"]),
        expected=int(order["expected"]),
        decided_between_events=bool(order["decided_between_events"]),
    )
