"""Generations of a search on one tape: the genes that they share, and their speed with and without kept votes.

    .venv/bin/python benchmarks/kept_votes.py [--events 20000] [--population 200] [--generations 8] [--json]

One process and one core, without Ray. Each chunk of genomes runs with and without the votes that earlier chunks have
kept, in alternating order, and the results must be equal. The first generation, of random genomes, is not timed.
"""

import argparse
import json
import os
import time
from itertools import islice
from statistics import median
from typing import Any

from memesnipe.engine.fills import FillModel
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.evolution.evaluation import Evaluation, Segment, evaluate
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.search import Search
from memesnipe.evolution.spans import cut, search_spans, span_of
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk.registry import discover

SEED = 24
CHUNK = 50  # genomes
CAPACITY = 256 * 2**20  # bytes, as a worker's
FAMILIES, MODEL, CAPITAL_USD = discover(), FillModel(seed=SEED), 1_000.0


def main() -> None:
    """Run the generations and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--population", type=int, default=200)
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    for name in ("events", "population", "generations"):
        if getattr(options, name) <= 0:
            parser.error(f"argument --{name}: must be above 0")
    segments = _segments(options.events)
    search = Search(FAMILIES, SearchSettings(options.population, 0.2, 0.7, 3), SEED)
    kept, rows = KeptVotes(CAPACITY), []
    for index in range(options.generations + 1):
        rows.append(_generation(search, segments, kept, index))
    ratios = [row["without_s"] / row["with_s"] for row in rows[1:]]
    report = {"rows": rows, "ratios": ratios, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    print(json.dumps(report) if options.json else _text(report, options.population))


def _segments(count: int) -> tuple[Segment, Segment]:
    events, _ = Sequencer(60, 600).stamp(list(islice(SyntheticFeed(SEED).messages(0), count)))
    spans = search_spans(span_of(events))
    train, validation = (Segment(span, (cut(events, span),), repr(span)) for span in (spans.train, spans.validation))
    return train, validation


def _generation(search: Search, segments: tuple[Segment, Segment], kept: KeptVotes, index: int) -> dict[str, Any]:
    """Breed and run one generation; return its figures.

    Raises:
        SystemExit: kept votes changed a result.
    """
    genomes = search.ask()
    genes = [(signal.family, json.dumps(signal.params)) for genome in genomes for signal in genome.signals]
    asked, found = kept.asked, kept.found
    seconds, evaluations = [0.0, 0.0], list[Evaluation]()
    for number, start in enumerate(range(0, len(genomes), CHUNK), start=index):
        chunk, results = genomes[start : start + CHUNK], {}
        for keeps in (number % 2, 1 - number % 2):
            begun = time.process_time()
            results[keeps] = evaluate(*segments, chunk, FAMILIES, MODEL, CAPITAL_USD, kept if keeps else None)
            seconds[keeps] += time.process_time() - begun
        if _facts(results[0]) != _facts(results[1]):
            raise SystemExit("kept votes changed a result, so the times are not compared")
        evaluations += results[0]
    search.tell(genomes, evaluations)
    return {
        "signals": len(genes),
        "genes": len(set(genes)),
        "kept": (kept.found - found) / (kept.asked - asked),
        "mb": kept.size / 2**20,
        "without_s": seconds[0],
        "with_s": seconds[1],
    }


def _facts(evaluations: list[Evaluation]) -> list[Any]:
    return [(found.spec_id, found.train, found.validation, found.fitness) for found in evaluations]


def _text(report: dict[str, Any], population: int) -> str:
    lines = [
        f"{report['cores']} cores, load {report['load']}; generations of {population} genomes",
        f"{'generation':>10}{'signals':>9}{'genes':>7}{'kept':>7}{'MB':>7}{'without s':>11}{'with s':>8}",
    ]
    for index, row in enumerate(report["rows"]):
        lines.append(
            f"{index:>10}{row['signals']:>9}{row['genes']:>7}{row['kept']:>7.0%}{row['mb']:>7.1f}"
            f"{row['without_s']:>11.2f}{row['with_s']:>8.2f}"
        )
    ratios = report["ratios"]
    lines.append(f"times as fast with kept votes: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
