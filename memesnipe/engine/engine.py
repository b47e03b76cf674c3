"""The engine: ``advance(events)`` moves a whole population over a batch of events.

All of history in one batch is a backtest, the live stream in small batches is the live simulation: any batching
gives the same state to the bit, because the only clock is the events' own time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.history import Done, read_actions
from memesnipe.engine.kernel import equities
from memesnipe.engine.layout import MAX_GENES
from memesnipe.engine.population import Population
from memesnipe.engine.results import results_of
from memesnipe.engine.shards import Shards
from memesnipe.engine.snapshot import EngineState, dump_state, load_state
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.engine.trader import Batch
from memesnipe.market.events import EVENT, LAMPORTS_PER_SOL, Events
from memesnipe.market.token_slots import DELIVERY, MARKET, TokenSlots, deliver
from memesnipe.sdk.registry import Families

# Turns laid out at once: what they take fits into a core's cache, through which every strategy then goes.
ROOM = 4096
_NO_RETURNS = np.zeros((0, 0), np.float32)


class Engine:
    """A population of strategies, the tokens alive, and the time."""

    def __init__(self, families: Families, model: FillModel, capital_usd: float, threads: int = 1) -> None:
        self.last_ts = 0
        self.last_seq = 0
        self.model = model
        self._capital_usd = capital_usd
        self.token_slots = TokenSlots.none(model.dead_after_ns)
        self.population = Population(families, self.token_slots.capacity)
        self._shards = Shards(threads)
        self._returns, self._first_sample_ts = _NO_RETURNS, 0

    @property
    def sol_usd(self) -> float:
        """The last price of SOL that is known, or 0."""
        return float(self.token_slots.sol_usd[0])

    def add(self, *genomes: Genome, orders_before: Mapping[str, int] | None = None) -> None:
        """Let strategies join with fresh capital; they see what happens from now on. Known ones stay as they are.

        Args:
            genomes: of the strategies.
            orders_before: how many orders those have sent that were here before, so that no number comes twice.
        """
        named = {genome.spec_id: genome for genome in genomes}
        self.population.add({s: genome for s, genome in named.items() if s not in self.population.row_of})
        for spec_id, count in (orders_before or {}).items():
            self.population.accounts["orders"][self.population.row_of[spec_id]] = count
        if self.sol_usd:
            self._fund()

    def remove(self, *spec_ids: str) -> None:
        """Let strategies go, with all they held."""
        self.population.remove(set(spec_ids))

    def watch(self, spec_ids: Iterable[str]) -> None:
        """Say whose orders and fills `advance` gives back."""
        population = self.population
        population.strategy_params["watched"] = 0
        population.strategy_params["watched"][[population.row_of[s] for s in spec_ids if s in population.row_of]] = 1

    def record_returns(self, first_sample_ts: int, intervals: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Keep the returns of every interval from the one that ends at ``first_sample_ts``.

        Returns:
            The matrix (population, intervals), f4, that fills as time goes on; the population must not change.
        """
        self._returns = np.zeros((len(self.population), intervals), np.float32)
        self._first_sample_ts = first_sample_ts
        return self._returns

    def advance(self, events: Events) -> Done:
        """Move everything over ``events``, shape (n,), and give back what the watched strategies did."""
        done: list[Any] = []
        if len(events) and not self.sol_usd:
            # Capital is bought at the first price of SOL, before anything is decided on that event.
            priced = np.flatnonzero(events["sol_usd"] > 0)
            if len(priced):
                first = int(priced[0])
                self._advance(events[:first], done)
                self.token_slots.sol_usd[0], self.last_ts = events[first]["sol_usd"], int(events[first]["ts"])
                self._fund()
                events = events[first:]
        self._advance(events, done)
        return read_actions(done, self.population)

    def _fund(self) -> None:
        self.population.fund(int(self._capital_usd / self.sol_usd * LAMPORTS_PER_SOL), self.last_ts)

    def _advance(self, events: Events, done: list[Any]) -> None:
        if not len(events):
            return
        if events.dtype != EVENT:
            raise TypeError("events are not records of EVENT; put arrays together with memesnipe.market.events.join")
        events = np.ascontiguousarray(events).view()
        events.flags.writeable = False  # one type, and so one compilation, whoever owns them
        self.token_slots.know_tokens(events)
        first = 0
        while first < len(events):
            count = self._advance_some(events, first, done)
            if count == 0:
                self.token_slots.grow()
                self.population.make_room(self.token_slots.capacity)
            first += count
        self.last_ts, self.last_seq = int(events[-1]["ts"]), int(events[-1]["seq"])

    def _advance_some(self, events: Events, first: int, done: list[Any]) -> int:
        """Move over as many events as there is room for; 0 when there are more tokens than slots."""
        token_slots, population = self.token_slots, self.population
        after = np.zeros(ROOM, MARKET)
        deliveries = np.zeros(max(ROOM, token_slots.capacity + 2), DELIVERY)
        count, delivery_count = deliver(
            events, first, population.wide_kinds, token_slots.dead_after_ns,
            token_slots.slots, token_slots.older, token_slots.newer, token_slots.ends, token_slots.slot_of_token,
            token_slots.sol_usd, deliveries, after,
        )  # fmt: skip
        if count and len(population):
            batch = self._batch(events, first, int(count), deliveries, int(delivery_count), after)
            done += self._shards.move(population, self.model, batch, self._returns, self._first_sample_ts)
        return int(count)

    def _batch(self, events: Events, first: int, count: int, deliveries: Any, delivery_count: int, after: Any) -> Batch:
        subscribed, subscribed_counts = _subscribed(deliveries[:delivery_count], self.population.masks)
        votes = np.zeros((MAX_GENES, len(deliveries)), np.int8)
        return Batch(
            events, events.ctypes.data + first * events.itemsize, first, count, self.last_seq,
            deliveries, deliveries.ctypes.data, delivery_count, after,
            subscribed, subscribed.ctypes.data + np.arange(len(subscribed)) * subscribed.strides[0], subscribed_counts,
            votes, votes.ctypes.data,
        )  # fmt: skip

    def is_in(self, spec_id: str, token: int) -> bool:
        """Whether a strategy holds a token, or has an order for it on the way."""
        row = self.population.row_of.get(spec_id)
        if row is None:
            return False
        exposures = self.population.exposures[row]
        return bool(np.any((exposures["used"] != 0) & (exposures["token"] == token)))

    def orders_of(self, spec_id: str) -> int:
        """How many orders a strategy has sent; 0 where it is not here."""
        row = self.population.row_of.get(spec_id)
        return 0 if row is None else int(self.population.accounts["orders"][row])

    def results(self, spec_ids: Sequence[str] | None = None) -> list[StrategyResult]:
        """How each strategy has done so far: those asked for, or all in the order in which they joined."""
        population = self.population
        worth = np.zeros(len(population), np.int64)
        equities(population.accounts, population.exposures, worth)
        names = population.spec_ids if spec_ids is None else spec_ids
        rows = [population.row_of[spec_id] for spec_id in names]
        return results_of(names, population.accounts[rows], worth[rows], self.last_ts, self.sol_usd)

    def dump(self) -> EngineState:
        """The state as plain data."""
        return dump_state(self.last_ts, self.last_seq, self.sol_usd, self.token_slots, self.population)

    def load(self, state: EngineState) -> None:
        """Go on from the state of `dump`."""
        self.last_ts, self.last_seq = state.header["last_ts"], state.header["last_seq"]
        self.token_slots, self.population = load_state(state, self.model.dead_after_ns, self.population.families)


def _subscribed(deliveries: Any, masks: list[int]) -> tuple[Any, Any]:
    """For each set of kinds the turns that are of them, shape (sets, turns) and how many those are."""
    subscribed = np.zeros((len(masks), len(deliveries)), np.int32)
    counts = np.zeros(len(masks), np.int64)
    kinds = np.left_shift(1, deliveries["kind"].astype(np.int64))
    somewhere = deliveries["slot"] >= 0
    for i, mask in enumerate(masks):
        found = np.flatnonzero((kinds & mask != 0) & somewhere)
        counts[i] = len(found)
        subscribed[i, : len(found)] = found
    return subscribed, counts
