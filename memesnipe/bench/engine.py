"""How fast the engine is on this machine, against the same strategy as a bare loop, measured turn by turn."""

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
# Breakouts that come now and then, and the strategy's own defaults.
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
    """The market and the genomes that are measured."""

    events: Events
    columns: tuple[Any, ...]  # the same as plain arrays
    families: Families
    flat: list[Genome]
    busy: list[Genome]

    @classmethod
    def of(cls, events: int, genomes: int) -> "Bench":
        """A market of so many events; the lookbacks of the genomes differ."""
        market = make_market(events, TOKENS, SEED)
        columns = tuple(np.ascontiguousarray(market[n]) for n in ("ts", "token", "side", "price_usd", "volume_usd"))
        flat, busy = (
            [simple_genome(FAMILY, {"lookback_s": 240.0 + 120.0 * i / genomes, **given}) for i in range(genomes)]
            for given in (FLAT, BUSY)
        )
        return cls(market, columns, discover(), flat, busy)

    def full(self, genomes: list[Genome]) -> None:
        """Backtest them all, fills and equity and everything."""
        backtest(self.events, genomes, self.families, FillModel(), CAPITAL_USD)

    def bare(self) -> None:
        """The same votes without trading on them."""
        names = ("lookback_s", "breakout", "vol_mult")
        params = np.array([[genome.signals[0].params[name] for name in names] for genome in self.flat])
        bare_momentum(self.columns, TOKENS, params)

    def speeds(self, say: Callable[[str], None]) -> dict[str, list[float]]:
        """Genome-events a second of each round. They take turns, so that what else the machine does hits all alike."""
        runs: dict[str, Callable[[], None]] = {
            "full": lambda: self.full(self.flat),
            "busy": lambda: self.full(self.busy),
            "bare": self.bare,
        }
        speeds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(ROUNDS + 1):
            say(f"round {turn} of {ROUNDS}" if turn else "warming up")
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                if turn:  # the first one compiles
                    speeds[name].append(len(self.events) * len(self.flat) / (time.perf_counter() - start))
        return speeds

    def activity(self, genomes: list[Genome]) -> dict[str, float]:
        """How much the genomes trade, and the share of genome-events at which they hold something or try to."""
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
    """At how many genome-events a genome was exposed: from an entry's decision to its failure, or to its exit."""
    steps: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for order in done.orders:
        if order.side in ENTRIES:
            steps[order.spec_id].append((order.decided_seq, 1))
    for fill in done.fills:
        # An entry that fails ends an exposure, and so does an exit that lands.
        if (fill.order.side in ENTRIES) == bool(fill.failure):
            steps[fill.order.spec_id].append((fill.seq + 1, -1))
    exposed = 0
    for marks in steps.values():
        at, by = np.array(marks).T
        exposed += int(np.count_nonzero(np.cumsum(np.bincount(at, by, count + 2))[: count + 1]))
    return exposed


def first_backtest_seconds(events: Events, home: Path | None = None) -> float:
    """From the start of a new process to its first backtest; another ``home`` has nothing compiled yet."""
    with tempfile.NamedTemporaryFile(suffix=".events") as file:
        events.tofile(file.name)
        as_if_at = [shutil.which("env") or "env", f"HOME={home}"] if home else []
        command = [*as_if_at, sys.executable, "-c", _FIRST_BACKTEST, file.name, FAMILY]
        start = time.time()
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    return float(done.stdout) - start


def machine() -> dict[str, Any]:
    """What it was measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": named or platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "numba": numba.__version__,
    }


def bench_engine(events: int, genomes: int, cold: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything; ``say`` hears what is being done."""
    say("making the market")
    bench = Bench.of(events, genomes)
    speeds = bench.speeds(say)
    say("starting new processes")
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
        say("compiling everything anew")
        with tempfile.TemporaryDirectory(prefix="memesnipe-bench-") as home:
            result["cold_seconds"] = first_backtest_seconds(few, Path(home))
    return result
