"""Speed of the engine on this machine, compared with the same strategy as a bare loop in alternating rounds."""

import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numba
import numpy as np

from memesnipe.bench.market import bare_momentum, make_market
from memesnipe.engine.backtest import backtest
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome, simple_genome
from memesnipe.engine.history import WatchedActions
from memesnipe.engine.orders import ENTRIES
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families, discover

FAMILY: Final = "momentum_5m"
TOKENS: Final = 300
SEED: Final = 24
CAPITAL_USD: Final = 1_000.0
ROUNDS: Final = 7
STARTS: Final = 3
# Parameters with rare breakouts, and the strategy's defaults.
FLAT: Final = {"breakout": 0.25, "vol_mult": 3.0}
BUSY: Final = {"breakout": 0.05, "vol_mult": 2.0}

_FIRST_BACKTEST: Final = """
import sys, time
import numpy as np
from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import simple_genome
from memesnipe.market.events import EVENT
from memesnipe.sdk.registry import discover
events = np.fromfile(sys.argv[1], EVENT)
backtest(events, [simple_genome(sys.argv[2], {})], discover(), FillModel(), 1000.0)
print(time.time())
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """The market and the genomes of the benchmark."""

    events: Events
    columns: tuple[Any, ...]  # the events as plain arrays
    families: Families
    flat: list[Genome]
    busy: list[Genome]

    @classmethod
    def of(cls, events: int, genomes: int) -> "Bench":
        """Return a market with ``events`` events, and ``genomes`` genomes with different lookbacks."""
        market = make_market(events, TOKENS, SEED)
        columns = tuple(np.ascontiguousarray(market[n]) for n in ("ts", "token", "side", "price_usd", "volume_usd"))
        flat, busy = (
            [simple_genome(FAMILY, {"lookback_s": 240.0 + 120.0 * i / genomes, **given}) for i in range(genomes)]
            for given in (FLAT, BUSY)
        )
        return cls(market, columns, discover(), flat, busy)

    def full(self, genomes: list[Genome]) -> None:
        """Backtest the genomes, with fills and equity."""
        backtest(self.events, genomes, self.families, FillModel(), CAPITAL_USD)

    def bare(self) -> None:
        """Compute the same votes without trading."""
        names = ("lookback_s", "breakout", "vol_mult")
        params = np.array([[genome.signals[0].params[name] for name in names] for genome in self.flat])
        bare_momentum(self.columns, TOKENS, params)

    def speeds(self, report_step: Callable[[str], None]) -> dict[str, list[float]]:
        """Return genome-events per second of each round.

        The variants alternate, so that other load on the machine affects all of them alike.
        """
        runs: dict[str, Callable[[], None]] = {
            "full": lambda: self.full(self.flat),
            "busy": lambda: self.full(self.busy),
            "bare": self.bare,
        }
        speeds: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(ROUNDS + 1):
            report_step(f"round {number} of {ROUNDS}" if number else "warming up")
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                if number:  # round 0 compiles
                    speeds[name].append(len(self.events) * len(self.flat) / (time.perf_counter() - start))
        return speeds

    def activity(self, genomes: list[Genome]) -> dict[str, float]:
        """Return trades per genome, and the share of genome-events with a position or a pending entry."""
        engine = Engine(self.families, FillModel(), CAPITAL_USD)
        engine.add(*genomes)
        engine.watch(genome.spec_id for genome in genomes)
        done = engine.advance(self.events)
        trades = sum(result.trades for result in engine.results())
        count = len(self.events)
        return {
            "trades_per_genome": trades / len(genomes),
            "exposed_share": _exposed_events(done, count) / (len(genomes) * count),
        }


def _exposed_events(done: WatchedActions, count: int) -> int:
    """Return the number of genome-events with an exposure: from an entry's decision to its failure or its exit."""
    steps: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for order in done.orders:
        if order.side in ENTRIES:
            steps[order.spec_id].append((order.decided_seq, 1))
    for fill in done.fills:
        # A failed entry and a filled exit end an exposure.
        if (fill.order.side in ENTRIES) == bool(fill.failure):
            steps[fill.order.spec_id].append((fill.seq + 1, -1))
    exposed = 0
    for marks in steps.values():
        at, by = np.array(marks).T
        exposed += int(np.count_nonzero(np.cumsum(np.bincount(at, by, count + 2))[: count + 1]))
    return exposed


def first_backtest_seconds(events: Events, home: Path | None = None) -> float:
    """Return the seconds from the start of a new process to its first backtest; an empty ``home`` has no cache."""
    with tempfile.NamedTemporaryFile(suffix=".events") as file:
        events.tofile(file.name)
        prefix = [shutil.which("env") or "env", f"HOME={home}"] if home else []
        command = [*prefix, sys.executable, "-c", _FIRST_BACKTEST, file.name, FAMILY]
        start = time.time()
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    return float(done.stdout) - start


def machine() -> dict[str, Any]:
    """Return the machine and the versions of the measurement."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": named or platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "numba": numba.__version__,
    }


def bench_engine(events: int, genomes: int, cold: bool, report_step: Callable[[str], None]) -> dict[str, Any]:
    """Measure the engine; ``report_step`` is called with the name of each step."""
    report_step("making the market")
    bench = Bench.of(events, genomes)
    speeds = bench.speeds(report_step)
    report_step("starting new processes")
    few = bench.events[:1000]
    first_backtest_seconds(few)
    starts = [first_backtest_seconds(few) for _ in range(STARTS)]
    result = {
        **{name: median(measured) for name, measured in speeds.items()},
        "ratio": median(full / bare for full, bare in zip(speeds["full"], speeds["bare"], strict=True)),
        "startup_seconds": median(starts),
        "activity": {"full": bench.activity(bench.flat), "busy": bench.activity(bench.busy)},
        **{"events": events, "genomes": genomes, "tokens": TOKENS, "rounds": ROUNDS},
        **machine(),
    }
    if cold:
        report_step("compiling with an empty cache")
        with tempfile.TemporaryDirectory(prefix="memesnipe-bench-") as home:
            result["cold_seconds"] = first_backtest_seconds(few, Path(home))
    return result
