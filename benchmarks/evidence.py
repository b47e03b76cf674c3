"""Simulations that check the guarantees of the evidence, and show its power: the tables of docs/statistics.md.

    .venv/bin/python benchmarks/evidence.py [--seed 1] [--size 1.0]

All figures depend on the seed alone. A size of 0.1 simulates a tenth of the markets.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from memesnipe.stats.e_bh import select
from memesnipe.stats.e_detector import EDetectors
from memesnipe.stats.e_process import EProcesses
from memesnipe.stats.evidence_budget import EvidenceBudget
from memesnipe.stats.shrinkage import Shrunk, shrink
from memesnipe.stats.trade_log import TradeLog
from memesnipe.stats.trades_needed import trades_needed
from memesnipe.testing.round_trips import DEVIATION, OpenPositions, mean_of_ratio, rare_losses, skewed_returns
from memesnipe.trading.kelly import cap_shares, kelly_shares

MAX_LOSS: Final = 1.1
STRATEGIES: Final = 100
COMMON: Final = 0.3  # of the variance, among the strategies of a market
TTEST_EVERY: Final = 50  # round trips
COST: Final = 0.03  # mean loss of a round trip without an edge
DETECTED_GAIN: Final = 2.0

Draw = Callable[[np.random.Generator, NDArray[np.float64], int], NDArray[np.float64]]


def draw_skewed(rng: np.random.Generator, means: NDArray[np.float64], markets: int) -> NDArray[np.float64]:
    return skewed_returns(rng, means, markets, COMMON)


def draw_rare_losses(rng: np.random.Generator, means: NDArray[np.float64], markets: int) -> NDArray[np.float64]:
    del markets
    return rare_losses(rng, means)


@dataclass(frozen=True, slots=True)
class NoiseRates:
    """What was promoted at any time in markets without any edge."""

    alone: float  # share of strategies whose evidence reached 1 / alpha
    markets: float  # share of markets with any promotion
    ttest: float  # the same with a one-sided t-test and Bonferroni's correction


def promoted_markets(e_values: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Return for each market, shape (markets, strategies) of values, whether e-BH at equal weights accepts any."""
    strategies = e_values.shape[1]
    ordered = -np.sort(-e_values / strategies, axis=1)
    return (ordered * alpha * np.arange(1, strategies + 1) >= 1.0).any(axis=1)


def noise_rates(
    draw: Draw, *, losers_kept: int, markets: int, steps: int, alphas: Sequence[float], seed: int
) -> list[NoiseRates]:
    """Simulate markets in which no strategy has an edge; the evidence is looked at after every step."""
    rng = np.random.default_rng(seed)
    rows = markets * STRATEGIES
    processes = EProcesses(MAX_LOSS)
    processes.add(rows)
    positions, means = OpenPositions(losers_kept), np.zeros(rows)
    alone = np.zeros((len(alphas), rows), np.bool_)
    promoted, ttest = (np.zeros((len(alphas), markets), np.bool_) for _ in range(2))
    for step in range(1, steps + 1):
        processes.apply(positions.advance(draw(rng, means, markets)))
        e_values = processes.e_values
        for i, alpha in enumerate(alphas):
            alone[i] |= e_values >= 1.0 / alpha
            promoted[i] |= promoted_markets(e_values.reshape(markets, -1), alpha)
            if step % TTEST_EVERY == 0:
                bound = -NormalDist().inv_cdf(alpha / STRATEGIES) * np.sqrt(processes.variances / processes.closed)
                ttest[i] |= (processes.means > bound).reshape(markets, -1).any(axis=1)
    return [NoiseRates(*(float(x[i].mean()) for x in (alone, promoted, ttest))) for i in range(len(alphas))]


@dataclass(frozen=True, slots=True)
class Turnover:
    """Noise markets in whose arena the worst strategies are replaced again and again."""

    rate: float  # of markets with any promotion
    admitted: int  # to each market
    nats_with_refunds: float  # ln(1 / weight) of a strategy of prior mass 1 at the end, median
    nats_without: float


