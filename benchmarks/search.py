"""Comparison of random search, optuna's TPE, optuna's NSGA-II and ours, with equal evaluations on the same markets.

    .venv/bin/python benchmarks/search.py [--edge momentum] [--evaluations 600] [--seeds 10] [--hours 6] [--json]

Every seed makes a market with a planted edge, and all four search it, on the first part of the tape alone and in
batches of the same size. The genome with the highest fitness of each search is then tested on the holdout, the last
part of the tape. A repeated genome counts as another evaluation. The first run compiles the engine.
"""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table
from search_contenders import BATCH, CONTENDERS, OURS, RANDOM

from memesnipe.engine.fills import FillModel
from memesnipe.evolution.evaluation import SAMPLE_S, Evaluation, Segment, evaluate, run_segment
from memesnipe.evolution.spans import cut, search_spans, span_of
from memesnipe.sdk.registry import discover
from memesnipe.stats.sharpe import sharpe_of
from memesnipe.testing.labelled_markets import Edge, labelled_market

CAPITAL_USD = 1_000.0
PROCESSES = 2
FIRST_SEED = 1
QUARTERS = 4
FIGURES = (
    "fitness",
    "holdout_return",
    "holdout_sharpe",
    "holdout_trades",
    "evaluations_to_random",
    "own_s",
    "evaluation_s",
)
NOTES = (
    "Medians over the seeds, with the quartiles in brackets. Each seed is another market and another search.",
    "fitness: the best fitness found, which the search maximises. holdout: the result of that genome on the last part "
    "of the tape; the Sharpe ratio is annualised.",
    "to random: evaluations until the search had reached the final fitness of random search; the number of all "
    "evaluations plus one if it never did.",
    "own s: seconds that the search itself took for ask and tell, without backtests; tests s: the backtests.",
    "TPE: multivariate, grouped, with constant liar; the families of three slots are categories and the parameters are "
    "conditional on them. NSGA-II: the same space, but with all parameters of all families in every trial, because it "
    "can only cross parameters that all trials have.",
)  # fmt: skip


