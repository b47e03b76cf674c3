"""Running statistics over events at irregular times, each with one or two numbers of state.

They run compiled, and as plain Python in the reference engine. Compute ``kept = decay(elapsed_ns, lookback_s)`` once
per event and pass it to all of them: it is the expensive part.
"""

import math

from memesnipe.compiled import jitable

NS_PER_S = 1_000_000_000


@jitable
def decay(elapsed_ns: int, lookback_s: float) -> float:
    """Return the weight left of past values: 1 at once, 1/e after ``lookback_s`` seconds, 0 after 32 times that.

    ``e**-x`` as ``(e**(-x/16))**16`` with a Pade approximant inside: correct to 12 digits after one lookback and to 6
    after eight. It takes a dozen operations, which the processor overlaps from one event to the next, and gives the
    same result on every machine, unlike a library's exponential.
    """
    x = elapsed_ns / (lookback_s * NS_PER_S)
    if x <= 0.0:
        return 1.0
    if x >= 32.0:
        return 0.0
    r = x * 0.0625
    r2 = r * r
    even = 1.0 + r2 * 0.1
    odd = r * (0.5 + r2 * (1.0 / 120.0))
    y = (even - odd) / (even + odd)
    y *= y
    y *= y
    y *= y
    return y * y


@jitable
def blend(mean: float, value: float, kept: float) -> float:
    """Return the exponential mean over irregular times: the longer the gap, the larger the weight of the new value.

    Source: Eckner, "Algorithms for unevenly spaced time series" (2019), next-point interpolation.
    """
    return kept * mean + (1.0 - kept) * value


@jitable
def ema(mean: float, value: float, elapsed_ns: int, lookback_s: float) -> float:
    """Return `blend` with the decay computed here, for a state with a single mean."""
    return blend(mean, value, decay(elapsed_ns, lookback_s))


@jitable
def fading_sum(total: float, value: float, kept: float) -> float:
    """Return the sum over about the last ``lookback_s`` seconds: old values fade, the new one has full weight.

    With a value of 1 it counts events; divided by ``lookback_s`` it is a rate per second.
    """
    return kept * total + value


@jitable
def fading_high(high: float, value: float, kept: float) -> float:
    """Return the highest value of about the last ``lookback_s`` seconds: an old high decays to the current value."""
    return max(value, blend(high, value, kept))


@jitable
def fading_low(low: float, value: float, kept: float) -> float:
    """Return the lowest value of about the last ``lookback_s`` seconds: an old low rises to the current value."""
    return min(value, blend(low, value, kept))


@jitable
def zscore(value: float, mean: float, mean_of_squares: float) -> float:
    """Return by how many standard deviations a value is above its mean; 0 before any variation.

    Both means are running means of the same lookback (`blend`).
    """
    variance = mean_of_squares - mean * mean
    # Rounding errors of equal values are not a variance.
    if variance <= 1e-12 * mean_of_squares:
        return 0.0
    return (value - mean) / math.sqrt(variance)


@jitable
def hour_of_day(ts: int, utc_offset_h: int) -> float:
    """Return the local hour in [0, 24) of an event's ``ts`` at a fixed offset from UTC (Korea: 9)."""
    return ((ts // NS_PER_S + utc_offset_h * 3600) % 86_400) / 3600.0
