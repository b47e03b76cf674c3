"""Searches on labelled markets: the rate of promotable champions on pure noise, and on markets with a planted edge.

python benchmarks/false_discovery.py     # 20 seeds of noise, 10 of each edge: the table of docs/statistics.md
python benchmarks/false_discovery.py --edge noise --seeds 3 --json
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation, Record, Segment, evaluate, run_segment
from memesnipe.evolution.finish import BASELINE_GENOMES, CHAMPIONS, PolishPlan, polish, run_holdout
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.search import Search
from memesnipe.evolution.spans import cut, search_spans, span_of
from memesnipe.evolution.usable import usable_families
from memesnipe.sdk.registry import discover
from memesnipe.testing.labelled_markets import Edge, labelled_market

GENERATIONS: Final = 10
POPULATION: Final = 200
POLISH: Final = 32
HOURS: Final = {edge: 24.0 if edge is Edge.MEAN_REVERSION else 18.0 for edge in Edge}  # its profits are rare and uneven
CAPITAL_USD: Final = 1_000.0
SEEDS: Final = {edge: 20 if edge is Edge.NOISE else 10 for edge in Edge}
FAMILY_OF: Final = {Edge.MOMENTUM: "momentum_5m", Edge.MEAN_REVERSION: "mean_revert_1h", Edge.SOCIAL: "social_buzz"}
CHUNK: Final = 64
MEDIANS: Final = ("best_holdout_return", "best_deflated", "pbo")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one search."""

    edge: str
    seed: int
    evaluations: int
    promotable: int  # promotable champions
    found: int  # promotable champions with the planted family and a profit on the holdout
    best_holdout_return: float
    best_deflated: float
    baseline_sharpe: float
    best_sharpe: float
    pbo: float
    seconds: float


def search_market(edge: Edge, seed: int, *, hours: float | None = None, generations: int = GENERATIONS) -> Outcome:
    """Run a search on one market, in this process."""
    started = time.perf_counter()
    model = FillModel(seed=seed)
    events = labelled_market(edge, seed, hours=hours or HOURS[edge]).events
    families = usable_families(discover(), np.unique(events["kind"]).tolist()).families
    spans = search_spans(span_of(events))
    train, validation, holdout = (
        Segment(span, (cut(events, span),)) for span in (spans.train, spans.validation, spans.holdout)
    )

    def evaluate_all(genomes: list[Genome]) -> list[Evaluation]:
        chunks = (genomes[start : start + CHUNK] for start in range(0, len(genomes), CHUNK))
        return [e for chunk in chunks for e in evaluate(train, validation, chunk, families, model, CAPITAL_USD)]

    def record_all(genomes: list[Genome]) -> list[Record]:
        return run_segment(holdout, genomes, families, model, CAPITAL_USD)

    search = Search(families, SearchSettings(POPULATION, 0.2, 0.7, 3), seed)
    pbo = 0.5
    for _ in range(generations):
        genomes = search.ask()
        pbo = search.tell(genomes, evaluate_all(genomes)).pbo
    polished = polish(search.algorithm.archive.best(CHAMPIONS), families, evaluate_all, PolishPlan(POLISH, seed))
    holdout_run = run_holdout(polished.contenders, families, evaluate_all, record_all, seed)
    made = generations * POPULATION + sum(map(len, polished.batches)) + BASELINE_GENOMES + len(holdout_run.records) + 1
    champions = holdout_run.assess(len(holdout_run.records) + 1)
    promotable = [champion for champion in champions if champion.promotable]
    uses = [c for c in promotable if FAMILY_OF.get(edge) in [gene.family for gene in c.genome.signals]]
    best = max(champions, key=lambda c: c.holdout_sharpe)
    return Outcome(
        edge=str(edge),
        seed=seed,
        evaluations=made,
        promotable=len(promotable),
        found=sum(champion.holdout_return > 0 for champion in uses),
        best_holdout_return=best.holdout_return,
        best_deflated=best.deflated_sharpe,
        baseline_sharpe=best.baseline_sharpe,
        best_sharpe=best.holdout_sharpe,
        pbo=pbo,
        seconds=round(time.perf_counter() - started, 1),
    )


def run(jobs: Sequence[tuple[Edge, int]], hours: float | None, workers: int) -> list[Outcome]:
    """Run the searches in separate processes; print progress to standard error."""
    outcomes = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        begun = [pool.submit(search_market, edge, seed, hours=hours) for edge, seed in jobs]
        for done in as_completed(begun):
            outcomes.append(done.result())
            found = outcomes[-1]
            print(f"{len(outcomes)}/{len(jobs)} {found}", file=sys.stderr, flush=True)
    return sorted(outcomes, key=lambda o: (list(Edge).index(Edge(o.edge)), o.seed))


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return a table with one line per market."""
    columns = ("market", "runs", "with a promotable champion", "that uses the edge, at a profit", "median return")
    shown = Table(*columns, "median deflated", "median PBO", box=None, pad_edge=False)
    for edge in Edge:
        runs = [o for o in outcomes if o.edge == edge]
        if runs:
            promotable, found = sum(o.promotable > 0 for o in runs), sum(o.found > 0 for o in runs)
            medians = [_median([getattr(o, name) for o in runs]) for name in MEDIANS]
            uses = "-" if edge is Edge.NOISE else str(found)
            figures = (f"{medians[0]:+.1%}", f"{medians[1]:.3f}", f"{medians[2]:.3f}")
            shown.add_row(edge, str(len(runs)), str(promotable), uses, *figures)
    return shown


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def main() -> None:
    """Run the searches and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edge", choices=[str(edge) for edge in Edge], action="append")
    parser.add_argument("--seeds", type=int, help="of each market; default 20 of noise, 10 of each edge")
    parser.add_argument("--hours", type=float, help="of every market; default 18, and 24 of mean reversion")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    edges = [Edge(name) for name in asked.edge or list(Edge)]
    jobs = [(edge, seed) for edge in edges for seed in range(asked.seeds or SEEDS[edge])]
    outcomes = run(jobs, asked.hours, asked.workers)
    if asked.json:
        result: dict[str, Any] = {"outcomes": [asdict(outcome) for outcome in outcomes]}
        print(json.dumps(result))
    else:
        Console(width=140).print(table(outcomes))


if __name__ == "__main__":
    main()
