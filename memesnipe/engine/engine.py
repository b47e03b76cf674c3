"""The engine: ``advance(events)`` moves a whole population of strategies over a batch of events.

A whole tape in one batch is a backtest; the live stream in small batches is the live simulation. Any batching gives a
bit-identical state, because the events' own timestamps are the only clock.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.batches import Room, batch_of
from memesnipe.engine.evidence import (
    evidence_columns,
    evidence_of,
    may_observe_desk,
    move_to_desk,
    observe_desk,
    restart,
)
from memesnipe.engine.figures import EVIDENCE_NAMES, FIGURES, RESULT, result_from
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.history import WatchedActions, read_actions
from memesnipe.engine.kept_votes import KeptVotes, VotingPass
from memesnipe.engine.kernel import equities
from memesnipe.engine.population import Population
from memesnipe.engine.results import compute_results
from memesnipe.engine.shards import Shards
from memesnipe.engine.snapshot import EngineState, append_rows, bytes_of_row, dump_state, load_state
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.market.events import EVENT, Events
from memesnipe.market.state import capital_lamports
from memesnipe.market.token_slots import TokenSlots, deliver
from memesnipe.sdk.registry import Families

# Deliveries per kernel call: few enough to fit into a core's cache while all strategies pass over them.
ROOM = 4096
_GROWTH_AT = 7 / 8  # of the slots
_NO_RETURNS = np.zeros((0, 0), np.float32)


class Engine:
    """A population of strategies, the slots of the tokens alive, and the time of the last event."""

    def __init__(
        self,
        families: Families,
        model: FillModel,
        capital_usd: float,
        threads: int = 1,
        *,
        keeps_evidence: bool = False,
    ) -> None:
        self.last_ts = 0
        self.last_seq = 0
        self.model = model
        self._capital_usd = capital_usd
        self.token_slots = TokenSlots.none(model.dead_after_ns)
        self.population = Population(families, self.token_slots.capacity, keeps_evidence=keeps_evidence)
        self._shards, self._room = Shards(threads), Room()
        self._returns, self._first_sample_ts = _NO_RETURNS, 0
        self._pass: VotingPass | None = None
        self._wide_kinds = 0  # delivered for every token alive, besides those of the population's genes

    @property
    def sol_usd(self) -> float:
        """The last published price of SOL in USD, or 0 before the first one."""
        return float(self.token_slots.sol_usd[0])

    def add(self, *genomes: Genome, orders_before: Mapping[str, int] | None = None) -> None:
        """Add strategies with fresh capital, which receive the events from now on; those already present are unchanged.

        Args:
            genomes: one genome per strategy.
            orders_before: order count by spec id of strategies that were here before, so that no number is reused.
        """
        named = {genome.spec_id: genome for genome in genomes}
        self.population.add({s: genome for s, genome in named.items() if s not in self.population.row_of})
        for spec_id, count in (orders_before or {}).items():
            self.population.accounts["orders"][self.population.row_of[spec_id]] = count
        if self.sol_usd:
            self._fund()

    def remove(self, *spec_ids: str) -> None:
        """Remove strategies and their holdings."""
        self.population.remove(set(spec_ids))

    def watch(self, spec_ids: Iterable[str]) -> None:
        """Set the strategies of which `advance` returns the orders and fills."""
        population = self.population
        population.strategy_params["watched"] = 0
        population.strategy_params["watched"][[population.row_of[s] for s in spec_ids if s in population.row_of]] = 1

    def record_returns(self, first_sample_ts: int, intervals: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Record the returns of every interval from the one that ends at ``first_sample_ts``.

        Returns:
            The matrix (population, intervals), f4, which later calls of `advance` fill; the population must not change.
        """
        self._returns = np.zeros((len(self.population), intervals), np.float32)
        self._first_sample_ts = first_sample_ts
        return self._returns

    def use_kept_votes(self, kept: KeptVotes, tape: Hashable) -> VotingPass:
        """Take the votes of genes on a tape from those that are kept, before its first event; it cannot be dumped then.

        Args:
            kept: of earlier backtests; `VotingPass.finish` keeps those of this one too.
            tape: equal for equal events in equal parts.
        """
        families = self.population.families.values()
        # Deliveries for all families: the kinds of this population alone would divide the events in another way.
        self._wide_kinds = sum(1 << kind for kind in {kind for family in families for kind in family.subscriptions})
        key = (tape, self.model.dead_after_ns, self._wide_kinds)
        self._pass = VotingPass(kept, key, self.population.genes)
        return self._pass

    def advance(self, events: Events) -> WatchedActions:
        """Advance over ``events``, shape (n,); return the orders and fills of the watched strategies."""
        done: list[Any] = []
        if len(events) and not self.sol_usd:
            # Capital in USD is converted at the first price of SOL, before any decision on that event.
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
        self.population.fund(capital_lamports(self._capital_usd, self.sol_usd), self.last_ts)

    def _advance(self, events: Events, done: list[Any]) -> None:
        if not len(events):
            return
        if events.dtype != EVENT:
            raise TypeError("events do not have dtype EVENT; join arrays with memesnipe.market.events.join")
        events = np.ascontiguousarray(events).view()
        events.flags.writeable = False  # a single array type, so that the kernel compiles once
        self.token_slots.extend_index(events)
        first = 0
        while first < len(events):
            count = self._advance_some(events, first, done)
            if count == 0:
                self.token_slots.grow()
                self.population.grow(self.token_slots.capacity)
            first += count
        self.last_ts, self.last_seq = int(events[-1]["ts"]), int(events[-1]["seq"])

    def prepare_growth(self, rows: int) -> None:
        """Prepare, once most token slots are used, the growth to twice as many for so many more strategies.

        It changes no result; without it, the event of the token that finds no slot waits for all strategies to grow.
        """
        if self.token_slots.used >= self.token_slots.capacity * _GROWTH_AT:
            self.population.prepare(2 * self.token_slots.capacity, rows)

    def _advance_some(self, events: Events, first: int, done: list[Any]) -> int:
        """Advance over as many events as fit; return their number, 0 if no slot is free for the next token."""
        token_slots, population = self.token_slots, self.population
        deliveries, after = self._room.take(ROOM, max(ROOM, token_slots.capacity + 2))
        count, delivery_count = deliver(
            events, first, population.genes.wide_kinds | self._wide_kinds, token_slots.dead_after_ns,
            token_slots.slots, token_slots.older, token_slots.newer, token_slots.ends, token_slots.slot_of_token,
            token_slots.sol_usd, deliveries, after,
        )  # fmt: skip
        if count and len(population):
            population.genes.settle()
            batch = batch_of(
                events, first, int(count), int(token_slots.ends[4]), self.last_seq, deliveries, int(delivery_count),
                after, population.genes, token_slots.capacity,
            )  # fmt: skip
            batch = batch if self._pass is None else self._pass.fill(batch)
            done += self._shards.move(population, self.model, batch, self._returns, self._first_sample_ts)
            if self._pass is not None:
                self._pass.record(batch)
        token_slots.ends[4] += count
        return int(count)

    def tokens_of(self, spec_id: str) -> list[int]:
        """Return the tokens that a strategy holds or has an order for; none if it is not here."""
        row = self.population.row_of.get(spec_id)
        if row is None:
            return []
        exposures = self.population.exposures[row]
        tokens: list[int] = exposures["market"]["token"][exposures["used"] != 0].tolist()
        return tokens

    def orders_of(self, spec_id: str) -> int:
        """Return how many orders a strategy has sent; 0 if it is not in the population."""
        row = self.population.row_of.get(spec_id)
        return 0 if row is None else int(self.population.accounts["orders"][row])

    def results(self, spec_ids: Sequence[str] | None = None) -> list[StrategyResult]:
        """Return the results so far of the given strategies, or of all in the order in which they were added."""
        population = self.population
        results = self.records()
        names = population.spec_ids if spec_ids is None else spec_ids
        return [result_from(spec_id, results[population.row_of[spec_id]]) for spec_id in names]

    def figures(self) -> NDArray[Any]:
        """Return results and evidence of all strategies so far, shape (population,), dtype FIGURES.

        The engine must keep evidence.
        """
        results, figures = self.records(), np.zeros(len(self.population), FIGURES)
        for name in RESULT.names or ():
            figures[name] = results[name]
        for name, column in zip(EVIDENCE_NAMES, evidence_columns(self.population.evidence), strict=True):
            figures[name] = column
        return figures

    def records(self) -> NDArray[Any]:
        """Return the results of all strategies so far, dtype RESULT, in the order in which they were added."""
        population = self.population
        equity = np.zeros(len(population), np.int64)
        equities(population.accounts, population.exposures, equity)
        return compute_results(population.accounts, equity, self.last_ts, self.sol_usd)

    def evidence(self) -> dict[str, StrategyEvidence]:
        """Return the evidence of all strategies; the engine must keep it."""
        return dict(zip(self.population.spec_ids, evidence_of(self.population.evidence), strict=True))

    def observe_desk(self, spec_id: str, position: int, value: float | None) -> None:
        """Begin a round trip of a strategy's desk, or end it; one that is not here has no effect.

        Args:
            spec_id: the strategy.
            position: a number of the round trip, unique among the open ones.
            value: its return; None where it begins.
        """
        row = self.population.row_of.get(spec_id)
        if row is not None:
            observe_desk(self.population.evidence, row, position, value is None, value or 0.0)

    def restart_evidence(self, spec_ids: Iterable[str]) -> None:
        """Start strategies again without evidence, and not on a desk; those that are not here have no effect."""
        for row in self._rows(spec_ids):
            restart(self.population.evidence, row)

    def move_to_desk(self, spec_ids: Iterable[str]) -> None:
        """Take the evidence of strategies from a desk until they start again; see `restart_evidence`."""
        for row in self._rows(spec_ids):
            move_to_desk(self.population.evidence, row)

    def _rows(self, spec_ids: Iterable[str]) -> list[int]:
        return [self.population.row_of[spec_id] for spec_id in spec_ids if spec_id in self.population.row_of]

    def dump(self, first: int = 0, stop: int | None = None) -> EngineState:
        """Return a copy of the state as plain data; with the rows of the population from ``first`` before ``stop``."""
        rows = slice(first, stop)
        return dump_state(self.last_ts, self.last_seq, self.sol_usd, self.token_slots, self.population, rows)

    def rows_in(self, size: int) -> int:
        """Return how many rows of the population have about ``size`` bytes in a copy; at least 1."""
        return max(size // max(bytes_of_row(self.token_slots, self.population), 1), 1)

    def desk_evidence(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the rows whose evidence `observe_desk` may have changed, and a copy of their evidence."""
        rows = np.flatnonzero(may_observe_desk(self.population.evidence))
        return rows, self.population.evidence[rows]

    def load(self, state: EngineState) -> None:
        """Replace the state by one that `dump` returned."""
        self.last_ts, self.last_seq = state.header["last_ts"], state.header["last_seq"]
        self.token_slots, self.population = load_state(state, self.model.dead_after_ns, self.population.families)

    def load_parts(
        self,
        parts: Sequence[EngineState],
        last_seq: int,
        desk_evidence: tuple[NDArray[np.int64], NDArray[Any]],
        events_between: Callable[[int, int], Iterable[Events]],
    ) -> None:
        """Replace the state by parts that were dumped one after the other, with events between them.

        Args:
            parts: consecutive rows of the population, each as it was at an event; at least one.
            last_seq: the event at which the state is to be, not before that of the last part.
            desk_evidence: what `desk_evidence` returned at ``last_seq``: desks are not observed here.
            events_between: returns the events from one number to another, both included.
        """
        self.load(parts[0])
        for part in parts[1:]:
            self._catch_up(part.header["last_seq"], events_between)
            append_rows(self.population, part)
        self._catch_up(last_seq, events_between)
        rows, evidence = desk_evidence
        self.population.evidence[rows] = evidence

    def _catch_up(self, last_seq: int, events_between: Callable[[int, int], Iterable[Events]]) -> None:
        if last_seq > self.last_seq:
            for events in events_between(self.last_seq + 1, last_seq):
                self.advance(events)
