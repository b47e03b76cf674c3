"""Snapshots: the engine's whole state as plain data, and back."""

import zlib
from base64 import b85decode, b85encode
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from memesnipe.engine.genome import Genome
from memesnipe.engine.layout import ACCOUNT, EXPOSURE, HEAD, MAX_EXPOSURES
from memesnipe.engine.population import Population
from memesnipe.market.lives import MARKET, Lives
from memesnipe.sdk.registry import Families


@dataclass(slots=True)
class EngineState:
    """Arrays are texts: their bytes, compressed."""

    last_ts: int
    last_seq: int
    sol_usd: float
    capacity: int
    slots: str
    links: str
    ends: str
    genomes: list[Genome]
    watched: list[bool]
    accounts: str
    exposures: str
    heads: str
    states: list[list[str]]


def dump_state(last_ts: int, last_seq: int, sol_usd: float, lives: Lives, population: Population) -> EngineState:
    """The state of an engine."""
    return EngineState(
        last_ts,
        last_seq,
        sol_usd,
        lives.capacity,
        _pack(lives.slots),
        _pack(np.stack([lives.older, lives.newer])),
        _pack(lives.ends),
        list(population.genomes),
        population.terms["watched"].astype(bool).tolist(),
        _pack(population.accounts),
        _pack(population.exposures),
        _pack(population.heads),
        [[_pack(states) for states in genes] for genes in population.states],
    )


def load_state(state: EngineState, dead_after_ns: int, families: Families) -> tuple[Lives, Population]:
    """The parts of an engine that `dump_state` was given."""
    slots = _unpack(state.slots, MARKET)
    older, newer = _unpack(state.links, np.int32).reshape(2, -1).copy()
    ends = _unpack(state.ends, np.int64)
    used = np.arange(int(ends[3]))
    slot_of_token = np.full(int(slots["token"][used].max(initial=-1)) + 1, -1, np.int32)
    slot_of_token[slots["token"][used]] = used
    population = Population(families, state.capacity)
    population.add(state.genomes)
    population.terms["watched"] = state.watched
    population.accounts = _unpack(state.accounts, ACCOUNT)
    population.exposures = _unpack(state.exposures, EXPOSURE).reshape(-1, MAX_EXPOSURES)
    population.heads = _unpack(state.heads, HEAD).reshape(-1, state.capacity)
    for made, kept in zip(population.states, state.states, strict=True):
        for states, packed in zip(made, kept, strict=True):
            states[:] = _unpack(packed, states.dtype)
    sol_usd = np.array([state.sol_usd])
    return Lives(dead_after_ns, slots, older, newer, ends, slot_of_token, sol_usd), population


def _pack(array: "np.ndarray[Any, Any]") -> str:
    return b85encode(zlib.compress(array.tobytes(), level=1)).decode()


def _unpack(text: str, dtype: DTypeLike) -> "np.ndarray[Any, Any]":
    return np.frombuffer(zlib.decompress(b85decode(text)), dtype).copy()
