"""Latency and sustained event rate of the live system by number of strategies, through its real servers."""

import heapq
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from memesnipe.bench.engine import machine
from memesnipe.bench.timed_run import ALLOCATED, REPLACED, Market, TimedRun
from memesnipe.config.home import Home
from memesnipe.config.settings import Settings, settings_from, write_resolved
from memesnipe.engine.genome import Genome, SignalGene
from memesnipe.evolution.operators import random_genomes
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import DECISION
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.payload import encode
from memesnipe.roles.simulation_snapshot import EVERY_S
from memesnipe.sdk.registry import discover
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect, migrate

SEED: Final = 24
MARKETS: Final = 46  # merged synthetic markets: together about 300 events per second of event time
WHOLE_MARKET_RATE: Final = 300.0  # events per second: about all of pump.fun
PEAK_RATE: Final = 1_000.0
FAST_RATE: Final = 5_000.0
SPREAD: Final = ("events_per_s", "p50_ms", "p99_ms", "p999_ms", "max_ms")  # shown with minimum, median and maximum
TICK_S: Final = 0.005  # a live feed delivers events in batches of this duration


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the benchmark."""

    many: int = 10_000  # strategies
    few: int = 1_000
    measured_s: float = 60.0
    decide_every_s: int = Settings.fields()["rebalance_interval_secs"].default  # of event time
    short_s: float = 5.0
    snapshot_every_s: float = EVERY_S
    warm: int = 3_000  # events before the measurement, and more until the first decision
    searched: int = 150_000  # events for the search for the sustained rate
    first_rate_few: float = 1_500.0  # events per second, at which the search for the sustained rate begins


QUICK: Final = Size(
    many=200, few=50, measured_s=2, decide_every_s=1, short_s=0.5, snapshot_every_s=0.5, warm=300, searched=6_000,
    first_rate_few=200.0,
)  # fmt: skip


def bench_live(report_step: Callable[[str], None], *, quick: bool, repeats: int = 3, genes: int = 0) -> dict[str, Any]:
    """Return latencies at the target rates, and the highest sustained rates.

    Args:
        report_step: called with the name of each step.
        quick: a small and short smoke test.
        repeats: repetitions of each latency measurement, each on a new run with the same events; the sustained rates
            are measured once.
        genes: about so many different genes are shared by all strategies, which are then measured at `PEAK_RATE` too;
            0: no strategy shares any.
    """
    size = QUICK if quick else Size()
    report_step("making a market")
    measured = max(size.searched, int(max(WHOLE_MARKET_RATE, FAST_RATE) * size.measured_s))
    market = _market(measured, size.decide_every_s, size.warm)
    home = Path(tempfile.mkdtemp(prefix="memesnipe-bench-"))
    home.chmod(0o755)  # as root, the embedded PostgreSQL runs as another user
    try:
        with LocalServers(*Home(home).server_folders) as servers:
            urls = servers.start()
            addresses = {"redis_url": urls.redis_url, "database_url": urls.database_url}
            settings = settings_from({"memesnipe_home": home, **addresses}, env_file=None)
            database = connect(urls.database_url or "")
            migrate(database)
            database.dispose()
            bench = _Bench(home, settings, market, size, report_step, genes)
            load = os.getloadavg()[0]
            return {
                **machine(),
                "cores": os.cpu_count() or 1,
                "repetitions": repeats,
                "whole_market": bench.latency(size.many, WHOLE_MARKET_RATE, size.measured_s, repeats),
                **({"peak": bench.latency(size.many, PEAK_RATE, size.measured_s, repeats)} if genes else {}),
                "fast": bench.latency(size.few, FAST_RATE, size.measured_s, repeats),
                "sustained": {
                    f"{size.many} strategies": bench.sustained(size.many),
                    f"{size.many} strategies, 2 threads": bench.sustained(size.many, threads=2),
                    f"{size.few} strategies": bench.sustained(size.few),
                },
                "load": {"before": round(load, 1), "after": round(os.getloadavg()[0], 1)},
                "tokens": market.tokens,
            }
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _market(measured: int, decide_every_s: int, warm: int) -> Market:
    """Generate events of a market with hundreds of tokens alive, with ``measured`` ones after the warm-up."""
    events = warm + measured + int(2 * WHOLE_MARKET_RATE * decide_every_s)
    feeds = [SyntheticFeed(SEED + i).messages(0) for i in range(MARKETS)]
    raw = list(islice(heapq.merge(*feeds, key=lambda message: message["ts"]), events))
    sequencer = Sequencer(decide_every_s, 10**9)
    stamped, _ = sequencer.stamp(raw)
    payloads = to_payloads(stamped, sequencer.mints)
    published = [(payload.stream, payload.seq, payload.seq, encode(payload)) for payload in payloads]
    decisions = stamped["seq"][stamped["flags"] & DECISION > 0].tolist()
    warm = max(warm, decisions[0] + 1)
    return Market(published, decisions, len({payload.token for payload in payloads[:warm] if payload.mint}), warm)


def _genomes(count: int, genes: int) -> list[Genome]:
    """Return random genomes; if ``genes`` is above 0, with signals drawn from about so many different ones."""
    rng, families = np.random.default_rng(SEED), discover()
    genomes = random_genomes(rng, families, count)
    if not genes:
        return genomes
    pool: dict[str, list[SignalGene]] = {}
    for signal in islice((signal for genome in genomes for signal in genome.signals), genes):
        pool.setdefault(signal.family, []).append(signal)

    def drawn(signal: SignalGene) -> SignalGene:
        known = pool.get(signal.family, [signal])
        return known[int(rng.integers(len(known)))]

    return [replace(genome, signals=tuple(drawn(signal) for signal in genome.signals)) for genome in genomes]


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure, and minimum, median and maximum of the figures of `SPREAD`."""
    found: dict[str, Any] = {}
    spread: dict[str, list[float]] = {}
    for name in runs[0]:
        values = sorted(run[name] for run in runs)
        found[name] = sum(values) if name in ("decisions", "snapshots") else round(median(values), 3)
        spread[name] = [values[0], round(median(values), 3), values[-1]]
    return {**found, "spread": {name: spread[name] for name in SPREAD}}


