"""The calibration of the synthetic market: its figures against measured ones, its plots, and its speed.

    .venv/bin/python benchmarks/synthetic_market.py [--seeds 3] [--first-seed 1] [--write] [--plots]

Prints the table of docs/synthetic-market.md; `--write` replaces the one there, `--plots` the images in docs/img.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from plots import write_plots

from memesnipe.feeds.synth_market.market import SynthMarket
from memesnipe.market.events import Events, join
from memesnipe.testing.market_figures import Figures, MarketTrades, all_figures
from memesnipe.testing.market_targets import TARGETS, Target

LAUNCHES_A_DAY = 21_800  # 655,770 in 30 days of 2025-09
HOURS = 24.0
WINDOW_S = 1_800.0
DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- calibration -->\n", "<!-- /calibration -->\n"


def generate(seed: int) -> tuple[SynthMarket, Events]:
    """Return a day of a market of the size of pump.fun's."""
    market = SynthMarket(seed, LAUNCHES_A_DAY, HOURS)
    return market, join(*market.windows(WINDOW_S))


def table(runs: list[Figures]) -> str:
    """Return the figures as a table: the median and the range of the seeds."""
    lines = ["| figure | measured | tolerance | generated (seeds) | within | source |", "|---|---|---|---|---|---|"]
    for target in TARGETS:
        values = [run[target.key] for run in runs]
        middle = float(np.median(values))
        shown = f"{_number(middle)} ({_number(min(values))} to {_number(max(values))})"
        verdict = "yes" if target.low <= middle <= target.high else "**no**"
        label = target.label + (" (set)" if target.is_set else "")
        lines.append(
            f"| {label} | {_number(target.measured)} | {_range(target)} | {shown} | {verdict} | {target.source} |"
        )
    return "\n".join(lines)


def _range(target: Target) -> str:
    return f"{_number(target.low)} to {_number(target.high)}"


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def speed(seed: int) -> tuple[int, float]:
    """Return the events of a day and the seconds of one core that generating them takes, ordered by time."""
    started = time.process_time()
    _, events = generate(seed)
    return len(events), time.process_time() - started


def write(text: str) -> None:
    """Replace the table on the page."""
    page = DOCS / "synthetic-market.md"
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}{text}\n{END}{rest.partition(END)[2]}")


def main() -> None:
    """Print the table and the speed, and write the plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1, help="the parameters were chosen on the seeds 1 to 3")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/synthetic-market.md")
    parser.add_argument("--plots", action="store_true", help="write docs/img/synthetic-*.svg")
    chosen = parser.parse_args()
    runs = []
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        market, events = generate(seed)
        trades = MarketTrades.of(events, market.launches)
        runs.append(all_figures(trades))
        if chosen.plots and seed == chosen.first_seed:
            write_plots(trades, DOCS / "img")
    print(table(runs))
    if chosen.write:
        write(table(runs))
    count, seconds = speed(1)
    print(f"{count:,} events in {seconds:.1f} s of one core: {count / seconds:,.0f} events/s", file=sys.stderr)


if __name__ == "__main__":
    main()
