"""Duration of short commands, from the start of the process to its end: help, input errors, status.

Run it on an idle machine: `python benchmarks/startup.py`. It prints the median, the spread, and the processor time,
which other load affects less.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = Path(sys.executable).with_name("memesnipe")
CASES = (
    "--help", "up --help", "backtest --help", "bogus", "up --bogus", "up --feed dreams", "tape missing.tape",
    "quote --pool missing.json", "backtest --tape missing.tape --strategy momentum_5m", "status", "down",
)  # fmt: skip


def measure(arguments: list[str], folder: str) -> tuple[float, float]:
    """Return the wall time and the processor time of one run, in seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each command, after one that is not measured")
    runs = parser.parse_args().runs
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}, {runs} runs each")
    print(f"{'memesnipe ...':<54}{'median s':>9}{'fastest':>9}{'slowest':>9}{'cpu s':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            measure(case.split(), folder)
            walls, cpus = zip(*(measure(case.split(), folder) for _ in range(runs)), strict=True)
            figures = (statistics.median(walls), min(walls), max(walls), statistics.median(cpus))
            print(f"{case:<54}" + "".join(f"{figure:9.2f}" for figure in figures))


if __name__ == "__main__":
    main()
