"""Random draws of compiled code: each token has its own stream, keyed by the market's seed and the token's number.

The n-th word of a stream is a hash of the key and n (SplitMix64; Steele, Lea and Flood 2014), so a token's life does
not depend on the lives generated before it.
"""

import math
from typing import Any

import numpy as np

from memesnipe.compiled import jitable
from memesnipe.engine.landing import mix

_STEP = 0x9E3779B97F4A7C15
_MAX_MEAN = 30.0  # of a Poisson draw by multiplication; larger means are drawn as a normal


@jitable
def stream_key(seed: int, number: int, purpose: int) -> Any:
    """Return the key of a stream."""
    word = mix(np.uint64(seed) + np.uint64(_STEP))
    word = mix(word ^ (np.uint64(number) * np.uint64(_STEP)))
    return mix(word + np.uint64(purpose))


@jitable
def uniform(life: Any) -> float:
    """Draw from [0, 1)."""
    life.counter += np.uint64(1)
    word = mix(life.key + life.counter * np.uint64(_STEP))
    return float(word >> np.uint64(11)) * 2.0**-53


@jitable
def between(life: Any, low: float, high: float) -> float:
    """Draw from [low, high)."""
    return low + (high - low) * uniform(life)


@jitable
def exponential(life: Any, mean: float) -> float:
    """Draw from an exponential distribution."""
    return -mean * math.log(1.0 - uniform(life))


@jitable
def normal(life: Any) -> float:
    """Draw from the standard normal distribution (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(life)))
    return radius * math.cos(2.0 * math.pi * uniform(life))


@jitable
def lognormal(life: Any, median: float, sigma: float) -> float:
    """Draw from a lognormal distribution."""
    return median * math.exp(sigma * normal(life))


@jitable
def poisson(life: Any, mean: float) -> int:
    """Draw from a Poisson distribution; beyond a mean of 30 from a normal one."""
    if mean > _MAX_MEAN:
        return max(int(mean + math.sqrt(mean) * normal(life) + 0.5), 0)
    limit, product, count = math.exp(-mean), uniform(life), 0
    while product > limit:
        product *= uniform(life)
        count += 1
    return count
