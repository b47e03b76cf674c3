"""The tear sheet as one HTML page: no script, no network, no inline styles; its content security policy says so."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

from memesnipe.tearsheet.figures import figures_of, market_figures
from memesnipe.tearsheet.heatmap import heatmap
from memesnipe.tearsheet.metrics import Metric, by_exit_reason, by_family, costs, metrics_of
from memesnipe.tearsheet.periods import grids
from memesnipe.tearsheet.sheet import Account, Market, Sheet, Table
from memesnipe.tearsheet.svg import draw

_MANY_COLUMNS: Final = 4  # a table with more is set in two lines a row on a phone


def page(sheet: Sheet) -> str:
    """Return the page."""
    style = files("memesnipe.tearsheet").joinpath("style.css").read_text()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(sheet.title)
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sheet.summary)
    words += "".join(f'<p class="warning">{escape(sentence)}</p>' for sentence in sheet.warnings)
    market = "" if sheet.market is None else _market(sheet.market)
    compared = "".join(_table(table) for table in sheet.tables)
    accounts = "".join(_account(account) for account in sheet.accounts)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>'
        f"<body><main><h1>{title}</h1>{words}{market}{compared}{accounts}{_maps(sheet)}{_origin(sheet)}</main></body></html>\n"
    )


def _market(market: Market) -> str:
    figures = "".join(draw(figure) for figure in market_figures(market))
    return f'<section><h2>Market</h2>{_pairs("The tape", market.facts)}<div class="columns">{figures}</div></section>'


def _maps(sheet: Sheet) -> str:
    if not sheet.maps and not sheet.maps_note:
        return ""
    note = f'<p class="note">{escape(sheet.maps_note)}</p>' if sheet.maps_note else ""
    return (
        f"<section><h2>Parameter map</h2>{note}{''.join(_scrolled(g.title, heatmap(g)) for g in sheet.maps)}</section>"
    )


def _account(account: Account) -> str:
    figures = [draw(figure) for figure in figures_of(account)]
    equity, prices = figures[:2], figures[4:]
    tables = (by_exit_reason(account), by_family(account), costs(account))
    return (
        f"<section><h2>{escape(account.name)}</h2>{''.join(equity)}{_metrics(metrics_of(account))}"
        f"{''.join(_scrolled(grid.title, heatmap(grid)) for grid in grids(account))}"
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
    kind = f' class="many of{len(table.columns) - 1}"' if len(table.columns) > _MANY_COLUMNS else ""
    body = f"<table{kind}><caption>{escape(table.title)}</caption><tr>{head}</tr>{rows}</table>{note}"
    return _scrolled(table.title, body)


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
