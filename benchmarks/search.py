"""Comparison of random search, optuna's TPE, CatCMAwM and ours: which champion is better on hours it has not seen?

    .venv/bin/python benchmarks/search.py [--edges momentum social] [--windows 200] [--seeds 10] [--hours 6] [--json]

Every seed makes a market with a planted edge, and all searches search its first hours, each until it has processed as
many events as so many backtests on all these hours. The fittest genome that a search has evaluated on all of them is
its champion, and runs on the fresh hours that follow. The first run compiles the engine.
"""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import optuna
from rich.console import Console
from rich.table import Table
from scipy.stats import wilcoxon
from search_contenders import CONTENDERS, OURS, RANDOM, Spent

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import BLOCKS, Evaluation, Segment, evaluate, run_segment
from memesnipe.evolution.fitness import score_of
from memesnipe.evolution.samples import Sample, Sampler
from memesnipe.evolution.spans import cut
from memesnipe.evolution.window import latest, slices_between_gaps
from memesnipe.market.events import NS_PER_S
from memesnipe.sdk.registry import discover
from memesnipe.stats.overfitting import block_moments
from memesnipe.stats.splits import Span
from memesnipe.testing.labelled_markets import START_TS, Edge, labelled_market

CAPITAL_USD = 1_000.0
EDGES = tuple(edge for edge in Edge if edge is not Edge.NOISE)
NOTES = (
    "Medians over the seeds. Each seed is another market and another search.",
    "score: return over volatility on the fresh hours, weighed by the number of trades, as in the fitness; 0 without "
    "trades. fitness: the highest one on the searched hours.",
    "ours better: number of seeds with a better score (a tie counts one half), and the probability of such differences "
    "if ours was not better (Wilcoxon signed-rank test, one-sided).",
    "genomes: that the search has backtested on some sample, or on all hours. own s: the search without its backtests.",
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found on one market."""

    edge: str
    seed: int
    search: str
    fitness: float  # on the hours of the search
    score: float  # on the fresh hours
    fresh_return: float
    fresh_trades: int
    genomes: int
    windows: float  # events processed, in backtests on all hours of the search
    own_s: float
    backtests_s: float


class Meter:
    """Runs backtests while the budget lasts, and remembers the fittest genome on the whole window."""

    def __init__(self, sample: Sample, windows: int, seed: int) -> None:
        self.sample = sample
        self.families, self.model = discover(), FillModel(seed=seed)
        self.events_left = windows * sample.events
        self.best: tuple[float, Genome | None] = (-float("inf"), None)
        self.genomes: set[str] = set()
        self.seconds = 0.0

    def affords(self, windows: int) -> bool:
        """Return whether the budget suffices for so many backtests on the whole window."""
        return windows * self.sample.events <= self.events_left

    def run(self, sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        """Return the evaluations of genomes.

        Raises:
            Spent: the budget does not suffice.
        """
        cost = sample.events * len(genomes)
        if cost > self.events_left:
            raise Spent
        self.events_left -= cost
        started = time.perf_counter()
        found = evaluate(*sample.segments(), genomes, self.families, self.model, CAPITAL_USD)
        self.seconds += time.perf_counter() - started
        self.genomes |= {genome.spec_id for genome in genomes}
        if sample.depth == 0:
            for genome, evaluation in zip(genomes, found, strict=True):
                if evaluation.fitness > self.best[0]:
                    self.best = (evaluation.fitness, genome)
        return found


def main() -> None:
    """Run the searches and print the comparison."""
    options = _options()
    names = [name for name in CONTENDERS if name in {*options.searches, OURS}]
    print("compiling the engine, if needed", file=sys.stderr, flush=True)
    search_all((EDGES[0], options.first_seed, 1, 1.0, 1.0, [RANDOM]))
    plan = [
        (edge, seed, options.windows, options.hours, options.fresh_hours, names)
        for edge in options.edges
        for seed in range(options.first_seed, options.first_seed + options.seeds)
    ]
    started = time.perf_counter()
    found: list[Found] = []
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for done in pool.imap(search_all, plan):
            found += done
            scores = ", ".join(f"{one.search} {one.score:.2f}" for one in done)
            print(f"{done[0].edge} {done[0].seed}: {scores}", file=sys.stderr, flush=True)
    title = (
        f"{options.windows} backtests on {options.hours:g} h or as many events, then {options.fresh_hours:g} fresh h; "
        f"{options.seeds} seeds from {options.first_seed}; optuna {optuna.__version__}; "
        f"{time.perf_counter() - started:.0f} s"
    )
    if options.json:
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        print(json.dumps({"title": title, "machine": machine, "found": [asdict(one) for one in found]}))
    else:
        _print(title, found, [str(edge) for edge in options.edges], names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", type=Edge, nargs="+", choices=EDGES, default=EDGES, help="the planted edges")
    parser.add_argument(
        "--searches", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS), help="besides ours"
    )
    parser.add_argument("--windows", type=int, default=200, help="the budget, in backtests on all searched hours")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=6.0, help="searched")
    parser.add_argument("--fresh-hours", type=float, default=6.0, help="after them, for the test")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    for name in ("windows", "seeds", "hours", "fresh_hours", "workers"):
        if getattr(options, name) <= 0:
            parser.error(f"argument --{name.replace('_', '-')}: must be above 0")
    return options


def search_all(plan: tuple[Edge, int, int, float, float, Sequence[str]]) -> list[Found]:
    """Run searches on one market.

    Args:
        plan: the edge, the seed, the budget in windows, the searched hours, the fresh hours, and the searches.
    """
    edge, seed, windows, hours, fresh_hours, names = plan
    events = labelled_market(edge, seed, hours=hours + fresh_hours).events
    stop_ts = START_TS + int(hours * 3_600) * NS_PER_S
    searched = cut(events, Span(0, stop_ts))
    slices = slices_between_gaps("", searched, lambda start, stop: searched[start:stop], is_final=True)
    window = latest(reversed(slices), stop_ts)
    (whole,) = Sampler().samples(window, 0)[-1:]
    fresh_span = Span(stop_ts, int(events["ts"][-1]) + 1)
    fresh = Segment(fresh_span, (cut(events, fresh_span),))
    return [_found(edge, seed, name, Meter(whole, windows, seed), windows, fresh) for name in names]


def _found(edge: Edge, seed: int, name: str, meter: Meter, windows: int, fresh: Segment) -> Found:
    started = time.perf_counter()
    with suppress(Spent):
        CONTENDERS[name](meter.families, seed, meter)
    seconds = time.perf_counter() - started
    fitness, champion = meter.best
    assert champion is not None  # noqa: S101 - every budget suffices for one backtest
    (record,) = run_segment(fresh, [champion], meter.families, meter.model, CAPITAL_USD)
    return Found(
        edge=str(edge),
        seed=seed,
        search=name,
        fitness=fitness,
        score=score_of(record.result, block_moments(record.returns[None], BLOCKS)[0]),
        fresh_return=record.result.total_return,
        fresh_trades=record.result.trades,
        genomes=len(meter.genomes),
        windows=windows - meter.events_left / meter.sample.events,
        own_s=seconds - meter.seconds,
        backtests_s=meter.seconds,
    )


def _print(title: str, found: list[Found], edges: list[str], names: list[str]) -> None:
    columns = ("market", "search", "fitness", "score", "fresh return", "trades", "genomes", "own s", "backtests s")
    table = Table(*columns, "ours better", "p", title=title, box=None)
    for edge in (*edges, *(["all"] if len(edges) > 1 else [])):
        of_edge = [one for one in found if edge in ("all", one.edge)]
        ours = [one.score for one in of_edge if one.search == OURS]
        for name in names:
            those = [one for one in of_edge if one.search == name]
            figures = [
                form.format(statistics.median(getattr(one, figure) for one in those))
                for figure, form in (
                    ("fitness", "{:.2f}"), ("score", "{:.2f}"), ("fresh_return", "{:+.0%}"), ("fresh_trades", "{:.0f}"),
                    ("genomes", "{:,.0f}"), ("own_s", "{:.1f}"), ("backtests_s", "{:.1f}"),
                )
            ]  # fmt: skip
            table.add_row(edge, name, *figures, *_comparison(ours, [one.score for one in those], name))
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table)
    for note in NOTES:
        console.print(f"- {note}", soft_wrap=True)


def _comparison(ours: list[float], theirs: list[float], name: str) -> tuple[str, str]:
    if name == OURS:
        return "", ""
    won = sum(1.0 if a > b else 0.5 * (a == b) for a, b in zip(ours, theirs, strict=True))
    differ = any(a != b for a, b in zip(ours, theirs, strict=True))
    p = wilcoxon(ours, theirs, alternative="greater").pvalue if differ else 1.0
    return f"{won:g} of {len(ours)}", f"{p:.4f}"


if __name__ == "__main__":
    main()
