"""The figures of a tear sheet as PNG files, drawn by matplotlib, an extra of the package."""

import re
from pathlib import Path
from typing import Any, Final

import numpy as np

from memesnipe.errors import MemeSnipeError
from memesnipe.number_text import signed
from memesnipe.tearsheet.figures import BarFigure, Figure, LineFigure, figures_of, market_figures
from memesnipe.tearsheet.periods import grids
from memesnipe.tearsheet.sheet import Grid, Sheet

_SIZE: Final = (11, 4)  # inches
_DPI: Final = 110
_KINDS: Final = {"entry": ("^", "tab:green"), "exit": ("v", "tab:red")}


def write_pictures(sheet: Sheet, folder: Path) -> list[Path]:
    """Write each figure of each account to a folder, which is made; return the files.

    Raises:
        MemeSnipeError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra of the package
        from matplotlib.figure import Figure as Canvas  # noqa: PLC0415
    except ImportError:
        raise MemeSnipeError("--png needs matplotlib: pip install 'memesnipe[plot]'") from None
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, parts in _parts(sheet):
        for number, drawn in enumerate(parts, 1):
            canvas = Canvas(figsize=_SIZE, layout="constrained")
            FigureCanvasAgg(canvas)
            _draw(canvas.add_subplot(), drawn)
            path = folder / f"{name}-{number:02}-{_name(drawn.title)}.png"
            canvas.savefig(path, dpi=_DPI)
            written.append(path)
    return written


def _parts(sheet: Sheet) -> list[tuple[str, list[Figure | Grid]]]:
    """Return what is drawn, under the name of the part of the sheet to which it belongs."""
    found: list[tuple[str, list[Figure | Grid]]] = []
    if sheet.market is not None:
        found.append(("Market", [*market_figures(sheet.market)]))
    found += [(account.name, [*figures_of(account), *grids(account)]) for account in sheet.accounts]
    return [*found, ("Parameters", [*sheet.maps])]


def _draw(ax: Any, figure: Figure | Grid) -> None:
    ax.set_title(figure.title, loc="left", fontsize=11)
    if isinstance(figure, LineFigure):
        _lines(ax, figure)
    elif isinstance(figure, BarFigure):
        _bars(ax, figure)
    else:
        _grid(ax, figure)


def _lines(ax: Any, figure: LineFigure) -> None:
    for line in figure.lines:
        ax.plot(line.ts.astype("datetime64[ns]"), line.values, linewidth=1.0, label=line.name)
        if figure.is_filled:
            ax.fill_between(line.ts.astype("datetime64[ns]"), line.values, 0.0, alpha=0.3)
    for kind, (shape, color) in _KINDS.items():
        marks = [mark for mark in figure.markers if mark.kind == kind]
        if marks:
            times = np.array([mark.ts for mark in marks]).astype("datetime64[ns]")
            ax.scatter(times, [mark.value for mark in marks], marker=shape, color=color, zorder=3, label=kind)
    ax.set_ylabel("USD" if figure.unit == "price" else figure.unit)
    if figure.is_log and figure.lines:
        ax.set_yscale("log")
    if len(figure.lines) > 1 or figure.markers:
        ax.legend()
    _note(ax, figure.note)


def _bars(ax: Any, figure: BarFigure) -> None:
    if len(figure.counts):
        middles = (figure.edges[:-1] + figure.edges[1:]) / 2
        colors = np.where(middles < 0, "tab:red", "tab:green")
        ax.bar(middles, figure.counts, width=np.diff(figure.edges) * 0.9, color=colors)
    ax.set(xlabel="%", ylabel="round trips")
    _note(ax, figure.note)


def _grid(ax: Any, grid: Grid) -> None:
    most = float(np.nanmax(np.abs(grid.values), initial=0.0)) or 1.0
    ax.imshow(grid.values, cmap="RdYlGn", vmin=-most, vmax=most, aspect="auto")
    ax.set_xticks(range(len(grid.columns)), grid.columns, fontsize=8)
    ax.set_yticks(range(len(grid.rows)), grid.rows, fontsize=8)
    ax.set(ylabel=grid.axes[0], xlabel=grid.axes[1])
    for row, column in zip(*np.nonzero(np.isfinite(grid.values)), strict=True):
        ax.text(column, row, signed(grid.values[row, column], ".1%"), ha="center", va="center", fontsize=7)


def _note(ax: Any, note: str) -> None:
    if note:
        ax.text(0.0, -0.18, note, transform=ax.transAxes, fontsize=8)


def _name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
