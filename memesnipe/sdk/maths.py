"""Running statistics over events that come at irregular times, each in one or two numbers of state.

They compile, and they are plain Python where the reference engine runs them. Compute
``kept = decay(elapsed_ns, lookback_s)`` once for an event and give it to each of them: it is what costs.
"""

import math

from memesnipe.compiled import jitable

NS_PER_S = 1_000_000_000


@jitable
def decay(elapsed_ns: int, lookback_s: float) -> float:
    """How much of the past is left: 1 at once, 1/e after ``lookback_s`` seconds, 0 after 32 times that.

    ``e**-x`` as ``(e**(-x/16))**16`` with a Pade approximant inside: right to 12 digits after one lookback and to 6
    after eight. It is a dozen operations that the processor overlaps from one event to the next, and it is the same on
    every machine, which a library's exponential is not.
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
    """Exponential mean over irregular time; the longer the gap, the more the new value counts.

    Source: Eckner, "Algorithms for unevenly spaced time series" (2019), next-point interpolation.
    """
    return kept * mean + (1.0 - kept) * value


@jitable
def ema(mean: float, value: float, elapsed_ns: int, lookback_s: float) -> float:
    """`blend` for a state that keeps a single mean."""
    return blend(mean, value, decay(elapsed_ns, lookback_s))


@jitable
def fading_sum(total: float, value: float, kept: float) -> float:
    """A sum over about the last ``lookback_s`` seconds: what was fades, what is new counts in full.

    With a value of 1 it counts events; divided by ``lookback_s`` it is a rate a second.
    """
    return kept * total + value


@jitable
def fading_high(high: float, value: float, kept: float) -> float:
    """The highest value of about the last ``lookback_s`` seconds: an old high sinks towards what is now."""
    return max(value, blend(high, value, kept))


@jitable
def fading_low(low: float, value: float, kept: float) -> float:
    """The lowest value of about the last ``lookback_s`` seconds: an old low rises towards what is now."""
    return min(value, blend(low, value, kept))


@jitable
def zscore(value: float, mean: float, mean_of_squares: float) -> float:
    """How many standard deviations a value lies above its mean; 0 where nothing has varied yet.

    Both means are running ones of the same lookback (`blend`).
    """
    variance = mean_of_squares - mean * mean
    # What rounding leaves of equal values is no variance.
    if variance <= 1e-12 * mean_of_squares:
        return 0.0
    return (value - mean) / math.sqrt(variance)


@jitable
def hour_of_day(ts: int, utc_offset_h: int) -> float:
    """The local hour, 0 up to 24, of an event's ``ts`` at a fixed offset from UTC (Korea: 9)."""
    return ((ts // NS_PER_S + utc_offset_h * 3600) % 86_400) / 3600.0
