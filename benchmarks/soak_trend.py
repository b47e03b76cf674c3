"""Assessment of a soak's samples: a line through the second half of each series, compared with limits of growth."""

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

# Growth per hour of the second half. All data in memory is bounded (windows, live tokens, retention of streams in
# Redis), and half an hour is enough to reach the bounds; the rest is variation of the memory allocators.
MAX_MB_PER_HOUR: Final = 120.0  # of all processes together
MIN_MINUTES: Final = 60.0  # so that the second half begins after the bounds are reached
MAX_LAG_PER_HOUR: Final = 2_000.0  # events; the feed waits at 5,000, so a lag is visible early
TOTAL: Final = "all processes"


@dataclass(frozen=True)
class Sample:
    """The figures of the system at one moment."""

    at_s: float
    events: int
    lag: int
    redis_mb: float
    postgres_mb: float
    memory_mb: dict[str, float]  # by role, resident and unshared


@dataclass(frozen=True)
class Trend:
    """A line through the second half of a series."""

    first: float
    last: float
    maximum: float
    per_hour: float
    per_hour_lower: float  # two standard errors below `per_hour`: not explained by noise of a few samples

    @classmethod
    def of(cls, at_s: list[float], values: list[float]) -> "Trend":
        """Fit the line to the second half.

        Raises:
            SystemExit: there are too few samples.
        """
        half = len(values) // 2
        hours, series = np.array(at_s[half:]) / 3600, np.array(values[half:])
        if len(series) < 3:
            raise SystemExit("soak: too short to fit a line; give it more SOAK_MINUTES")
        spread = hours - hours.mean()
        slope = float(spread @ series / (spread @ spread))
        residuals = series - series.mean() - slope * spread
        error = float(np.sqrt(residuals @ residuals / (len(series) - 2) / (spread @ spread)))
        return cls(values[0], values[-1], max(values), slope, slope - 2 * error)


def trends_of(samples: list[Sample]) -> dict[str, Trend]:
    """Return the trend of every series. A role without a process at a sample counts as 0 MB."""
    at_s = [sample.at_s for sample in samples]
    roles = sorted({role for sample in samples for role in sample.memory_mb})
    series = {TOTAL: [sum(s.memory_mb.values()) for s in samples]}
    series |= {role: [s.memory_mb.get(role, 0.0) for s in samples] for role in roles}
    series |= {
        "redis data": [s.redis_mb for s in samples],
        "postgres data": [s.postgres_mb for s in samples],
        "lag": [float(s.lag) for s in samples],
    }
    return {name: Trend.of(at_s, values) for name, values in series.items()}


def verdict_on(trends: dict[str, Trend], code: int, recoveries: dict[str, int], *, with_memory: bool) -> list[str]:
    """Return the problems, one line each. PostgreSQL's data is not limited: it grows with the history."""
    limits = {"lag": (MAX_LAG_PER_HOUR, "events")} | ({TOTAL: (MAX_MB_PER_HOUR, "MB")} if with_memory else {})
    wrong = [
        f"{name} grows by {trends[name].per_hour:,.0f} {unit} per hour; the limit is {limit:,.0f}"
        for name, (limit, unit) in limits.items()
        if trends[name].per_hour_lower > limit
    ]
    wrong += [f"{actor} had to recover {count} times" for actor, count in recoveries.items()]
    return [*wrong, f"`memesnipe up` ended with {code}"] if code else wrong


def show(trends: dict[str, Trend], console: Console) -> None:
    """Print the table."""
    table = Table(title="soak (MB; the lag in events)", title_justify="left", box=None, pad_edge=False)
    for heading in ("", "first", "last", "max", "per hour", "at least"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, trend in trends.items():
        table.add_row(name, *(f"{value:,.1f}" for value in asdict(trend).values()))
    console.print(table)
