"""A heatmap as an HTML table: a colour for each return, which is there as text too."""

from html import escape
from typing import Final

import numpy as np

from memesnipe.number_text import signed
from memesnipe.tearsheet.sheet import Grid

_STRONG: Final = (1.0 / 3.0, 2.0 / 3.0)  # of the greatest return, from which on a cell has a stronger colour


def heatmap(grid: Grid) -> str:
    """Return the table of a grid, with its note."""
    known = np.abs(grid.values[np.isfinite(grid.values)])
    most = float(known.max(initial=0.0)) or 1.0
    down, across = grid.axes
    corner = f'<th class="axis">{escape(down)} ↓ {escape(across)} →</th>' if down else "<td></td>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in grid.columns)
    rows = []
    for i, name in enumerate(grid.rows):
        cells = "".join(_cell(grid, i, j, most) for j in range(len(grid.columns)))
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    caption = f"<caption>{escape(grid.title)}, in SOL</caption>"
    note = f'<p class="note">{escape(grid.note)}</p>' if grid.note else ""
    kind = "heat map" if down else "heat"
    return f'<table class="{kind}">{caption}<tr>{corner}{head}</tr>{"".join(rows)}</table>{note}'


def _cell(grid: Grid, i: int, j: int, most: float) -> str:
    value = float(grid.values[i, j])
    if not np.isfinite(value):
        return "<td></td>"
    strength = 1 + sum(abs(value) / most > limit for limit in _STRONG)
    has_sign = signed(value, ".1%")[0] in "+-"
    kinds = [f"{'g' if value > 0 else 'l'}{strength}"] if has_sign else []
    kinds += ["own"] if grid.own == (i, j) else []
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    behind = "" if grid.trades is None else f", {int(grid.trades[i, j]):,} round trips"
    text = signed(value, ".1%") if abs(value) < 1.0 else signed(value, ",.0%")
    exact = signed(value, ".3%")
    return f'<td{kind} title="{exact}{behind}">{text}</td>'
