"""The look-ahead check of a family: its decisions up to a cut must not change when the events after the cut do.

A strategy receives one event, but it is compiled code and the next events follow that one in memory. So each run gets a
whole array with an altered future in one batch; a strategy that reads past its event then decides differently.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from typing import Any, Final

import numpy as np

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, simple_genome
from memesnipe.engine.orders import Order
from memesnipe.market.events import PRICE, SIDE_NAMES, Events, empty
from memesnipe.sdk.registry import Families

CUT_OFF: Final = "cut off"
REPLACED: Final = "replaced"

# Small positions of a large capital, so that fees do not use it up before the end of the tape.
CAPITAL_USD: Final = 100_000.0
SIZE: Final = 0.001

# Fields whose memory the fields of the other kinds overlap.
_FIRST_NUMBERS = ("price_usd", "volume_usd", "liquidity_usd")
_RESERVES = ("pool_sol_lamports", "pool_token_raw", "real_sol_lamports", "real_token_raw")
_ROOM_AFTER = 64  # zeroed events after the cut, for a strategy that reads past its event
_EVENTS_REPLACED = 2_000  # events after these are cut off, so that no event of the future stays as it was

Orders = dict[str, list[Order]]  # by strategy


@dataclass(frozen=True, slots=True)
class Difference:
    """The first order that an altered future changed; `None` stands for a missing order."""

    cut_seq: int
    future: str  # how it was changed
    spec_id: str
    order: Order | None
    order_then: Order | None

    def __str__(self) -> str:
        orders = " became ".join(map(_describe, (self.order, self.order_then)))
        return f"with the future after event {self.cut_seq} {self.future}, {orders} (strategy {self.spec_id})"


def _describe(order: Order | None) -> str:
    if order is None:
        return "no order"
    what = f"{SIDE_NAMES[order.side]} of token {order.token} for {order.reason} at event {order.decided_seq}"
    return f"order {order.order_no} ({what}, expecting {order.expected})"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of checking a family."""

    family: str
    genomes: int
    orders: int  # of the run with the unaltered future
    cuts: int
    compared: int  # orders, over all cuts and futures
    difference: Difference | None

    @property
    def verdict(self) -> str:
        """The result in words; without orders nothing was proven."""
        if self.difference is not None:
            return "looks ahead"
        return "clean" if self.compared else "no orders"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready data."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Lookahead:
    """The look-ahead check on one tape."""

    events: Events  # numbered, shape (n,)
    families: Families
    model: FillModel
    cuts: int = 20
    random_genomes: int = 5
    seed: int = 0

    def check(self, family: str) -> Finding:
        """Compare the decisions of a few genomes of a family under cut-off and replaced futures."""
        rng = np.random.default_rng(self.seed)
        genomes = self._genomes(family, rng)
        orders = self._run(genomes, _cut_off(self.events, len(self.events)))
        cuts, compared, difference = self._choose_cuts(orders), 0, None
        futures = ((cut, how) for cut in cuts for how in (CUT_OFF, REPLACED))
        for cut, how in futures:
            then = self._run(
                genomes, _cut_off(self.events, cut) if how == CUT_OFF else _replaced(self.events, cut, rng)
            )
            compared += sum(len(_up_to(run, self.events[cut - 1])) for run in orders.values())
            difference = self._first_difference(orders, then, cut, how)
            if difference is not None:
                break
        return Finding(family, len(genomes), sum(map(len, orders.values())), len(cuts), compared, difference)

    def _first_difference(self, orders: Orders, orders_then: Orders, cut: int, how: str) -> Difference | None:
        last = self.events[cut - 1]
        for spec_id in sorted(orders.keys() | orders_then.keys()):
            before, then = (_up_to(run.get(spec_id, []), last) for run in (orders, orders_then))
            for order, order_then in zip_longest(before, then):
                if order != order_then:
                    return Difference(int(last["seq"]), how, spec_id, order, order_then)
        return None

    def _genomes(self, family: str, rng: np.random.Generator) -> list[Genome]:
        """Return the default genome and random ones, with exits and filters that make them trade early and often."""
        declared = self.families[family].params
        drawn = [{name: p.default for name, p in declared.items()}]
        drawn += [{name: p.at(rng.random()) for name, p in declared.items()} for _ in range(self.random_genomes)]
        exits = ExitGenes(stop_loss=0.1, take_profit=0.1, trailing_stop=0.1, max_hold_s=60.0)
        eager = (
            replace(simple_genome(family, params), size=SIZE, exits=exits, filters=FilterGenes(0.0, 0.0))
            for params in drawn
        )
        return list({genome.spec_id: genome for genome in eager}.values())

    def _run(self, genomes: Sequence[Genome], events: Events) -> Orders:
        engine = Engine(self.families, self.model, CAPITAL_USD)
        engine.add(*genomes)
        engine.watch(genome.spec_id for genome in genomes)
        orders: Orders = defaultdict(list)
        for order in engine.advance(events).orders:
            orders[order.spec_id].append(order)
        return orders

    def _choose_cuts(self, orders: Orders) -> list[int]:
        """Return the cuts as counts of events kept: evenly spread, half of them right after events with entry orders.

        A strategy that reads only the next event is detected only where the cut directly follows one of its decisions.
        """
        count = len(self.events)
        seqs = sorted({order.decided_seq for run in orders.values() for order in run if order.reason == "signal"})
        after = np.searchsorted(self.events["seq"], seqs, side="right")
        after = after[after < count]
        chosen = set(_spread(after, (self.cuts + 1) // 2))
        chosen |= set(_spread(np.setdiff1d(np.arange(1, count), list(chosen)), self.cuts - len(chosen)))
        return sorted(chosen)


def _spread(cuts: "np.ndarray[Any, Any]", count: int) -> list[int]:
    """Return at most ``count`` evenly spread cuts, none at either end; all if there are fewer."""
    if len(cuts) <= count:
        return [int(cut) for cut in cuts]
    return [int(cuts[(2 * i + 1) * len(cuts) // (2 * count)]) for i in range(count)]


def _up_to(orders: list[Order], event: Any) -> list[Order]:
    """Return the orders decided up to an event, without those due between it and the next one."""
    return [o for o in orders if o.decided_seq <= event["seq"] and o.decided_ts <= event["ts"]]


def _cut_off(events: Events, cut: int) -> Events:
    room = empty(cut + _ROOM_AFTER)
    room[:cut] = events[:cut]
    return room[:cut]


def _replaced(events: Events, cut: int, rng: np.random.Generator) -> Events:
    """Return the same past followed by other events at the same times: shuffled, with other numbers."""
    changed = _cut_off(events, min(cut + _EVENTS_REPLACED, len(events)))
    future = changed[cut:]
    original = future.copy()
    future[:] = original[rng.permutation(len(future))]
    for name in ("ts", "seq", "flags", "slot"):
        future[name] = original[name]
    is_price = future["kind"] == PRICE
    for name in _FIRST_NUMBERS:
        future[name] *= rng.lognormal(0.0, 1.0, len(future))
    future["price_usd"][~is_price] *= rng.choice([-1.0, 1.0], np.count_nonzero(~is_price))
    future["side"][is_price] = rng.choice([-1, 1], np.count_nonzero(is_price))
    for name in _RESERVES:
        column = future[name]
        column[is_price] = column[is_price] * rng.uniform(0.5, 1.5, np.count_nonzero(is_price))
    return changed
