"""Sweeps of many genomes over one tape: genome-events a second of one core, at stated numbers of trades.

    .venv/bin/python benchmarks/sweep.py [--events 250000] [--rounds 7] [--cases sparse dense ...] [--json]

Fills are exact, with latency, failed landings and the trade's own effect on its pool. A genome-event is one genome on
one event of a market of 300 pools, that of `memesnipe bench engine`. The cases:

    sparse    1,000 genomes whose signals are drawn from 64 genes that trade about 1,700 times in a million events
    dense     the same with genes that trade about 18,000 times
    bred      the genomes of the tenth generation of a search, which share what a real generation shares
    distinct  random genomes, no two of which share a gene

Each measurement is a new process that runs the case once before it times it, and takes its own processor time; the
cases take turns. `--cases generation` has 5,000 sparse and 5,000 dense genomes, runs them in two processes, and takes
the time by the clock.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

WORKER = Path(__file__).resolve().with_name("sweep_worker.py")
ONE_CORE = ("sparse", "dense", "bred", "distinct")
GENERATION = "generation"


def main() -> None:
    """Measure the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cases", nargs="+", choices=(*ONE_CORE, GENERATION), default=ONE_CORE)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    for name in ("events", "rounds"):
        if getattr(options, name) <= 0:
            parser.error(f"argument --{name}: must be above 0")
    found: dict[str, list[dict[str, Any]]] = {case: [] for case in options.cases}
    for number in range(1, options.rounds + 1):
        for case in options.cases:
            print(f"round {number} of {options.rounds}: {case}", file=sys.stderr, flush=True)
            found[case].append(_run(case, options.events))
    report = {case: _summary(runs) for case, runs in found.items()}
    report["load"], report["rounds"] = round(os.getloadavg()[0], 1), options.rounds
    print(json.dumps(report) if options.json else _text(report, options))


def _run(case: str, events: int) -> dict[str, Any]:
    command = [sys.executable, str(WORKER), case, str(events)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    speeds = [run["genomes"] * run["events"] / run["seconds"] / 1e6 for run in runs]
    if len({run["digest"] for run in runs}) > 1:
        raise SystemExit("the rounds of a case have different results")
    return runs[0] | {
        "million_genome_events_per_s": {"min": min(speeds), "median": median(speeds), "max": max(speeds)},
        "seconds": [run["seconds"] for run in runs],
        "mb": max(run["mb"] for run in runs),
    }


def _text(report: dict[str, Any], options: argparse.Namespace) -> str:
    lines = [
        f"{os.cpu_count()} cores, load {report['load']}, {report['rounds']} rounds, {options.events:,} events",
        f"{'':12}{'genomes':>9}{'genes':>7}{'of':>8}{'trades/M':>10}{'held s':>8}"
        f"{'M genome-events/s':>21}{'s':>8}{'MB':>7}",
    ]
    for case in options.cases:
        row = report[case]
        speed = row["million_genome_events_per_s"]
        spread = f"{speed['median']:.0f} ({speed['min']:.0f} to {speed['max']:.0f})"
        lines.append(
            f"{case:12}{row['genomes']:>9,}{row['genes']:>7,}{row['signals']:>8,}{row['trades_per_million']:>10,.0f}"
            f"{row['mean_hold_s']:>8,.0f}{spread:>21}{median(row['seconds']):>8.2f}{row['mb']:>7,.0f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