def turnover(*, markets: int, places: int, rounds: int, steps: int, alpha: float, seed: int) -> Turnover:
    """Replace the third with the least evidence every ``steps`` steps by new strategies of random prior mass."""
    rng = np.random.default_rng(seed)
    rows = markets * places
    processes, positions = EProcesses(MAX_LOSS), OpenPositions(losers_kept=10)
    processes.add(rows)
    budgets, without = [EvidenceBudget() for _ in range(markets)], EvidenceBudget()
    first = rng.uniform(0.05, 1.0, (markets, places))
    weights = np.array([budget.weigh(mass) for budget, mass in zip(budgets, first, strict=True)])
    without.weigh(first[0])
    leaving = places // 3
    promoted = np.zeros(markets, np.bool_)
    for _ in range(rounds):
        for _ in range(steps):
            processes.apply(positions.advance(draw_skewed(rng, np.zeros(rows), markets)))
            weighted = -np.sort(-weights * processes.e_values.reshape(markets, -1), axis=1)
            promoted |= (weighted * alpha * np.arange(1, places + 1) >= 1.0).any(axis=1)
        e_values = processes.e_values.reshape(markets, -1)
        worst = np.argsort(e_values, axis=1)[:, :leaving]
        for market, budget in enumerate(budgets):
            chosen = worst[market]
            budget.refund(weights[market, chosen], e_values[market, chosen])
            weights[market, chosen] = budget.weigh(rng.uniform(0.05, 1.0, leaving))
        without.weigh(rng.uniform(0.05, 1.0, leaving))
        processes.reset((worst + np.arange(markets)[:, None] * places).ravel())
    last = [-math.log(EvidenceBudget(spent=budget.spent).weigh([1.0])[0]) for budget in budgets]
    return Turnover(
        float(promoted.mean()), places + rounds * leaving, float(np.median(last)), -math.log(without.weigh([1.0])[0])
    )


@dataclass(frozen=True, slots=True)
class Discoveries:
    """Markets in which some strategies have an edge."""

    rate: float  # highest false discovery rate of any step
    true: float  # accepted strategies with an edge at the end, mean
    false: float


def discoveries(*, markets: int, edges: int, ratio: float, steps: int, alpha: float, seed: int) -> Discoveries:
    """Simulate markets where ``edges`` of the strategies have an edge, and select after every step."""
    rng = np.random.default_rng(seed)
    has_edge = np.arange(STRATEGIES) < edges
    means = np.tile(np.where(has_edge, mean_of_ratio(ratio), 0.0), markets)
    processes, positions = EProcesses(MAX_LOSS), OpenPositions(losers_kept=10)
    processes.add(len(means))
    weights = np.full(STRATEGIES, 1.0 / STRATEGIES)
    rate = 0.0
    for step in range(1, steps + 1):
        processes.apply(positions.advance(draw_skewed(rng, means, markets)))
        if step % 20 == 0:
            found = np.array([select(e, weights, alpha).accepted for e in processes.e_values.reshape(markets, -1)])
            true, false = found[:, has_edge].sum(axis=1), found[:, ~has_edge].sum(axis=1)
            rate = max(rate, float(np.mean(false / np.maximum(true + false, 1))))
    return Discoveries(rate, float(true.mean()), float(false.mean()))


@dataclass(frozen=True, slots=True)
class Power:
    """Round trips until the evidence of a strategy with an edge reaches a threshold, medians."""

    ratio: float
    one_by_one: list[float]  # for each threshold
    overlapping: list[float]  # losers are kept for ten steps
    predicted: list[float]


def power(ratio: float, thresholds: NDArray[np.float64], *, repeats: int, seed: int) -> Power:
    mean = float(mean_of_ratio(ratio))
    deviation = DEVIATION * (1.0 + mean)
    predicted = trades_needed(
        np.ones(len(thresholds)), thresholds, *(np.full(len(thresholds), v) for v in (mean, deviation**2)), MAX_LOSS
    )
    steps = int(2.5 * predicted.max())
    medians = []
    for losers_kept in (1, 10):
        rng = np.random.default_rng(seed)
        processes, positions = EProcesses(MAX_LOSS), OpenPositions(losers_kept)
        processes.add(repeats)
        reached = np.full((repeats, len(thresholds)), np.inf)
        for _ in range(steps):
            processes.apply(positions.advance(skewed_returns(rng, np.full(repeats, mean), repeats)))
            is_first = (processes.e_values[:, None] >= thresholds) & np.isinf(reached)
            reached = np.where(is_first, processes.closed[:, None], reached)
        medians.append(np.median(reached, axis=0).tolist())
    return Power(ratio, *medians, predicted.tolist())


