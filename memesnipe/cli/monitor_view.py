"""What `memesnipe monitor` shows: read from the API of the system in this folder, laid out as tables."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memesnipe.api.health import FINE
from memesnipe.cli.account_figures import LEGEND, in_words, read_report
from memesnipe.cli.running import status_without_page
from memesnipe.cli.strategy_rows import cells, strategy_row, why_none
from memesnipe.cli.vocabulary import STRATEGY_TITLES, in_text
from memesnipe.client import ApiError, Client
from memesnipe.config.home import Home
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.runtime.lock import holder
from memesnipe.runtime.terminal import without_controls
from memesnipe.servers import loopback

_TIMEOUT_S: Final = 5.0
_STRATEGIES: Final = 8
_OF_ACCOUNTS: Final = (  # tables that fit 80 columns
    ("capital_usd", "equity_usd", "change_usd", "trading_usd"),
    ("orders", "refusals", "fills", "failed_orders", "trades", "open_positions"),
    ("level", "drawdown"),
)
_OF_STRATEGIES: Final = ("spec_id", "mode", "allocation_usd", "total_return", "families")
_STYLES: Final = {"healthy": "green", "starting": "yellow", "degraded": "yellow"}


def read_state() -> dict[str, Any]:
    """Return the state of the system in this folder; what the API does not answer is missing."""
    home = load_settings().installation.memesnipe_home.resolve()
    if holder(home) is None:
        return {"running": False, "health": {"status": "stopped", "detail": "", "parts": {}}}
    state: dict[str, Any] = {"running": True, "health": status_without_page(home)}
    if not Home(home).settings.is_file():
        return state
    client = _client(read_resolved(Home(home).settings).api.dashboard_port)
    # A system that does not answer one question would delay the next ones as long.
    with suppress(ApiError):
        state["health"] = client.health().model_dump()
        state["report"], state["accounts"] = read_report(client)
        best = list(islice(client.strategies(page_size=_STRATEGIES), _STRATEGIES))
        state["strategies"] = [strategy.model_dump() for strategy in best]
        if not best:
            state["learned"] = client.learned().in_words
    return state


@cache
def _client(port: int) -> Client:
    """Return the client of a port, kept between two looks: what has not changed is not transferred again."""
    return Client(f"http://{loopback.HOST}:{port}", timeout_s=_TIMEOUT_S)


def view(state: Mapping[str, Any]) -> RenderableType:
    """Return the tables of a state."""
    health = state["health"]
    status = Text.assemble(
        ("MemeSnipe  ", "bold"), (health["status"], _STYLES.get(health["status"], "red")),
        f"  {without_controls(health['detail'])}",
    )  # fmt: skip
    parts: list[RenderableType] = [status, _parts(health["parts"])]
    if {"report", "accounts"} <= state.keys():
        parts += [_work(state["report"]), *(_rows(names, state["accounts"]) for names in _OF_ACCOUNTS)]
        parts += [Text(f"{name}: {meaning}") for name, meaning in LEGEND.items()]
    if state.get("strategies"):
        parts.append(_strategies(state["strategies"]))
    elif "learned" in state:
        parts.append(Text(why_none(state["report"], None, state["learned"])))
    return Group(*parts)


def _parts(parts: Mapping[str, Any]) -> Table:
    table = _table("part", "state", "")
    for name, part in parts.items():
        table.add_row(
            name, Text(part["state"], "green" if part["state"] in FINE else "red"), without_controls(part["detail"])
        )
    return table


def _work(report: Mapping[str, Any]) -> Table:
    table = _table("events", "generations")
    table.add_row(f"{report['events']['consumed']:,}", f"{report['generations']:,}")
    return table


def _rows(names: Sequence[str], accounts: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return figures with a line for each account, within 80 columns: paper money and live money are never added."""
    table = _table("account", *in_text(dict.fromkeys(names)))
    for account, figures in accounts.items():
        texts = in_words(figures)
        table.add_row(Text(account, "bold" if account == "live" else ""), *(texts[name] for name in names))
    return table


def _strategies(strategies: list[Mapping[str, Any]]) -> Table:
    table = _table(*(STRATEGY_TITLES[name] for name in _OF_STRATEGIES))
    for strategy in strategies:
        table.add_row(*cells(strategy_row(strategy), _OF_STRATEGIES))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for name in columns:
        table.add_column(name, overflow="fold")  # a narrow terminal must not cut an id
    return table
