"""History: the recorded actions of watched strategies as orders and fills."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from memesnipe.engine.fills import REASONS, Outcome
from memesnipe.engine.holdings import fill_of
from memesnipe.engine.orders import Fill, Order
from memesnipe.engine.population import Population
from memesnipe.market.events import BUY_SIDE, SELL_SIDE, SHORT_SIDE


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
    for action in decided[
        np.lexsort([decided[name] for name in ("row", "decided_ts", "is_between_events", "decided_seq")])
    ]:
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
    row, side = int(action["row"]), int(action["side"])
    return Order(
        spec_id=population.spec_ids[row],
        order_no=int(action["order_no"]),
        token=int(action["token"]),
        side=side,
        reason=REASONS[int(action["reason"])],
        decided_ts=int(action["decided_ts"]),
        decided_seq=int(action["decided_seq"]),
        due_ts=int(action["due_ts"]),
        size=population.genomes[row].size if side in (BUY_SIDE, SHORT_SIDE) else 0.0,
        budget_lamports=int(action["budget_lamports"]),
        token_raw=int(action["ordered_raw"]) if side == SELL_SIDE else 0,
        expected=int(action["expected"]),
        decided_between_events=bool(action["order_decided_between_events"]),
    )
