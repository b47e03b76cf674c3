"""The population: the whole state of the strategies, in flat arrays with one row per strategy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from memesnipe.engine.entries import write_tables
from memesnipe.engine.evidence import EVIDENCE, start
from memesnipe.engine.genes import Genes
from memesnipe.engine.genome import Genome
from memesnipe.engine.landing import key_of
from memesnipe.engine.layout import (
    ACCOUNT,
    EXPOSURE,
    MAX_EXPOSURES,
    NEVER,
    NO_EXPOSURE,
    SAMPLE_NS,
    STRATEGY_PARAMS,
    VOTE_STATE,
)
from memesnipe.engine.memory import close_gaps
from memesnipe.market.events import NS_PER_S
from memesnipe.sdk.registry import Families


@dataclass(slots=True)
class Population:
    """Strategies in the order in which they were added, each with its own capital."""

    families: Families
    slots: int
    keeps_evidence: bool = False
    spec_ids: list[str] = field(default_factory=list)
    genomes: list[Genome] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)  # of the genomes, as JSON
    row_of: dict[str, int] = field(default_factory=dict)
    # Views on the used rows of larger arrays, so that adding or removing a few strategies does not copy all the others.
    strategy_params: NDArray[Any] = field(init=False)
    accounts: NDArray[Any] = field(init=False)
    exposures: NDArray[Any] = field(init=False)
    vote_states: NDArray[Any] = field(init=False)
    evidence: NDArray[Any] = field(default_factory=lambda: np.zeros(0, EVIDENCE))  # empty where none is kept
    genes: Genes = field(init=False)
    _buffers: dict[str, NDArray[Any]] = field(init=False)
    _room: int = 0  # at least `slots`; the genes of the strategies from row `_grown` on may have states for fewer
    _grown: int = 0
    _next_vote_states: NDArray[Any] | None = None  # for `_room` slots, in their initial state up to row `_grown`

    def __post_init__(self) -> None:
        self._room, self.genes = self.slots, Genes(self.slots)
        self._buffers = {
            "strategy_params": np.zeros(0, STRATEGY_PARAMS),
            "accounts": np.zeros(0, ACCOUNT),
            "exposures": np.zeros((0, MAX_EXPOSURES), EXPOSURE),
            "vote_states": np.zeros((0, self.slots), VOTE_STATE),
        }
        if self.keeps_evidence:
            self._buffers["evidence"] = np.zeros(0, EVIDENCE)
        self._resize(0)

    def __len__(self) -> int:
        return len(self.spec_ids)

    def _resize(self, count: int) -> None:
        """Set the number of used rows; the contents of newly used rows are arbitrary."""
        for name, buffer in self._buffers.items():
            if len(buffer) < count:
                # Grow by a share of the size, so that adding strategies one by one seldom copies the arrays.
                larger = np.zeros((max(count + count // 8, 2 * len(buffer)), *buffer.shape[1:]), buffer.dtype)
                larger[: len(buffer)] = buffer
                self._buffers[name] = larger
            setattr(self, name, self._buffers[name][:count])

    def add(self, genomes: Mapping[str, Genome], saved: NDArray[np.uint8] | None = None, used: int = 0) -> None:
        """Add strategies by spec id, without capital.

        Args:
            genomes: by spec id.
            saved: the states of all genes for the first ``used`` slots, one after the other; None: they are empty.
            used: see ``saved``.
        """
        first = len(self)
        self._resize(first + len(genomes))
        for name in ("strategy_params", "accounts", "exposures", "vote_states"):
            getattr(self, name)[first:] = 0
        if self.keeps_evidence:
            start(self.evidence[first:])
        self.accounts["next_due_ts"][first:] = NEVER
        self.vote_states["exposure"][first:] = NO_EXPOSURE
        at = 0
        for row, (spec_id, genome) in enumerate(genomes.items(), start=first):
            self.spec_ids.append(spec_id)
            self.genomes.append(genome)
            self.texts.append(orjson.dumps(genome.to_dict()))
            self.row_of[spec_id] = row
            record = self.strategy_params[row]
            self._write(spec_id, genome, record)
            for gene, signal in enumerate(genome.signals):
                family: Any = self.families[signal.family]
                stop = at + used * family.state_dtype().itemsize
                part = () if saved is None else (saved[at:stop],)
                record["gene"][gene] = self.genes.add(family, signal.params, *part)
                at = stop
        write_tables(self.strategy_params[first:])

    @staticmethod
    def _write(spec_id: str, genome: Genome, record: Any) -> None:
        """Write a genome into its record, but for its genes' indices."""
        exits, filters = genome.exits, genome.filters
        record["key"], record["genes"], record["size"] = key_of(spec_id), len(genome.signals), genome.size
        record["stop_loss"], record["take_profit"] = exits.stop_loss, exits.take_profit
        record["trailing_stop"], record["max_hold_ns"] = exits.trailing_stop, int(exits.max_hold_s * NS_PER_S)
        record["min_liquidity_usd"], record["min_age_ns"] = filters.min_liquidity_usd, filters.min_age_s * NS_PER_S
        # Not divided by their sum: a unanimous vote must reach a threshold of 1 to the bit.
        record["vote_threshold"] = genome.threshold * sum((gene.weight for gene in genome.signals), start=0.0)
        record["gene"] = -1
        for gene, signal in enumerate(genome.signals):
            record["weights"][gene] = signal.weight

    def remove(self, spec_ids: set[str]) -> None:
        """Remove strategies and their holdings."""
        if not any(spec_id in self.row_of for spec_id in spec_ids):
            return
        kept = [row for row, spec_id in enumerate(self.spec_ids) if spec_id not in spec_ids]
        for spec_id in spec_ids & self.row_of.keys():
            for gene in self.genes_of(self.row_of[spec_id]):
                self.genes.release(gene)
        rows = np.array(kept, np.int64)
        self._grown = int(np.searchsorted(rows, self._grown))
        for buffer in self._buffers.values():
            close_gaps(buffer.ctypes.data, buffer.strides[0], rows)
        self._resize(len(kept))
        lists: list[list[Any]] = [self.spec_ids, self.genomes, self.texts]
        for values in lists:
            values[:] = [values[row] for row in kept]
        self.row_of = {spec_id: row for row, spec_id in enumerate(self.spec_ids)}

    def genes_of(self, row: int) -> list[int]:
        """Return the indices of a strategy's genes."""
        record = self.strategy_params[row]
        genes: list[int] = record["gene"][: record["genes"]].tolist()
        return genes

    def fund(self, lamports: int, ts: int) -> None:
        """Give ``lamports`` of capital to each strategy without any."""
        new = self.accounts["capital_lamports"] == 0
        for name in ("capital_lamports", "cash_lamports", "sampled_lamports", "peak_lamports"):
            self.accounts[name][new] = lamports
        self.accounts["joined_ts"][new] = ts
        self.accounts["next_sample_ts"][new] = (ts // SAMPLE_NS + 1) * SAMPLE_NS

    def prepare(self, slots: int, rows: int) -> None:
        """Prepare `grow` to ``slots`` token slots for so many more strategies, which changes no result.

        Growing thousands of strategies at once takes a second; a live engine prepares it between its batches.
        """
        if slots > self._room:
            self._room, self._grown = slots, 0
            self.genes.widen(slots)
            self._next_vote_states = np.zeros((len(self._buffers["vote_states"]), slots), VOTE_STATE)
        first, self._grown = self._grown, min(self._grown + rows, len(self))
        for row in range(first, self._grown):
            for gene in self.genes_of(row):
                self.genes.grow(gene)
        if self._next_vote_states is not None:
            self._next_vote_states["exposure"][first : self._grown] = NO_EXPOSURE

    def grow(self, slots: int) -> None:
        """Grow the arrays of every strategy to ``slots`` token slots."""
        self.prepare(slots, len(self))
        old, vote_states = self._buffers["vote_states"], self._next_vote_states
        if vote_states is None or vote_states.shape != (len(old), slots):
            vote_states = np.zeros((len(old), slots), VOTE_STATE)
            vote_states["exposure"] = NO_EXPOSURE
        before = self.vote_states.view(np.uint8)  # as bytes: numpy copies records field by field
        vote_states.view(np.uint8)[: len(self), : before.shape[1]] = before
        self._buffers["vote_states"], self._next_vote_states, self.slots = vote_states, None, slots
        self._resize(len(self))