class _Bench:
    """Measurement of several loads in sequence, each with a new executor."""

    def __init__(
        self,
        home: Path,
        settings: Settings,
        market: Market,
        size: Size,
        report_step: Callable[[str], None],
        genes: int,
    ) -> None:
        self._home, self._settings, self._market, self._size = home, settings, market, size
        self._report_step = report_step
        spare = REPLACED * (len(market.decisions) + 1)
        self._genomes = _genomes(size.many + spare, genes)

    def _run(self, strategies: int, threads: int) -> TimedRun:
        settings = self._settings.changed(
            executor_threads=threads, arena_size=strategies, max_probation_strategies=ALLOCATED
        )
        write_resolved(settings, Home(self._home).settings)
        return TimedRun(self._home, settings, self._market, self._genomes, self._size.snapshot_every_s)

    def latency(self, strategies: int, rate: float, seconds: float, repeats: int) -> dict[str, Any]:
        """Return the latency at one rate: medians of the repetitions, and the spread of each figure."""
        runs = []
        for number in range(repeats):
            self._report_step(f"{strategies:,} strategies at {rate:,.0f} events/s, {number + 1} of {repeats}")
            run = self._run(strategies, threads=1)
            with run.working(strategies):
                runs.append(run.measure(rate, seconds, TICK_S))
        return {"strategies": strategies, **_summary(runs)}

    def sustained(self, strategies: int, threads: int = 1) -> dict[str, Any]:
        """Return the highest of increasing rates at which the last event is decided within 1 s of its publication."""
        best: dict[str, Any] = {"events_per_s": 0.0}
        size, team = self._size, self._run(strategies, threads)
        with team.working(strategies):
            rate = 300.0 if strategies > 1_000 else size.first_rate_few
            while team.left() >= rate * size.short_s:
                self._report_step(f"{strategies:,} strategies, {threads} threads, at {rate:,.0f} events/s")
                found = team.measure(rate, size.short_s, TICK_S)
                if found["behind_at_end_s"] > 1.0 or found["events_per_s"] < 0.9 * rate:
                    return best
                best = found
                rate *= 1.5
            return best
