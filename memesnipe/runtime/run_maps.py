"""Parameter maps of a run: the simulated returns of its strategies by two of their numbers."""

from collections import Counter
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from memesnipe.storage.schema import StrategyRow
from memesnipe.tearsheet.sheet import Floats, Grid

LEAST: Final = 30  # strategies; fewer leave most cells empty
_MOST_DIGITS: Final = 6  # to tell two limits apart
_CELLS: Final = 5  # in each direction
_NOTE: Final = (
    "The mean return of the simulated accounts of strategies with such numbers, since each was added: their other "
    "numbers and their times differ. Rows and columns have about as many strategies each."
)

Point = tuple[float, float, float, int]  # down, across, return, round trips


def run_maps(conn: Connection, run_id: int) -> tuple[list[Grid], str]:
    """Return the maps of a run, and why there is none.

    The evaluations of the search are stored without their numbers, so these are the strategies that it has proposed.
    """
    columns = StrategyRow.genome, StrategyRow.result
    rows = conn.execute(select(*columns).where(StrategyRow.run_id == run_id, StrategyRow.result.is_not(None)))
    traded = [(row.genome, row.result) for row in rows if (row.result or {}).get("trades")]
    if len(traded) < LEAST:
        return [], (
            f"None: it needs {LEAST} strategies with simulated round trips, and the run has {len(traded):,}. "
            "`memesnipe report STRATEGY --tape TAPE` maps one strategy by backtests."
        )
    exits = [_point(result, genome["exits"]["stop_loss"], genome["exits"]["take_profit"]) for genome, result in traded]
    grids = [_grid(("stop loss", "take profit"), exits, f"of {len(exits):,} strategies")]
    family, pair, points = _of_family(traded)
    if len(points) >= LEAST:
        grids.append(_grid((pair[0], pair[1]), points, f"of {family}, {len(points):,} strategies"))
    return grids, ""


def _point(result: dict[str, Any], down: float, across: float) -> Point:
    return float(down), float(across), float(result["total_return"]), int(result["trades"])


def _of_family(traded: list[tuple[dict[str, Any], dict[str, Any]]]) -> tuple[str, tuple[str, ...], list[Point]]:
    """Return the most frequent family among the strongest signals, its first two parameters, and its strategies."""
    strongest = [max(genome["signals"], key=lambda gene: gene["weight"]) for genome, _ in traded]
    counts = Counter(gene["family"] for gene in strongest if len(gene["params"]) > 1)
    if not counts:
        return "", (), []
    family = min(counts, key=lambda name: (-counts[name], name))
    own = [(gene, result) for gene, (_, result) in zip(strongest, traded, strict=True) if gene["family"] == family]
    pair = tuple(own[0][0]["params"])[:2]
    return family, pair, [_point(result, *(gene["params"][name] for name in pair)) for gene, result in own]


def _grid(axes: tuple[str, str], points: list[Point], of: str) -> Grid:
    down, across, returns, trades = (np.array(values, np.float64) for values in zip(*points, strict=True))
    (row_names, rows), (column_names, columns) = _binned(down, axes[0]), _binned(across, axes[1])
    shape = (len(row_names), len(column_names))
    cell = rows * shape[1] + columns
    count, total, traded = (np.bincount(cell, values, shape[0] * shape[1]) for values in (None, returns, trades))
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return Grid(
        title=f"Mean simulated return by {axes[0]} and {axes[1]} {of}",
        rows=row_names,
        columns=column_names,
        values=mean.reshape(shape),
        axes=axes,
        trades=traded.reshape(shape).astype(np.int64),
        note=_NOTE,
    )


def _binned(values: Floats, name: str) -> tuple[list[str], Any]:
    """Return names of bins with about as many values each, and the bin of each value."""
    inner = np.unique(np.quantile(values, np.arange(1, _CELLS) / _CELLS))
    is_share = name in ("stop loss", "take profit")
    for digits in range(1, _MOST_DIGITS):
        written = [f"{edge:.{digits}%}" if is_share else f"{edge:.{digits + 2}g}" for edge in inner]
        if len(set(written)) == len(written):
            break
    names = [f"under {written[0]}", *(f"from {text}" for text in written)]
    return names, np.searchsorted(inner, values, side="right")
