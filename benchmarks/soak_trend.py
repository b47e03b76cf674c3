"""What a soak makes of its samples: a line through the second half of each series, and whether it grows too fast."""

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

# Growth of the second half, an hour. Everything that the system keeps in memory has a bound (windows, tokens alive,
# what Redis keeps of each stream), and half an hour is enough to reach them all; the rest is the allocators' play.
MAX_MB_AN_HOUR: Final = 120.0  # of all processes together
JUDGED_FROM_MINUTES: Final = 60.0  # so that the second half begins behind all that
MAX_LAG_AN_HOUR: Final = 2_000.0  # events; the feed waits at 5,000, so a system that falls behind shows early
TOTAL: Final = "all processes"


@dataclass(frozen=True)
class Sample:
    """What the system was like at one moment."""

    at_s: float
    events: int
    lag: int
    redis_mb: float
    postgres_mb: float
    memory_mb: dict[str, float]  # of each role, resident and not shared with another process


@dataclass(frozen=True)
class Trend:
    """A line through the second half of a series."""

    first: float
    last: float
    most: float
    an_hour: float
    sure_an_hour: float  # two standard errors below: what a few noisy samples cannot have made up

    @classmethod
    def of(cls, at_s: list[float], values: list[float]) -> "Trend":
        """Fit the line."""
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
    """The trend of every series. A role that was not there at a sample had no memory then."""
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
    """What is wrong, one line each. PostgreSQL's data grows with the history that it is there to keep."""
    limits = {"lag": (MAX_LAG_AN_HOUR, "events")} | ({TOTAL: (MAX_MB_AN_HOUR, "MB")} if with_memory else {})
    wrong = [
        f"{name} grows by {trends[name].an_hour:,.0f} {unit} an hour; {most:,.0f} are allowed"
        for name, (most, unit) in limits.items()
        if trends[name].sure_an_hour > most
    ]
    wrong += [f"{actor} had to recover {count} times" for actor, count in recoveries.items()]
    return [*wrong, f"`memesnipe up` ended with {code}"] if code else wrong


def show(trends: dict[str, Trend], console: Console) -> None:
    """The table."""
    table = Table(title="soak (MB; the lag in events)", title_justify="left", box=None, pad_edge=False)
    for heading in ("", "first", "last", "most", "an hour", "at least"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, trend in trends.items():
        table.add_row(name, *(f"{value:,.1f}" for value in asdict(trend).values()))
    console.print(table)
