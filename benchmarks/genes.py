"""Two versions of the engine over the same events: nanoseconds of one core a genome-event, and their ratio.

    git worktree add ../before HEAD~1
    .venv/bin/python benchmarks/genes.py --base ../before [--cases flat busy ...] [--rounds 7] [--json]

Each measurement is a new process that runs one case and measures its own processor time; the versions alternate, so
that other load on the machine affects both. The results of all strategies, with the digests of all their outcomes, are
compared first: versions that do not agree are not timed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
WORKER = HERE / "genes_worker.py"
CASES = ("flat", "busy", "random", "related", "live", "live related")
FIGURES = ("strategies", "genes", "signals", "trades a million events")


def main() -> None:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="a checkout of the version to compare with")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    if options.rounds < 1 or not (options.base / "memesnipe").is_dir():
        parser.error("--rounds must be above 0, and --base the root folder of a checkout")
    report = {case: _compare(case, options.base.resolve(), options.rounds) for case in options.cases}
    print(json.dumps(report) if options.json else _text(report))


def _compare(case: str, base: Path, rounds: int) -> dict[str, Any]:
    """Return the figures of a case in both versions.

    Raises:
        SystemExit: they do not agree.
    """
    before, after = _run(case, base, timed=False), _run(case, HERE.parent, timed=False)
    if before["digest"] != after["digest"]:
        raise SystemExit(f"{case}: the two versions have different results, so their times are not compared")
    times: dict[str, list[float]] = {"before": [], "after": []}
    for number in range(1, rounds + 1):
        print(f"{case}: round {number} of {rounds}", file=sys.stderr, flush=True)
        times["before"].append(_run(case, base, timed=True)["ns"])
        times["after"].append(_run(case, HERE.parent, timed=True)["ns"])
    ratios = [old / new for old, new in zip(times["before"], times["after"], strict=True)]
    return {**{name: after[name] for name in FIGURES}, **times, "ratios": ratios}


def _run(case: str, checkout: Path, *, timed: bool) -> dict[str, Any]:
    command = [sys.executable, "-P", str(WORKER), case, *(["--timed"] if timed else [])]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if Path(found["package"]).parent != checkout:
        raise SystemExit(f"{found['package']} was measured instead of the package in {checkout}")
    return found


def _text(report: dict[str, dict[str, Any]]) -> str:
    rounds = len(next(iter(report.values()))["ratios"])
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {rounds} rounds"
    lines = [
        f"{load}; ns of one core a genome-event: median (min)",
        f"{'':14}{'strategies':>11}{'genes':>7}{'of':>7}{'trades/M':>10}"
        f"{'before':>16}{'after':>16}{'ratio, min - max':>21}",
    ]
    for case, found in report.items():
        before, after = (f"{median(found[name]):.1f} ({min(found[name]):.1f})" for name in ("before", "after"))
        ratios = f"{median(found['ratios']):.2f}, {min(found['ratios']):.2f} - {max(found['ratios']):.2f}"
        sizes = f"{found['strategies']:>11,}{found['genes']:>7,}{found['signals']:>7,}"
        lines.append(f"{case:14}{sizes}{found['trades a million events']:>10,.0f}{before:>16}{after:>16}{ratios:>21}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
