"""The population: the engine's whole state of its strategies, in flat arrays with a row for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from memesnipe.engine.genome import Genome
from memesnipe.engine.landing import key_of
from memesnipe.engine.layout import ACCOUNT, EXPOSURE, MAX_EXPOSURES, NEVER, SAMPLE_NS, STRATEGY_PARAMS, VOTE_STATE
from memesnipe.engine.memory import close_gaps
from memesnipe.engine.state_pool import StatePool
from memesnipe.market.events import NS_PER_S
from memesnipe.sdk.loops import loop_of
from memesnipe.sdk.registry import Families


@dataclass(slots=True)
class Population:
    """Strategies in the order in which they joined, each with capital of its own."""

    families: Families
    slots: int
    spec_ids: list[str] = field(default_factory=list)
    genomes: list[Genome] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)  # of the genomes, as JSON
    row_of: dict[str, int] = field(default_factory=dict)
    # The rows in use of arrays with room for more, so that a few who join or leave do not move all the others.
    strategy_params: NDArray[Any] = field(init=False)
    accounts: NDArray[Any] = field(init=False)
    exposures: NDArray[Any] = field(init=False)
    vote_states: NDArray[Any] = field(init=False)
    # For each strategy and gene: the parameters, and the states of all slots. The terms have their addresses.
    params: list[list[NDArray[Any]]] = field(default_factory=list)
    states: list[list[NDArray[Any]]] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)  # the different sets of kinds that genes hear
    _rooms: dict[str, NDArray[Any]] = field(init=False)
    _pool: StatePool = field(default_factory=StatePool)  # of the states

    def __post_init__(self) -> None:
        self._rooms = {
            "strategy_params": np.zeros(0, STRATEGY_PARAMS),
            "accounts": np.zeros(0, ACCOUNT),
            "exposures": np.zeros((0, MAX_EXPOSURES), EXPOSURE),
            "vote_states": np.zeros((0, self.slots), VOTE_STATE),
        }
        self._use(0)

    def __len__(self) -> int:
        return len(self.spec_ids)

    def _use(self, count: int) -> None:
        """Have so many rows in use; what is in rows that were not is left over from others."""
        for name, room in self._rooms.items():
            if len(room) < count:
                # More than are there now: the next who joins must not make everybody wait while all are moved.
                larger = np.zeros((max(count + count // 8, 2 * len(room)), *room.shape[1:]), room.dtype)
                larger[: len(room)] = room
                self._rooms[name] = larger
            setattr(self, name, self._rooms[name][:count])

    def add(self, genomes: Mapping[str, Genome]) -> None:
        """Let strategies join, by their names, without capital."""
        first = len(self)
        self._use(first + len(genomes))
        for name in ("strategy_params", "accounts", "exposures", "vote_states"):
            getattr(self, name)[first:] = 0
        self.accounts["next_due_ts"][first:] = NEVER
        self.vote_states["exposure"][first:] = -1
        for row, (spec_id, genome) in enumerate(genomes.items(), start=first):
            self.spec_ids.append(spec_id)
            self.genomes.append(genome)
            self.texts.append(orjson.dumps(genome.to_dict()))
            self.row_of[spec_id] = row
            self._add_genes(spec_id, genome, self.strategy_params[row])

    def _add_genes(self, spec_id: str, genome: Genome, record: Any) -> None:
        """Write a genome as numbers; gives its genes' code, parameters and empty states a place."""
        exits, filters = genome.exits, genome.filters
        record["key"], record["genes"], record["size"] = key_of(spec_id), len(genome.signals), genome.size
        record["stop_loss"], record["take_profit"] = exits.stop_loss, exits.take_profit
        record["trailing_stop"], record["max_hold_ns"] = exits.trailing_stop, int(exits.max_hold_s * NS_PER_S)
        record["min_liquidity_usd"], record["min_age_ns"] = filters.min_liquidity_usd, filters.min_age_s * NS_PER_S
        # Not divided by their sum: a unanimous vote must reach a threshold of 1 to the bit.
        record["vote_threshold"] = genome.threshold * sum((gene.weight for gene in genome.signals), start=0.0)
        params, states = [], []
        for gene, signal in enumerate(genome.signals):
            family: Any = self.families[signal.family]
            declared = family.params.items()
            values = tuple(p.clip(signal.params.get(name, p.default)) for name, p in declared) or (0.0,)
            params.append(np.array([values], family.param_dtype()))
            states.append(self._pool.take(self.slots, family.state_dtype()))
            mask = sum(1 << kind for kind in set(family.subscriptions))
            if mask not in self.masks:
                self.masks.append(mask)
            record["weights"][gene], record["subscription"][gene] = signal.weight, self.masks.index(mask)
            record["code"][gene] = loop_of(family.__class__).address
            record["params"][gene], record["states"][gene] = params[gene].ctypes.data, states[gene].ctypes.data
            record["state_sizes"][gene] = states[gene].itemsize
        self.params.append(params)
        self.states.append(states)

    def remove(self, spec_ids: set[str]) -> None:
        """Let strategies go, with all they hold."""
        if not any(spec_id in self.row_of for spec_id in spec_ids):
            return
        kept = [row for row, spec_id in enumerate(self.spec_ids) if spec_id not in spec_ids]
        for spec_id in spec_ids & self.row_of.keys():
            for states in self.states[self.row_of[spec_id]]:
                self._pool.give_back(states)
        rows = np.array(kept, np.int64)
        for room in self._rooms.values():
            close_gaps(room.ctypes.data, room.strides[0], rows)
        self._use(len(kept))
        for name in ("spec_ids", "genomes", "texts", "params", "states"):
            setattr(self, name, [getattr(self, name)[row] for row in kept])
        self.row_of = {spec_id: row for row, spec_id in enumerate(self.spec_ids)}

    def fund(self, lamports: int, ts: int) -> None:
        """Give those that have no capital yet so much of it."""
        new = self.accounts["capital_lamports"] == 0
        for name in ("capital_lamports", "cash_lamports", "sampled_lamports", "peak_lamports"):
            self.accounts[name][new] = lamports
        self.accounts["joined_ts"][new] = ts
        self.accounts["next_sample_ts"][new] = (ts // SAMPLE_NS + 1) * SAMPLE_NS

    def make_room(self, slots: int) -> None:
        """Give every strategy room for more tokens."""
        vote_states = np.zeros((len(self._rooms["vote_states"]), slots), VOTE_STATE)
        vote_states["exposure"] = -1
        vote_states[: len(self), : self.slots] = self.vote_states
        self._rooms["vote_states"], self.slots = vote_states, slots
        self._use(len(self))
        self._pool = StatePool()
        for row, states in enumerate(self.states):
            for gene, old in enumerate(states):
                states[gene] = self._pool.take(slots, old.dtype)
                states[gene][: len(old)] = old
                self.strategy_params[row]["states"][gene] = states[gene].ctypes.data

    @property
    def wide_kinds(self) -> int:
        """All kinds that anyone hears, as bits."""
        kinds = 0
        for mask in self.masks:
            kinds |= mask
        return kinds
