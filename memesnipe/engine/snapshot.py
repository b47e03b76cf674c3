"""Snapshots: conversion of the engine's whole state to a few arrays with a small header, and back."""

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
    """A copy of the engine's state, without slots never used. The header is JSON-ready for orjson."""

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def dump_state(
    last_ts: int, last_seq: int, sol_usd: float, token_slots: TokenSlots, population: Population
) -> EngineState:
    """Return a copy of an engine's state."""
    used = int(token_slots.ends[3])
    header = {
        "last_ts": last_ts,
        "last_seq": last_seq,
        "sol_usd": sol_usd,
        "capacity": token_slots.capacity,
        "genomes": [orjson.Fragment(text) for text in population.texts],
    }
    arrays = {
        "slots": token_slots.slots[:used].copy(),
        "links": np.stack([token_slots.older[:used], token_slots.newer[:used]]),
        "ends": token_slots.ends.copy(),
        "watched": population.strategy_params["watched"].copy(),
        "accounts": population.accounts.copy(),
        "exposures": population.exposures.copy(),
        "vote_states": population.vote_states[:, :used].copy(),
        "states": _states(population, used),
    }
    if population.keeps_evidence:
        arrays["evidence"] = population.evidence.copy()
    return EngineState(header, arrays)


def _states(population: Population, used: int) -> NDArray[np.uint8]:
    """Return the concatenated states of all genes for the slots used so far, shape (bytes,)."""
    sizes = population.strategy_params["state_sizes"] * used
    copied = np.empty(int(sizes.sum()), np.uint8)
    gather(np.ascontiguousarray(population.strategy_params["states"]), sizes, copied.ctypes.data)
    return copied


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
    genomes = [genome_from(genome) for genome in header["genomes"]]
    population.add({genome.spec_id: genome for genome in genomes})
    population.strategy_params["watched"] = arrays["watched"]
    population.accounts[:] = arrays["accounts"]
    population.exposures[:] = arrays["exposures"]
    population.vote_states[:, :used] = arrays["vote_states"]
    if population.keeps_evidence:
        population.evidence[:] = arrays["evidence"]
    start = 0
    for genes in population.states:
        for array in genes:
            size = used * array.itemsize
            array[:used] = arrays["states"][start : start + size].view(array.dtype)
            start += size
    return token_slots, population
