"""Snapshots: the engine's whole state as a few arrays and a small header, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from memesnipe.engine.genome import genome_from
from memesnipe.engine.memory import gather
from memesnipe.engine.population import Population
from memesnipe.market.lives import Lives
from memesnipe.sdk.registry import Families


@dataclass(slots=True)
class EngineState:
    """A copy of the state. The header can be written as JSON; slots that were never used are left out."""

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def dump_state(last_ts: int, last_seq: int, sol_usd: float, lives: Lives, population: Population) -> EngineState:
    """The state of an engine."""
    used = int(lives.ends[3])
    header = {
        "last_ts": last_ts,
        "last_seq": last_seq,
        "sol_usd": sol_usd,
        "capacity": lives.capacity,
        "genomes": [orjson.Fragment(text) for text in population.texts],
    }
    arrays = {
        "slots": lives.slots[:used].copy(),
        "links": np.stack([lives.older[:used], lives.newer[:used]]),
        "ends": lives.ends.copy(),
        "watched": population.terms["watched"].copy(),
        "accounts": population.accounts.copy(),
        "exposures": population.exposures.copy(),
        "heads": population.heads[:, :used].copy(),
        "states": _states(population, used),
    }
    return EngineState(header, arrays)


def _states(population: Population, used: int) -> NDArray[np.uint8]:
    """What all genes keep of the slots that were ever used, one after the other; shape (bytes,)."""
    sizes = population.terms["state_sizes"] * used
    copied = np.empty(int(sizes.sum()), np.uint8)
    gather(np.ascontiguousarray(population.terms["states"]), sizes, copied.ctypes.data)
    return copied


def load_state(state: EngineState, dead_after_ns: int, families: Families) -> tuple[Lives, Population]:
    """The parts of an engine that `dump_state` was given."""
    header, arrays = state.header, state.arrays
    lives = Lives.none(dead_after_ns, header["capacity"])
    used = int(arrays["ends"][3])
    lives.slots[:used] = arrays["slots"]
    lives.older[:used], lives.newer[:used] = arrays["links"]
    lives.ends[:] = arrays["ends"]
    lives.sol_usd[0] = header["sol_usd"]
    tokens = arrays["slots"]["token"]
    lives.slot_of_token = np.full(int(tokens.max(initial=-1)) + 1, -1, np.int32)
    lives.slot_of_token[tokens] = np.arange(used)
    population = Population(families, header["capacity"])
    genomes = [genome_from(genome) for genome in header["genomes"]]
    population.add({genome.spec_id: genome for genome in genomes})
    population.terms["watched"] = arrays["watched"]
    population.accounts[:] = arrays["accounts"]
    population.exposures[:] = arrays["exposures"]
    population.heads[:, :used] = arrays["heads"]
    start = 0
    for genes in population.states:
        for array in genes:
            size = used * array.itemsize
            array[:used] = arrays["states"][start : start + size].view(array.dtype)
            start += size
    return lives, population
