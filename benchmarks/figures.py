"""The speed figures of README from one run on one machine: minimum, median and maximum.

    .venv/bin/python benchmarks/figures.py [--runs 3] [--without-live]

`memesnipe bench engine`, `bench evolve` and `bench live --repeats 1` alternate, so that other load on the machine
affects all of them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

MEMESNIPE = Path(sys.executable).with_name("memesnipe")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the command that measures it, its path in the JSON, and its format."""

    command: str
    path: tuple[str, ...]
    label: str
    scale: float = 1.0
    digits: int = 0


FIGURES = (
    Figure("engine", ("full",), "engine, exposed 15 % of the time: million genome-events/s", 1e-6),
    Figure("engine", ("busy",), "engine, always exposed: million genome-events/s", 1e-6),
    Figure("engine", ("bare",), "the same strategy as a bare loop without trades: million/s", 1e-6),
    Figure("engine", ("startup_seconds",), "new process to its first backtest: s", digits=2),
    Figure("evolve", ("evaluations_per_s", "1"), "evaluations/s of 50,000 events, 1 worker"),
    Figure("evolve", ("evaluations_per_s", "2"), "evaluations/s of 50,000 events, 2 workers"),
    Figure("evolve", ("speedup",), "speed-up by the second worker", digits=2),
    Figure("live", ("whole_market", "p50_ms"), "live, 10,000 strategies at 300 events/s: median ms to the decision"),
    Figure("live", ("whole_market", "p99_ms"), "live, 10,000 strategies at 300 events/s: p99 ms"),
    Figure("live", ("whole_market", "p999_ms"), "live, 10,000 strategies at 300 events/s: p99.9 ms"),
    Figure("live", ("fast", "p50_ms"), "live, 1,000 strategies at 5,000 events/s: median ms to the decision"),
    Figure("live", ("fast", "p99_ms"), "live, 1,000 strategies at 5,000 events/s: p99 ms"),
    Figure("live", ("sustained", "10000 strategies", "events_per_s"), "live, 10,000 strategies: events/s sustained"),
)


def measure(command: str) -> dict[str, Any]:
    """Run one benchmark and return its JSON.

    Raises:
        SystemExit: it failed.
    """
    print(f"memesnipe bench {command} ...", file=sys.stderr, flush=True)
    options = ["--repeats", "1"] if command == "live" else []
    line = [str(MEMESNIPE), "bench", command, *options, "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"memesnipe bench {command}: exit {done.returncode}: {done.stderr.strip()}")
    return dict(json.loads(done.stdout))


def value_at(result: dict[str, Any], path: tuple[str, ...]) -> float:
    """Return the number at a path of keys."""
    found: Any = result
    for key in path:
        found = found[key]
    return float(found)


def machine() -> str:
    """Name the processor, the number of cores, the load before the run, and the day."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    day = datetime.now(UTC).date().isoformat()
    return f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {day}"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-live", action="store_true", help="leave out the live system, which takes longest")
    chosen = parser.parse_args()
    commands = [c for c in ("engine", "evolve", "live") if not (c == "live" and chosen.without_live)]
    description = machine()
    runs: dict[str, list[dict[str, Any]]] = {command: [] for command in commands}
    for _ in range(chosen.runs):
        for command in commands:
            runs[command].append(measure(command))
    print(f"{description}; {chosen.runs} runs\n")
    print(f"{'':<76}{'min':>9}{'median':>9}{'max':>9}")
    for figure in FIGURES:
        if figure.command in runs:
            values = [figure.scale * value_at(result, figure.path) for result in runs[figure.command]]
            shown = (f"{value:>9,.{figure.digits}f}" for value in (min(values), median(values), max(values)))
            print(f"{figure.label:<76}{''.join(shown)}")


if __name__ == "__main__":
    main()
