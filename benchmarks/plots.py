"""Plots of the synthetic market's distributions against measured quantiles, as SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memesnipe.testing.market_figures import SEEN_S, MarketTrades, holds_s, impacts
from memesnipe.testing.market_targets import TARGETS

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 280, 62, 40, 30
LEVELS = np.linspace(0.01, 0.995, 200)
MEASURED = {target.key: target.measured for target in TARGETS}


@dataclass(frozen=True, slots=True)
class Plot:
    """The quantiles of a distribution, and the measured ones."""

    name: str
    title: str
    values: Any  # shape (n,), above 0
    measured: Sequence[tuple[float, float]]  # (level, value)


def of_targets(key: str, percents: Sequence[int]) -> list[tuple[float, float]]:
    """Return the measured quantiles of a figure."""
    return [(percent / 100, MEASURED[f"{key}_{percent}"]) for percent in percents]


def plots_of(trades: MarketTrades) -> list[Plot]:
    """Return a plot for each distribution with measured quantiles."""
    tokens = trades.sampled_tokens()
    chosen = np.concatenate(tokens)
    peaks_s = np.array([trades.age_s[i[np.argmax(trades.pool_sol[i])]] for i in tokens])
    seen = np.bincount(trades.token[trades.age_s < SEEN_S], minlength=trades.launches)
    graduates = trades.graduates()
    first = [i[trades.ts[i] - trades.ts[i[0]] < 300 * 10**9] for i in graduates]
    moves = [np.abs(np.expm1(np.diff(trades.log_price[i[trades.sol[i] >= 0.05]]))) for i in first]
    tops = trades.top_sol()
    return [
        Plot("size", "size of a trade, SOL", trades.sol[chosen], of_targets("size", (50, 90, 99))),
        Plot("impact", "impact of a trade, %", 100 * impacts(trades, chosen), of_targets("impact", (50, 75, 90, 99))),
        Plot("trades", "trades of a launch when last seen", seen, of_targets("seen_trades", (50, 75, 90, 99))),
        Plot("reserves", "largest virtual SOL of a launch", tops, [(0.984, 60.0), (0.9974, 85.0)]),
        Plot(
            "peaks", "time of the peak, s", peaks_s, [(0.1, 12.0), (0.3, 19.0), (0.5, 96.0), (0.7, 130.0), (0.9, 180.0)]
        ),
        Plot("moves", "moves of graduates, %", 100 * np.concatenate(moves), of_targets("grad_move", (50, 90, 99))),
        Plot(
            "graduates",
            "trades of a graduate in 300 s",
            [len(i) for i in first],
            [(0.0, 64), (0.5, 558), (0.995, 1966)],
        ),
        Plot("holds", "holding time, s", holds_s(trades), of_targets("hold_s", (25, 50, 75))),
    ]


def write_plots(trades: MarketTrades, folder: Path) -> None:
    """Write all plots into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for plot in plots_of(trades):
        (folder / f"synthetic-{plot.name}.svg").write_text(svg(plot))


def svg(plot: Plot) -> str:
    """Return a plot: the quantile level to the right, the value upwards on a logarithmic axis."""
    values = np.asarray(plot.values, float)
    curve = np.quantile(values[values > 0], LEVELS)
    shown = [*curve, *(value for _, value in plot.measured)]
    low, high = math.floor(math.log10(min(shown))), math.ceil(math.log10(max(shown)))

    def at(level: float, value: float) -> tuple[float, float]:
        height = HEIGHT - BOTTOM - TOP
        share = (math.log10(value) - low) / max(high - low, 1)
        return LEFT + level * (WIDTH - LEFT - 20), HEIGHT - BOTTOM - share * height

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(lv, v) for lv, v in zip(LEVELS, curve, strict=True)))
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#d1495b"/>' for x, y in (at(lv, v) for lv, v in plot.measured)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{_axes(plot.title, low, high, at)}'
        f'<polyline points="{line}" fill="none" stroke="#2a6f97" stroke-width="2"/>{dots}</svg>\n'
    )


def _axes(title: str, low: int, high: int, at: Callable[[float, float], tuple[float, float]]) -> str:
    parts = [
        f'<text x="{LEFT}" y="18" font-size="13">{title}</text>',
        f'<text x="{WIDTH - 210}" y="18"><tspan fill="#2a6f97">generated</tspan>'
        '<tspan fill="#d1495b" dx="8">measured</tspan><tspan dx="8">by quantile</tspan></text>',
    ]
    for level in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0):
        x, y = at(level, 10.0**low)
        top = at(level, 10.0**high)[1]
        parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{top:.1f}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{100 * level:g} %</text>')
    for power in range(low, high + 1):
        x, y = at(0.0, 10.0**power)
        right = at(1.0, 10.0**power)[0]
        parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    return "".join(parts)
