"""The stationary bootstrap: confidence intervals for statistics of serially dependent returns."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_AT_ONCE: Final = 1 << 20  # numbers drawn at once; about eight arrays of this size are in memory
_MIN_DEVIATION: Final = 1e-9

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # (samples, periods) -> (samples,)


def stationary_indices(rng: np.random.Generator, periods: int, samples: int, mean_block: float) -> NDArray[np.intp]:
    """Resample periods in blocks of geometric length that wrap around at the end (Politis & Romano 1994).

    Args:
        rng: random generator.
        periods: length of the series.
        samples: number of series to draw.
        mean_block: mean length of a block in periods, at least 1; 1 is the ordinary bootstrap.

    Returns:
        Indices, shape (samples, periods).

    Raises:
        ValueError: the mean block is shorter than one period, or there is no period.
    """
    if not mean_block >= 1.0 or periods < 1:
        raise ValueError(f"blocks of {mean_block} in {periods} periods: both must be at least 1")
    begins = rng.random((samples, periods)) < 1.0 / mean_block
    starts = rng.integers(periods, size=(samples, periods))
    position = np.arange(periods)
    # The first period always begins a block.
    began_at = np.maximum.accumulate(np.where(begins, position, 0), axis=1)
    start = np.take_along_axis(starts, began_at, axis=1)
    return (start + position - began_at) % periods


def bootstrap_interval(
    returns: NDArray[np.floating[Any]],
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    mean_block: float,
    samples: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile interval of a statistic of returns by the stationary bootstrap (Politis & Romano 1994).

    Args:
        returns: shape (periods,).
        statistic: maps resampled returns, shape (samples, periods), to one value each, shape (samples,).
        rng: random generator.
        mean_block: mean length of a block in periods, about the range of the dependence.
        samples: number of samples.
        confidence: confidence of the interval, between 0 and 1.

    Returns:
        The lower and the upper end, in the unit of the statistic.

    Raises:
        ValueError: no returns, no samples, or a confidence outside (0, 1).
    """
    if samples < 1 or not 0.0 < confidence < 1.0:
        raise ValueError(f"{samples} samples, confidence {confidence}: need at least 1 sample and a share in (0, 1)")
    values = np.asarray(returns, np.float64)
    size = max(_AT_ONCE // max(len(values), 1), 1)
    found = []  # in parts, to bound the memory
    for start in range(0, samples, size):
        indices = stationary_indices(rng, len(values), min(size, samples - start), mean_block)
        found.append(statistic(values[indices]))
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1.0 - tail])
    return float(low), float(high)


def sharpe_statistic(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Sharpe ratio per period of each row of (samples, periods); 0 for constant rows."""
    if samples.shape[1] < 2:
        return np.zeros(len(samples))
    mean, deviation = samples.mean(axis=1), samples.std(axis=1, ddof=1)
    # The deviation of equal returns is a rounding error, as in `sharpe_of`.
    varies = deviation > np.maximum(_MIN_DEVIATION, 1e-6 * np.abs(mean))
    return np.where(varies, mean / np.where(varies, deviation, 1.0), 0.0)
