"""Landing: whether a transaction makes it onto the chain, drawn from a hash and so the same everywhere."""

from typing import Any

import numpy as np

from memesnipe.compiled import compiled


@compiled
def mix(z: Any) -> Any:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014), on 64-bit words."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def landing_draw(seed: int, key: int, order_no: int) -> float:
    """A number from 0 up to 1 for an order: of the run's seed, the strategy's key and the order's number alone."""
    start: Any = mix(np.uint64(seed) ^ np.uint64(key))
    word: Any = mix(start + np.uint64(order_no) * np.uint64(0x9E3779B97F4A7C15))
    draw: float = (word >> np.uint64(11)) * 2.0**-53
    return draw


def key_of(spec_id: str) -> int:
    """A strategy's key: its id read as a hexadecimal number."""
    return int(spec_id, 16)
