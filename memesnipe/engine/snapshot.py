"""Snapshots: conversion of the engine's state to a few arrays with a small header, and back.

Strategies are independent of each other, so the state may be copied in parts, some rows of the population at a time
with events between the parts: whoever loads them advances the earlier rows up to the event of each later part.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from memesnipe.engine.genome import genome_from
from memesnipe.engine.memory import gather
from memesnipe.engine.population import Population
from memesnipe.market.token_slots import TokenSlots
from memesnipe.sdk.registry import Families


@dataclass(slots=True)
class EngineState:
    """A copy of the engine's state, or of some rows of it, without slots never used; the header is for orjson."""

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def dump_state(
    last_ts: int, last_seq: int, sol_usd: float, token_slots: TokenSlots, population: Population, rows: slice
) -> EngineState:
    """Return a copy of an engine's state with these rows of the population."""
    used = token_slots.used
    header = {
        "last_ts": last_ts,
        "last_seq": last_seq,
        "sol_usd": sol_usd,
        "capacity": token_slots.capacity,
        "genomes": [orjson.Fragment(text) for text in population.texts[rows]],
    }
    arrays = {
        "slots": token_slots.slots[:used].copy(),
        "links": np.stack([token_slots.older[:used], token_slots.newer[:used]]),
        "ends": token_slots.ends.copy(),
        "watched": population.strategy_params["watched"][rows].copy(),
        "accounts": population.accounts[rows].copy(),
        "exposures": population.exposures[rows].copy(),
        "vote_states": population.vote_states[rows, :used].copy(),
        "states": _states(population, rows, used),
    }
    if population.keeps_evidence:
        arrays["evidence"] = population.evidence[rows].copy()
    return EngineState(header, arrays)


def _states(population: Population, rows: slice, used: int) -> NDArray[np.uint8]:
    """Return the concatenated states of the strategies' genes for the slots used so far, shape (bytes,).

    A gene that strategies share is copied for each of them, so that parts of the population can be loaded alone.
    """
    genes, chosen = population.genes.records, population.strategy_params["gene"][rows]
    if not len(genes):
        return np.zeros(0, np.uint8)
    sizes = np.where(chosen >= 0, genes["state_size"][chosen] * used, 0)
    copied = np.empty(int(sizes.sum()), np.uint8)
    gather(np.ascontiguousarray(genes["states"][chosen]), sizes, copied.ctypes.data)
    return copied


def bytes_of_row(token_slots: TokenSlots, population: Population) -> int:
    """Return how many bytes of a copy belong to one row of the population, on average."""
    used = token_slots.used
    fixed = [getattr(population, name)[:1].nbytes for name in ("accounts", "exposures", "evidence")]
    chosen = population.strategy_params["gene"]
    states = population.genes.records["state_size"][chosen[chosen >= 0]].sum() / max(len(population), 1)
    return int(sum(fixed) + used * (states + population.vote_states.itemsize))


def load_state(state: EngineState, dead_after_ns: int, families: Families) -> tuple[TokenSlots, Population]:
    """Rebuild the token slots and the population from a state that `dump_state` returned."""
    header, arrays = state.header, state.arrays
    token_slots = TokenSlots.none(dead_after_ns, header["capacity"])
    used = int(arrays["ends"][3])
    token_slots.slots[:used] = arrays["slots"]
    token_slots.older[:used], token_slots.newer[:used] = arrays["links"]
    token_slots.ends[:] = arrays["ends"]
    token_slots.sol_usd[0] = header["sol_usd"]
    tokens = arrays["slots"]["token"]
    token_slots.slot_of_token = np.full(int(tokens.max(initial=-1)) + 1, -1, np.int32)
    token_slots.slot_of_token[tokens] = np.arange(used)
    population = Population(families, header["capacity"], keeps_evidence="evidence" in arrays)
    append_rows(population, state)
    return token_slots, population


def append_rows(population: Population, state: EngineState) -> None:
    """Append the rows of a state at the same event to a population."""
    arrays, first = state.arrays, len(population)
    used = int(arrays["ends"][3])
    genomes = [genome_from(genome) for genome in state.header["genomes"]]
    population.add({genome.spec_id: genome for genome in genomes}, arrays["states"], used)
    population.strategy_params["watched"][first:] = arrays["watched"]
    population.accounts[first:] = arrays["accounts"]
    population.exposures[first:] = arrays["exposures"]
    population.vote_states[first:, :used] = arrays["vote_states"]
    if population.keeps_evidence:
        population.evidence[first:] = arrays["evidence"]
