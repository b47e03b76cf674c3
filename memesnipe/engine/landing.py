"""Landing: whether a transaction reaches the chain, drawn from a hash and therefore reproducible."""

from typing import Any

import numpy as np

from memesnipe.compiled import compiled


@compiled
def mix(z: Any) -> Any:
    """Apply the finaliser of SplitMix64 (Steele, Lea and Flood 2014) to 64-bit words."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def landing_draw(seed: int, key: int, order_no: int) -> float:
    """Return a uniform number in [0, 1) that depends only on the run's seed, the strategy's key and the order no."""
    start: Any = mix(np.uint64(seed) ^ np.uint64(key))
    word: Any = mix(start + np.uint64(order_no) * np.uint64(0x9E3779B97F4A7C15))
    draw: float = (word >> np.uint64(11)) * 2.0**-53
    return draw


def key_of(spec_id: str) -> int:
    """Return a strategy's key: its spec id read as a hexadecimal number."""
    return int(spec_id, 16)
