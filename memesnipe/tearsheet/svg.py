"""Figures as inline SVG without styles or scripts: as wide as the page, with text of a fixed size.

Lines are drawn in an inner picture of 1,000 units, stretched to the width; text and marks are placed by percentages.
"""

from datetime import UTC, datetime
from html import escape
from typing import Final

import numpy as np

from memesnipe.market.events import NS_PER_S
from memesnipe.number_text import signed, significant
from memesnipe.tearsheet.figures import BarFigure, Figure, LineFigure, Unit
from memesnipe.tearsheet.sheet import Floats, Nanoseconds

_HEIGHT: Final = 220
_TOP: Final = 14
_BOTTOM: Final = 24  # for the labels below
_WIDTH: Final = 1_000
_DAY_NS: Final = 86_400 * NS_PER_S


def draw(figure: Figure) -> str:
    """Return a figure as an element `figure`; a sentence where it has no data."""
    title = escape(figure.title)
    is_empty = not (figure.lines if isinstance(figure, LineFigure) else len(figure.counts))
    note = f'<p class="note">{escape(figure.note)}</p>' if figure.note else ""
    body = "" if is_empty else (_lines(figure) if isinstance(figure, LineFigure) else _bars(figure))
    return f"<figure><figcaption>{title}</figcaption>{body}{note}</figure>"


def _lines(figure: LineFigure) -> str:
    scale = _Scale(figure)
    paths = "".join(
        _path(scale, number, line.ts, line.values, is_filled=figure.is_filled)
        for number, line in enumerate(figure.lines)
    )
    marks = "".join(
        f'<circle class="{mark.kind}" cx="{scale.x(mark.ts):.2f}%" cy="{scale.y(mark.value):.1f}" r="4">'
        f"<title>{escape(mark.text)}, {_time(mark.ts)}</title></circle>"
        for mark in figure.markers
    )
    legend = "".join(
        f'<span class="key{number}">{escape(line.name)}</span>' for number, line in enumerate(figure.lines)
    )
    if figure.markers:
        legend += '<span class="entry">entry</span><span class="exit">exit</span>'
    shown = f'<p class="legend">{legend}</p>' if len(figure.lines) > 1 or figure.markers else ""
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" height="{_HEIGHT}" preserveAspectRatio="none"'
    inner = f"<svg {size}>{paths}</svg>"
    return _picture(figure.title, inner + marks + scale.labels()) + shown


def _bars(figure: BarFigure) -> str:
    low, high, most = float(figure.edges[0]), float(figure.edges[-1]), int(figure.counts.max())
    room, width = _HEIGHT - _TOP - _BOTTOM, 100.0 / len(figure.counts)
    bars = []
    for number, count in enumerate(figure.counts.tolist()):
        left, right = figure.edges[number], figure.edges[number + 1]
        height = room * count / most
        span = f"{signed(left, '.2f')} % to {signed(right, '.2f')} %"
        kind = "loss" if (left + right) / 2 < 0 else "gain"
        bars.append(
            f'<rect class="{kind}" x="{number * width:.3f}%" width="{width * 0.9:.3f}%" y="{_TOP + room - height:.1f}" '
            f'height="{height:.1f}"><title>{span}: {count}</title></rect>'
        )
    base, lowest, highest = _HEIGHT - 8, signed(low, ".1f"), signed(high, ".1f")
    words = f'<text x="0" y="{base}">{lowest} %</text><text class="end" x="100%" y="{base}">{highest} %</text>'
    if low < 0 < high:
        words += f'<text class="middle" x="{100 * -low / (high - low):.1f}%" y="{base}">0</text>'
    words += f'<text x="0" y="10">{most} round trips</text>'
    return _picture(figure.title, "".join(bars) + words)


class _Scale:
    """From times to percentages of the width, and from values to pixels."""

    def __init__(self, figure: LineFigure) -> None:
        self._unit = figure.unit
        times = np.concatenate([line.ts for line in figure.lines])
        values = np.concatenate([line.values for line in figure.lines])
        self._is_log = figure.is_log and bool((values > 0).all())
        self._start, self._end = int(times.min()), int(times.max())
        low, high = self._raised(float(values.min())), self._raised(float(values.max()))
        margin = (high - low) * 0.04 or abs(high) * 0.01 or 1.0
        is_amount = high > low >= 0.0 and not self._is_log  # its scale has no value below 0
        self._low = max(low - margin, 0.0) if is_amount else low - margin
        self._high = high + (0.0 if figure.is_filled and high == 0 else margin)

    def x(self, ts: int) -> float:
        """Return the percentage of the width at a time."""
        return min(max(100.0 * (ts - self._start) / max(self._end - self._start, 1), 0.0), 100.0)

    def y(self, value: float) -> float:
        """Return the pixels from the top at a value."""
        share = (self._raised(value) - self._low) / (self._high - self._low)
        return _TOP + (1.0 - share) * (_HEIGHT - _TOP - _BOTTOM)

    def labels(self) -> str:
        """Return lines and labels of three values and three times."""
        found = []
        for share in (0.0, 0.5, 1.0):
            raised = self._low + share * (self._high - self._low)
            value, y = (10.0**raised if self._is_log else raised), _TOP + (1.0 - share) * (_HEIGHT - _TOP - _BOTTOM)
            found.append(f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
            found.append(f'<text x="2" y="{y - 3:.1f}">{_value(value, self._unit)}</text>')
        for x, ts, kind in (
            (0, self._start, ""),
            (50, (self._start + self._end) // 2, "middle"),
            (100, self._end, "end"),
        ):
            found.append(f'<text class="{kind} when" x="{x}%" y="{_HEIGHT - 8}">{self._when(ts)}</text>')
        return "".join(found)

    def _raised(self, value: float) -> float:
        return float(np.log10(value)) if self._is_log else value

    def _when(self, ts: int) -> str:
        is_short = self._end - self._start < 3 * _DAY_NS
        return datetime.fromtimestamp(ts / NS_PER_S, UTC).strftime("%m-%d %H:%M" if is_short else "%Y-%m-%d")


def _path(scale: _Scale, number: int, ts: Nanoseconds, values: Floats, *, is_filled: bool) -> str:
    points = [f"{scale.x(int(t)) * 10:.1f} {scale.y(float(v)):.1f}" for t, v in zip(ts, values, strict=True)]
    line = "M" + "L".join(points)
    if is_filled:
        top = scale.y(0.0)
        area = f'<path class="area" d="M0 {top:.1f}L{"L".join(points)}L{_WIDTH} {top:.1f}Z"/>'
        return f'{area}<path class="line3" d="{line}"/>'
    return f'<path class="line{number}" d="{line}"/>'


def _picture(title: str, content: str) -> str:
    return (
        f'<svg class="figure" role="img" aria-label="{escape(title)}" width="100%" height="{_HEIGHT}">{content}</svg>'
    )


def _value(value: float, unit: Unit) -> str:
    if unit == "USD":
        return f"{value:,.0f} USD" if abs(value) >= 1_000 else f"{value:z,.2f} USD"
    if unit == "price":
        return f"{significant(value, 3)} USD"
    return f"{value:z,.1f}{' %' if unit == '%' else ''}"


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