def main() -> None:
    """Run the searches and print the comparison."""
    options = _options()
    report = compare(options.edge, options.seeds, options.evaluations, options.hours, tuple(CONTENDERS))
    if options.json:
        print(json.dumps(report))
    else:
        _print(report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edge", type=Edge, choices=list(Edge), default=Edge.MOMENTUM, help="the planted edge")
    parser.add_argument("--evaluations", type=int, default=600, help=f"of each search, in batches of {BATCH}")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--hours", type=float, default=6.0, help="length of the tape")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser.parse_args()


def compare(edge: Edge, seeds: int, evaluations: int, hours: float, names: tuple[str, ...]) -> dict[str, Any]:
    """Run every search on every seed; return the figures."""
    _print_step("compiling the engine, if needed")
    search_all(edge, BATCH, hours, (RANDOM,), FIRST_SEED)
    started = time.perf_counter()
    found: list[dict[str, dict[str, Any]]] = []
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        job = partial(search_all, edge, evaluations, hours, names)
        for done in pool.imap(job, range(FIRST_SEED, FIRST_SEED + seeds)):
            found.append(done)
            _print_step(
                f"seed {len(found)} of {seeds}: " + ", ".join(f"{n} {r['fitness']:.3f}" for n, r in done.items())
            )
    return {
        "edge": edge, "evaluations": evaluations, "hours": hours, "seeds": seeds, "batch": BATCH,
        "seconds": time.perf_counter() - started, "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "searches": {name: _summary([done[name] for done in found]) for name in names},
        "wins_of_ours": {name: _wins(found, name) for name in names if name != OURS},
        "by_seed": found, "notes": NOTES,
    }  # fmt: skip


def search_all(
    edge: Edge, evaluations: int, hours: float, names: tuple[str, ...], seed: int
) -> dict[str, dict[str, Any]]:
    """Run all searches on the market of one seed; return the figures by search."""
    families, model = discover(), FillModel(seed=seed)
    events = labelled_market(edge, seed, hours=hours).events
    spans = search_spans(span_of(events))
    train, validation, unseen = (Segment(s, (cut(events, s),)) for s in (spans.train, spans.validation, spans.holdout))
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        contender = CONTENDERS[name](families, evaluations, seed)
        own_s, evaluation_s, left = 0.0, 0.0, evaluations
        curve: list[float] = []
        best, best_fitness = None, -float("inf")
        while left > 0:
            begun = time.perf_counter()
            genomes = contender.ask(min(BATCH, left))
            asked = time.perf_counter()
            evaluations_made: list[Evaluation] = evaluate(train, validation, genomes, families, model, CAPITAL_USD)
            evaluated = time.perf_counter()
            contender.tell(genomes, evaluations_made)
            own_s += asked - begun + time.perf_counter() - evaluated
            evaluation_s += evaluated - asked
            left -= len(genomes)
            for genome, evaluation in zip(genomes, evaluations_made, strict=True):
                if evaluation.fitness > best_fitness:
                    best, best_fitness = genome, evaluation.fitness
                curve.append(best_fitness)
        assert best is not None  # noqa: S101 - at least one was evaluated
        (record,) = run_segment(unseen, [best], families, model, CAPITAL_USD)
        found[name] = {
            "fitness": best_fitness,
            "genome": best.to_dict(),
            "holdout_return": record.result.total_return,
            "holdout_sharpe": sharpe_of(record.returns, SAMPLE_S).annualised,
            "holdout_trades": record.result.trades,
            "own_s": own_s, "evaluation_s": evaluation_s, "curve": curve,
        }  # fmt: skip
    target = found[RANDOM]["fitness"] if RANDOM in found else float("inf")
    for result in found.values():
        reached = [number for number, fitness in enumerate(result["curve"], 1) if fitness >= target]
        result["evaluations_to_random"] = reached[0] if reached else evaluations + 1
        result["curve"] = result["curve"][BATCH - 1 :: BATCH]
    return found


def _summary(results: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the first quartile, the median and the third quartile of every figure."""
    return {figure: _quartiles([result[figure] for result in results]) for figure in FIGURES}


def _quartiles(values: list[float]) -> list[float]:
    return statistics.quantiles(values, n=QUARTERS, method="inclusive") if len(values) > 1 else values * 3


def _wins(found: list[dict[str, dict[str, Any]]], name: str) -> dict[str, float]:
    """Return the number of seeds on which ours is better; a tie counts one half."""
    wins = {}
    for figure in ("fitness", "holdout_return", "holdout_sharpe"):
        pairs = [(done[OURS][figure], done[name][figure]) for done in found]
        wins[figure] = sum(1.0 if ours > other else 0.5 * (ours == other) for ours, other in pairs)
    return wins


def _print(report: dict[str, Any]) -> None:
    columns: list[tuple[str, str, Callable[[float], str]]] = [
        ("fitness", "fitness", "{:.3f}".format),
        ("holdout return", "holdout_return", "{:+.1%}".format),
        ("holdout Sharpe", "holdout_sharpe", "{:.0f}".format),
        ("trades", "holdout_trades", "{:.0f}".format),
        ("to random", "evaluations_to_random", "{:.0f}".format),
    ]
    title = (
        f"{report['evaluations']:,} evaluations on each of {report['seeds']} markets of {report['hours']:g} h, "
        f"edge: {report['edge']}; {report['seconds']:.0f} s"
    )
    wins = "ours better: fitness / return / Sharpe"
    table = Table("search", *(head for head, _, _ in columns), "own s", "tests s", wins, title=title, box=None)
    for name, summary in report["searches"].items():
        cells = [f"{f(summary[k][1])} ({f(summary[k][0])} to {f(summary[k][2])})" for _, k, f in columns]
        cells += [f"{summary[key][1]:.1f}" for key in ("own_s", "evaluation_s")]
        won = report["wins_of_ours"].get(name)
        cells.append(" / ".join(f"{count:g}" for count in won.values()) + f" of {report['seeds']}" if won else "")
        table.add_row(name, *cells)
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table)
    for note in report["notes"]:
        console.print(f"- {note}", soft_wrap=True)


def _print_step(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