@dataclass(frozen=True, slots=True)
class Detection:
    """The behaviour of the detector at one threshold."""

    threshold: float
    false_run: float  # mean openings until a false demotion; at least, because the simulation ends
    censored: float  # share of strategies that were never demoted
    delay_at_zero: float  # median round trips from the death of an edge to the demotion, required mean 0
    delay_at_half: float  # the same with half of the former mean required


def detection(thresholds: list[float], *, repeats: int, steps: int, dying_steps: int, seed: int) -> list[Detection]:
    """Simulate strategies whose clipped mean is just sufficient, and strategies whose edge dies."""
    rng = np.random.default_rng(seed)
    mean = float(mean_of_ratio(0.2))
    # The required mean is that of the clipped returns, where the guarantee is tightest.
    sample = np.minimum(skewed_returns(rng, np.full(1_000_000, mean), 1), DETECTED_GAIN)
    sufficient = _first_reached([float(sample.mean())] * repeats, [mean], thresholds, steps, losers_kept=10, rng=rng)
    alive = 300
    dying = [
        _first_reached([required] * repeats, [mean] * alive + [-COST], thresholds, dying_steps, losers_kept=1, rng=rng)
        for required in (0.0, mean / 2)
    ]
    # Of those not demoted before.
    delays = [np.nanmedian(np.where(reached > alive, reached - alive, np.nan), axis=0) for reached in dying]
    return [
        Detection(
            threshold,
            float(np.minimum(sufficient[:, i], steps).mean()),
            float(np.isinf(sufficient[:, i]).mean()),
            float(delays[0][i]),
            float(delays[1][i]),
        )
        for i, threshold in enumerate(thresholds)
    ]


