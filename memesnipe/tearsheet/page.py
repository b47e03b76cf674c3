"""The tear sheet as one HTML page: no script, no network, no inline styles; its content security policy says so."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

import numpy as np

from memesnipe.tearsheet.figures import figures_of
from memesnipe.tearsheet.metrics import Metric, Table, by_exit_reason, by_family, costs, metrics_of
from memesnipe.tearsheet.periods import Grid, grids
from memesnipe.tearsheet.sheet import Account, Sheet
from memesnipe.tearsheet.svg import draw

_STRONG: Final = (1.0 / 3.0, 2.0 / 3.0)  # of the greatest return, from which on a cell has a stronger colour


def page(sheet: Sheet) -> str:
    """Return the page."""
    style = files("memesnipe.tearsheet").joinpath("style.css").read_text()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(sheet.title)
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sheet.summary)
    words += "".join(f'<p class="warning">{escape(sentence)}</p>' for sentence in sheet.warnings)
    accounts = "".join(_account(account) for account in sheet.accounts)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>'
        f"<body><main><h1>{title}</h1>{words}{accounts}{_origin(sheet)}</main></body></html>\n"
    )


def _account(account: Account) -> str:
    figures = [draw(figure) for figure in figures_of(account)]
    equity, prices = figures[:2], figures[4:]
    tables = (by_exit_reason(account), by_family(account), costs(account))
    return (
        f"<section><h2>{escape(account.name)}</h2>{''.join(equity)}{_metrics(metrics_of(account))}"
        f"{''.join(_grid(grid) for grid in grids(account))}"
        f'<div class="columns">{figures[2]}{figures[3]}</div>'
        f"{''.join(_table(table) for table in tables)}{''.join(prices)}</section>"
    )


def _metrics(metrics: list[Metric]) -> str:
    rows = [
        f'<tr><th scope="row">{escape(metric.name)}</th><td>{escape(metric.text)}</td>'
        f'<td class="meaning">{escape(metric.meaning)}</td></tr>'
        for metric in metrics
    ]
    half = -(-len(rows) // 2)
    named = (("Metrics", rows[:half]), ("More metrics", rows[half:]))
    parts = [f'<table class="metrics"><caption>{name}</caption>{"".join(part)}</table>' for name, part in named]
    return f'<div class="columns">{"".join(parts)}</div>'


def _table(table: Table) -> str:
    if not table.rows:
        return f'<p class="note">{escape(table.title)}: none yet.</p>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(text)}</td>" for text in row[1:])}</tr>'
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    body = f"<table><caption>{escape(table.title)}</caption><tr>{head}</tr>{rows}</table>{note}"
    return _scrolled(table.title, body)


def _grid(grid: Grid) -> str:
    known = np.abs(grid.values[np.isfinite(grid.values)])
    most = float(known.max(initial=0.0)) or 1.0
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in grid.columns)
    rows = []
    for name, values in zip(grid.rows, grid.values.tolist(), strict=True):
        cells = "".join(_cell(value, most) for value in values)
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    caption = f"<caption>{escape(grid.title)}, in SOL</caption>"
    return _scrolled(grid.title, f'<table class="heat">{caption}<tr><td></td>{head}</tr>{"".join(rows)}</table>')


def _cell(value: float, most: float) -> str:
    if not np.isfinite(value):
        return "<td></td>"
    strength = 1 + sum(abs(value) / most > limit for limit in _STRONG)
    kind = "" if value == 0 else f' class="{"g" if value > 0 else "l"}{strength}"'
    return f'<td{kind} title="{value:+.3%}">{value:+.1%}</td>'


def _scrolled(title: str, content: str) -> str:
    """Return wide content in a box that scrolls by itself, also by keyboard."""
    return f'<div class="wide" tabindex="0" role="group" aria-label="{escape(title)}">{content}</div>'


def _origin(sheet: Sheet) -> str:
    facts = _pairs("Where these figures come from", sheet.facts)
    settings = _pairs("Settings that decided them", sheet.settings)
    return f"<section><h2>Origin</h2>{facts}<details><summary>Settings</summary>{settings}</details></section>"


def _pairs(title: str, values: Any) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th><td class="meaning">{escape(str(value))}</td></tr>'
        for name, value in values.items()
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"
