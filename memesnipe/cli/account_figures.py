"""The money and the risk of each account of a run, apart: paper, and live where the run trades live."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from memesnipe.number_text import signed

if TYPE_CHECKING:  # httpx is slow to load
    from memesnipe.client import Client

Json = dict[str, Any]
AccountName = Literal["paper", "live"]


def accounts_of(report: Mapping[str, Any]) -> tuple[AccountName, ...]:
    """Return the accounts of a run from its report: the live one has figures only where the run was begun with one."""
    return ("paper",) if report.get("live") is None else ("paper", "live")


def read_accounts(report: Mapping[str, Any], client: "Client") -> dict[str, Json]:
    """Return the figures of each account.

    Args:
        report: as `/api/report` returns it.
        client: of the running system.

    Raises:
        ApiError: the API does not answer.
    """
    return {
        account: figures_of(client.portfolio(account).model_dump(), client.risk(account).model_dump())
        for account in accounts_of(report)
    }


def figures_of(portfolio: Mapping[str, Any], risk: Mapping[str, Any]) -> Json:
    """Return capital, profit, positions and breaker of an account; USD and SOL by name, drawdown as a ratio.

    Args:
        portfolio: as `/api/portfolio` returns it.
        risk: as `/api/risk` returns it.
    """
    equity, change = portfolio["equity_usd"], portfolio["change_usd"]
    return {
        "capital_usd": None if equity is None or change is None else equity - change,
        **{name: portfolio[name] for name in ("equity_usd", "change_usd", "change_ratio", "trading_usd")},
        **{name: portfolio[name] for name in ("realised_sol", "unrealised_sol", "open_positions")},
        **{name: risk[name] for name in ("level", "halted", "drawdown", "size_multiplier")},
    }


def in_words(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures of an account as texts, under the names of the figures."""
    return {
        "capital_usd": _usd(figures["capital_usd"]),
        "equity_usd": _usd(figures["equity_usd"]),
        "change_usd": profit_text(figures),
        "trading_usd": "-" if figures["trading_usd"] is None else signed(figures["trading_usd"], ",.2f"),
        "realised_sol": signed(figures["realised_sol"], ",.6f"),
        "unrealised_sol": signed(figures["unrealised_sol"], ",.6f"),
        "open_positions": f"{figures['open_positions']:,}",
        "level": breaker_text(figures),
        "drawdown": f"{figures['drawdown']:.2%}",
    }


def profit_text(figures: Mapping[str, Any]) -> str:
    """Return the change of the equity from the capital in USD, and in percent of it."""
    change, ratio = figures["change_usd"], figures["change_ratio"]
    if change is None:
        return "-"
    return signed(change, ",.2f") + ("" if ratio is None else f" ({signed(ratio, '.2%')})")


def breaker_text(figures: Mapping[str, Any]) -> str:
    """Return the level of the breaker, and what it does to the size of new positions."""
    if figures["halted"]:
        return "halted: no new positions"
    return f"{figures['level']} (new positions at {figures['size_multiplier']:g}x size)"


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
