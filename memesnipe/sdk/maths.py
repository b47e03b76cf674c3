"""Running statistics over events that come at irregular times."""

import math

NS_PER_S = 1_000_000_000


def decay(elapsed_ns: int, lookback_s: float) -> float:
    """How much of the past is left after ``elapsed_ns``: 1 at once, 1/e after ``lookback_s`` seconds."""
    return math.exp(-elapsed_ns / (lookback_s * NS_PER_S)) if elapsed_ns > 0 else 1.0


def ema(mean: float, value: float, elapsed_ns: int, lookback_s: float) -> float:
    """Exponential mean over irregular time; the longer the gap, the more the new value counts.

    Source: Eckner, "Algorithms for unevenly spaced time series" (2019), next-point interpolation.
    """
    kept = decay(elapsed_ns, lookback_s)
    return kept * mean + (1.0 - kept) * value
