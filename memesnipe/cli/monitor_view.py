"""What `memesnipe monitor` shows: read from the API of the system in this folder, laid out as tables."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memesnipe.api.health import FINE
from memesnipe.cli.account_figures import read_accounts
from memesnipe.cli.running import status_without_page
from memesnipe.client import ApiError, Client
from memesnipe.config.home import Home
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.number_text import signed
from memesnipe.runtime.lock import holder
from memesnipe.runtime.terminal import without_controls
from memesnipe.servers import loopback

_TIMEOUT_S: Final = 5.0
_STRATEGIES: Final = 8
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
        state["report"] = client.report().model_dump()
        best = islice(client.strategies(page_size=_STRATEGIES), _STRATEGIES)
        state["strategies"] = [strategy.model_dump() for strategy in best]
        state["accounts"] = read_accounts(state["report"], client)
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
        parts += [_work(state["report"]), _accounts(state["accounts"]), _orders(state["accounts"])]
    if state.get("strategies"):
        parts.append(_strategies(state["strategies"]))
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


def _accounts(accounts: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a line for each account, within 80 columns: paper money and live money are never added."""
    names = ("account", "capital USD", "equity USD", "profit USD", "open", "breaker", "drawdown")
    table = Table(*names, box=None, pad_edge=False, padding=(0, 1))
    for account, each in accounts.items():
        change, ratio = each["change_usd"], each["change_ratio"]
        table.add_row(
            _name(account), _usd(each["capital_usd"]), _usd(each["equity_usd"]),
            "-" if change is None else signed(change, ",.2f") + ("" if ratio is None else f" ({signed(ratio, '.1%')})"),
            f"{each['open_positions']:,}", "halted" if each["halted"] else each["level"], f"{each['drawdown']:.2%}",
        )  # fmt: skip
    return table


def _orders(accounts: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return what became of the orders of each account, a line each."""
    table = _table("account", "orders", "refused", "failed", "fills", "round trips")
    for account, each in accounts.items():
        counts = (each[name] for name in ("orders", "refusals", "failed_orders", "fills", "trades"))
        table.add_row(_name(account), *(f"{count:,}" for count in counts))
    return table


def _name(account: str) -> Text:
    return Text(account, "bold" if account == "live" else "")


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _strategies(strategies: list[Mapping[str, Any]]) -> Table:
    table = _table("strategy", "mode", "return", "capital", "families")
    for row in strategies:
        gained = (row["result"] or {}).get("total_return")
        families = " + ".join(gene["family"] for gene in row["genome"]["signals"])
        shown = "-" if gained is None else signed(gained, ".2%")
        table.add_row(row["spec_id"], row["mode"], shown, f"{row['allocation_usd']:,.2f} USD", families)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in columns:
        table.add_column(name, overflow="fold")  # a narrow terminal must not cut an id
    return table
