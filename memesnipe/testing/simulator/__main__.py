"""`python -m memesnipe.testing.simulator`: simulate runs by seed, and print the seeds of those that are not correct."""

import sys
from argparse import ArgumentParser
from collections import Counter
from os import cpu_count
from time import perf_counter

from rich.console import Console
from rich.progress import Progress

from memesnipe.testing.simulator.simulate import simulate, simulate_all

_MAX_PRINTED = 10  # defects


def main() -> int:
    """Run the command; return its exit status."""
    parser = ArgumentParser(prog="python -m memesnipe.testing.simulator", description=__doc__)
    parser.add_argument("--histories", type=int, default=2_000, help="number of runs (2,000)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first run (0)")
    parser.add_argument("--workers", type=int, default=cpu_count() or 1, help="processes (one for each core)")
    parser.add_argument("--seed", type=int, help="repeat the run of this seed alone")
    options = parser.parse_args()
    for name in ("histories", "workers"):
        if getattr(options, name) < 1:
            parser.error(f"argument --{name}: must be at least 1")
    if options.seed is not None:
        run = simulate(options.seed)
        sys.stdout.write(run.error or f"seed {run.seed}: correct, {run.steps:,} steps, {', '.join(run.faults)}\n")
        return 0 if run.is_correct else 1
    return _run_all(options.first_seed, options.histories, options.workers)


def _run_all(first_seed: int, count: int, workers: int) -> int:
    started = perf_counter()
    steps = trades = 0
    faults: Counter[str] = Counter()
    defects = []
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("simulated runs", total=count)
        for run in simulate_all(first_seed, count, workers):
            steps, trades = steps + run.steps, trades + run.trades
            faults.update(run.faults)
            if not run.is_correct:
                defects.append(run)
            progress.update(bar, advance=1)
    for run in defects[:_MAX_PRINTED]:
        sys.stdout.write(f"seed {run.seed}, {', '.join(run.faults)}\n{run.error}\n")
    sys.stdout.write(
        f"{count:,} runs, {steps:,} steps, {trades:,} trades, {faults.total():,} faults in "
        f"{perf_counter() - started:.0f} s; {len(defects)} not correct\n"
    )
    sys.stdout.writelines(f"  {kind}: {number:,}\n" for kind, number in sorted(faults.items()))
    if defects:
        seeds = " ".join(str(run.seed) for run in defects[:_MAX_PRINTED])
        sys.stdout.write(f"repeat one with --seed; first seeds: {seeds}\n")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
