"""The closed loop on labelled markets: the whole system over 24 hours of event time, in lockstep and in process.

    python benchmarks/closed_loop.py [--markets noise momentum] [--seeds 5] [--first-seed 0] [--hours 24] [--json]
    python benchmarks/closed_loop.py --tape TAPE

Each market and seed is one run with the default settings. With a tape there is one market, its events as they were
recorded, and a seed is that of the search and the fills alone. `memesnipe.testing.closed_loop` runs the cores of all
roles; a test compares its records with those of the roles on real servers.
"""

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.closed_loop_markets import DYING, GENERATED, LABELLED, RECORDED, generated_market, recorded_market
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import Settings, settings_from
from memesnipe.engine.genome import Genome
from memesnipe.errors import SettingsError
from memesnipe.evolution.evaluation import Evaluation, evaluate
from memesnipe.evolution.samples import Sample
from memesnipe.evolution.window import Window, latest, slices_between_gaps
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, Events
from memesnipe.runtime.families import load_families
from memesnipe.sdk.registry import Families
from memesnipe.testing.closed_loop import ClosedLoop
from memesnipe.testing.labelled_markets import Edge
from memesnipe.trading.lifecycle import Mode

CHUNK = 512  # genomes that share one pass over the events, for a bounded memory
FAMILY_OF = {
    Edge.MOMENTUM: "momentum_5m",
    Edge.MEAN_REVERSION: "mean_revert_1h",
    Edge.SOCIAL: "social_buzz",
    DYING: "momentum_5m",
    "measured_momentum": "momentum_5m",
    "measured_mean_reversion": "mean_revert_1h",
    "measured_social": "social_buzz",
}


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one run. Equities are in SOL, as ratios of the first one: cash is SOL, and its price moves."""

    market: str
    seed: int
    final_equity: float
    highest_equity: float
    lowest_equity: float
    max_drawdown: float  # ratio of the peak, at marks
    trades: int  # fills of the desk that landed
    fees_usd: float  # of pools and network
    on_paper: int  # strategies that were ever on paper
    proven: int  # strategies that were ever beyond probation
    proven_with_edge: int  # of these, with the family of the planted edge; none where no edge is planted
    generations: int
    proposed: int
    seconds: float

    @property
    def given_back(self) -> float:
        """The part of the highest profit that was lost again by the end."""
        earned = self.highest_equity - 1.0
        return (self.highest_equity - self.final_equity) / earned if earned > 0.0 else 0.0


def window_at(past: Events, events: Events, hours: float, seq: int) -> Window:
    """Return the last hours up to an event of the run."""
    slices = []
    for part in (past, events[:seq]):
        if len(part):
            slices += slices_between_gaps("", part, lambda start, stop, part=part: part[start:stop], is_final=False)
    return latest(reversed(slices), int(hours * 3600 * NS_PER_S))


def evaluate_sample(families: Families, settings: Settings, sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
    """Evaluate genomes on a sample, as the factory's tasks do."""
    train, validation = sample.segments()
    model, capital_usd = fill_model_of(settings), settings.simulation.shadow_capital_usd
    chunks = (genomes[start : start + CHUNK] for start in range(0, len(genomes), CHUNK))
    return [e for chunk in chunks for e in evaluate(train, validation, chunk, families, model, capital_usd)]


def run(market: str, seed: int, hours: float, overrides: dict[str, str], tape: Path | None = None) -> Run:
    """Run the loop over one market; over that of the tape, if one is given."""
    started = time.perf_counter()
    settings = settings_from({"seed": seed, **overrides}, env_file=None)
    families = load_families(settings)
    found = recorded_market(tape, settings) if tape is not None else generated_market(market, seed, hours, settings)
    events, mints = found.events, found.mints
    window = partial(window_at, found.past, events, settings.evolution.training_hours)
    loop = ClosedLoop(settings, families, window, partial(evaluate_sample, families, settings))
    for _ in loop.advance(events, dict(enumerate(mints))):
        pass
    outcome = loop.outcome
    lamports = np.array([mark.equity_lamports for mark in outcome.marks])
    equity = lamports / lamports[0]
    landed = [message for message in outcome.fills if not message.fill.failure]
    fees = sum(m.fill.pool_fee_lamports + m.fill.network_fee_lamports for m in outcome.fills)
    return Run(
        market=market,
        seed=seed,
        final_equity=float(equity[-1]),
        highest_equity=float(equity.max()),
        lowest_equity=float(equity.min()),
        max_drawdown=float((1.0 - equity / np.maximum.accumulate(equity)).max()),
        trades=len(landed),
        fees_usd=fees / LAMPORTS_PER_SOL * float(events["sol_usd"][-1]),
        on_paper=len({t.spec_id for t in outcome.transitions if t.to_mode == Mode.PAPER}),
        proven=len(outcome.proven),
        proven_with_edge=sum(
            any(gene.family == FAMILY_OF.get(market) for gene in genome.signals) for genome in outcome.proven.values()
        ),
        generations=outcome.generations,
        proposed=outcome.proposed,
        seconds=time.perf_counter() - started,
    )


def main() -> None:
    """Run the markets and print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", nargs="+", choices=GENERATED, default=LABELLED)
    parser.add_argument("--tape", type=Path, help="a tape to run over instead, of `memesnipe import`")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings other than the defaults")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for name in ("seeds", "hours", "workers"):
        if getattr(given, name) <= 0:
            parser.error(f"argument --{name}: must be above 0")
    overrides = dict(pair.partition("=")[::2] for pair in given.set)
    try:
        settings_from(overrides, env_file=None)
    except SettingsError as error:
        parser.error(f"argument --set: {error}")
    markets = given.markets if given.tape is None else [RECORDED]
    plan = [(m, s) for m in markets for s in range(given.first_seed, given.first_seed + given.seeds)]
    runs: list[Run] = []
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
        futures = [pool.submit(run, market, seed, given.hours, overrides, given.tape) for market, seed in plan]
        for future in as_completed(futures):
            found = future.result()
            runs.append(found)
            print(json.dumps(asdict(found)) if given.json else _line(found), flush=True)
    if not given.json:
        Console(width=120).print(_table(runs))


def _line(found: Run) -> str:
    return (
        f"{found.market:15} {found.seed:3}  equity {found.final_equity:8.2%}  drawdown {found.max_drawdown:6.2%}  "
        f"given back {found.given_back:6.1%}  "
        f"trades {found.trades:6,}  fees {found.fees_usd:8,.2f} USD  "
        f"proposed {found.proposed:5,}  on paper {found.on_paper:4}  proven {found.proven:4}  {found.seconds:5.0f} s"
    )


def _table(runs: list[Run]) -> Table:
    """Return a table with one line for each market."""
    equity = ("median equity", "worst", "deepest drawdown", "given back")
    shown = Table("market", "runs", *equity, "proven, with the edge", "fees USD", box=None, pad_edge=False)
    for market in (*GENERATED, RECORDED):
        found = [one for one in runs if one.market == market]
        if found:
            equities = [one.final_equity for one in found]
            proven = f"{sum(one.proven for one in found)}, {sum(one.proven_with_edge for one in found)}"
            drawdown, fees = max(one.max_drawdown for one in found), sum(one.fees_usd for one in found)
            given_back = max(one.given_back for one in found)
            losses = (f"{drawdown:.2%}", f"{given_back:.1%}" if market == DYING else "")
            figures = (f"{median(equities):.2%}", f"{min(equities):.2%}", *losses, proven, f"{fees:,.0f}")
            shown.add_row(market, str(len(found)), *figures)
    return shown


if __name__ == "__main__":
    main()