def _first_reached(
    required: list[float], means: list[float], thresholds: list[float], steps: int, *, losers_kept: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the step at which each strategy's detector first reaches each threshold; infinity if never."""
    detectors, positions = EDetectors(DETECTED_GAIN), OpenPositions(losers_kept)
    detectors.add(required)
    reached = np.full((len(required), len(thresholds)), np.inf)
    for step in range(1, steps + 1):
        mean = means[min(step, len(means)) - 1]
        detectors.apply(positions.advance(skewed_returns(rng, np.full(len(required), mean), len(required))))
        is_first = (detectors.values[:, None] >= np.array(thresholds)) & np.isinf(reached)
        reached = np.where(is_first, step, reached)
    return reached


def growth_of_rules(spread: float, *, arenas: int, steps: int, seed: int) -> dict[str, float]:
    """Return the mean growth of a capital in percent over ``steps`` round trips of each strategy, for rules of stakes.

    Each arena has 200 strategies with 1 to 200 round trips and normal true means around the negative costs.
    """
    rng = np.random.default_rng(seed)
    strategies = 200
    growth: dict[str, list[float]] = {
        "full Kelly, own mean": [],
        "half Kelly, own mean": [],
        "half Kelly, shrunk mean": [],
        "half Kelly, lower bound": [],
    }
    for _ in range(arenas):
        true = np.maximum(rng.normal(-COST, spread, strategies), -0.5)
        counts = rng.integers(1, 201, strategies)
        processes = EProcesses(MAX_LOSS)
        processes.add(strategies)
        for step in range(200):
            rows = np.flatnonzero(counts > step)
            values = skewed_returns(rng, true[rows], 1)
            for is_opening in (True, False):
                processes.apply(TradeLog.of(rows, rows * 0, np.full(len(rows), is_opening), values))
        expected = shrink(processes.closed, processes.means, processes.variances)
        own = Shrunk(processes.means, np.zeros(strategies), expected.variances, 0.0, 0.0)
        certain = replace(expected, deviations=np.zeros(strategies))
        wanted_by_rule = (2 * kelly_shares(own), *(kelly_shares(believed) for believed in (own, certain, expected)))
        later = np.array([skewed_returns(rng, true, 1) for _ in range(steps)])
        for rule, wanted in zip(growth, wanted_by_rule, strict=True):
            capped = cap_shares(wanted, 0.1, 0.8)
            growth[rule].append(float(np.log1p(np.maximum(later @ capped, -0.999)).sum()))
    return {rule: 100.0 * math.expm1(float(np.mean(values))) for rule, values in growth.items()}


def show(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]], console: Console) -> None:
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=float, default=1.0, help="of the simulation; 1 is the table of the docs")
    asked = parser.parse_args()
    started, console, seed = time.perf_counter(), Console(width=140), asked.seed

    def sized(number: int) -> int:
        return max(int(number * asked.size), 2)

    scenarios: list[tuple[str, Draw, int]] = [
        ("skewed, one by one", draw_skewed, 1),
        ("skewed, losers kept", draw_skewed, 12),
        ("rare losses, losers kept", draw_rare_losses, 12),
    ]
    rows = []
    alphas = (0.05, 0.01)
    for name, draw, losers_kept in scenarios:
        found = noise_rates(draw, losers_kept=losers_kept, markets=sized(400), steps=500, alphas=alphas, seed=seed)
        for alpha, rates in zip(alphas, found, strict=True):
            rows.append((name, f"{alpha:.0%}", *(f"{x:.2%}" for x in (rates.alone, rates.markets, rates.ttest))))
    columns = ("returns", "alpha", "strategies alone", "markets", "markets, t-test")
    show("Noise: what is promoted at any time", columns, rows, console)

    turned = turnover(markets=sized(300), places=60, rounds=40, steps=25, alpha=0.05, seed=seed)
    columns = ("admitted", "alpha", "markets with any promotion", "ln(1/weight) at the end", "without refunds")
    nats = (f"{turned.nats_with_refunds:.2f}", f"{turned.nats_without:.2f}")
    show("Noise with turnover", columns, [(str(turned.admitted), "5%", f"{turned.rate:.2%}", *nats)], console)

    rows = []
    for ratio in (0.1, 0.2):
        made = discoveries(markets=sized(60), edges=10, ratio=ratio, steps=1_000, alpha=0.05, seed=seed)
        rows.append((f"{ratio:.2f}", "5%", f"{made.rate:.2%}", f"{made.true:.1f} of 10", f"{made.false:.2f} of 90"))
    columns = ("ratio", "alpha", "highest false discovery rate", "accepted with an edge", "without")
    show("Ten of 100 strategies have an edge, after 1,000 steps", columns, rows, console)

    alpha = 0.01
    spent = {mass: EvidenceBudget() for mass in (0.0, 100.0, 1_000.0)}
    for mass, budget in spent.items():
        budget.weigh([mass] if mass else [])
    thresholds = np.array([STRATEGIES / alpha, *(1 / (alpha * budget.weigh([1.0])[0]) for budget in spent.values())])
    rows = []
    for ratio in (0.1, 0.15, 0.2, 0.3):
        needed = power(ratio, thresholds, repeats=sized(400), seed=seed)
        cells = zip(needed.one_by_one, needed.overlapping, needed.predicted, strict=True)
        rows.append((f"{ratio:.2f}", *(f"{a:.0f} / {b:.0f} / {c:.0f}" for a, b, c in cells)))
    columns = ("ratio", "100 equal weights", "mass 1, the first", "after a mass of 100", "after 1,000")
    labels = tuple(f"{name}: E {threshold:,.0f}" for name, threshold in zip(columns[1:], thresholds, strict=True))
    show(
        "Median round trips to acceptance at 1 %: one by one / losers kept / predicted",
        (columns[0], *labels),
        rows,
        console,
    )

    rows = [
        (
            f"{d.threshold:.0f}",
            f"{d.false_run:.0f}",
            f"{d.censored:.0%}",
            f"{d.delay_at_zero:.0f}",
            f"{d.delay_at_half:.0f}",
        )
        for d in detection([10.0, 30.0, 100.0, 1_000.0], repeats=sized(400), steps=20_000, dying_steps=6_000, seed=seed)
    ]
    columns = ("threshold", "mean false run, at least", "never", "delay, required 0", "delay, required half")
    show(
        "Detector: openings to a false demotion, round trips from the death of an edge to the demotion",
        columns,
        rows,
        console,
    )

    rows = []
    for spread in (0.0, 0.03, 0.1):
        rules = growth_of_rules(spread, arenas=sized(40), steps=20, seed=seed)
        rows.append((f"{spread:.2f}", *(f"{value:+.1f} %" for value in rules.values())))
    show("Growth of a capital over the next 20 round trips", ("spread of means", *rules), rows, console)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
