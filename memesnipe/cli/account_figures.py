"""The orders, money and risk of each account of a run, apart: paper, and live where the run trades live."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired, TypedDict

from memesnipe.cli.vocabulary import in_text
from memesnipe.number_text import signed
from memesnipe.runtime.terminal import print_paragraphs, print_rows

if TYPE_CHECKING:  # httpx is slow to load
    from memesnipe.client import Client

Json = dict[str, Any]
AccountName = Literal["paper", "live"]

LEGEND: Final = {
    "trading_usd": "profit of round trips and open positions, at the last SOL price",
    "change_usd": "equity less capital: trading_usd, and what the price of SOL did",
}
_COUNTS: Final = ("orders", "refusals", "fills", "failed_orders", "trades")


class AccountReport(TypedDict):
    """An account in `--json` of `up`, `status` and `monitor`: USD and SOL by name, drawdown as a ratio."""

    capital_usd: float | None
    equity_usd: float | None
    equity_lamports: int | None
    change_usd: float | None
    change_ratio: float | None
    trading_usd: float | None
    realised_sol: float
    unrealised_sol: float
    orders: int
    refusals: int
    fills: int
    failed_orders: int
    trades: int
    open_positions: int
    level: str
    halted: bool
    drawdown: float
    size_multiplier: float
    outcomes: NotRequired[dict[str, int]]  # of live orders, in the report of `up`


# What is shown of one account alone, and therefore not among the figures of the run.
OF_ACCOUNTS: Final = (
    *("accounts", "live", *_COUNTS, "open_positions", "equity_lamports", "equity_usd", "trading_usd"),
    *("risk_level", "halted"),
)


def accounts_of(report: Mapping[str, Any]) -> tuple[AccountName, ...]:
    """Return the accounts of a run from its report: the live one has figures only where the run was begun with one."""
    return ("paper",) if report.get("live") is None else ("paper", "live")


def read_report(client: "Client") -> tuple[Json, dict[AccountName, AccountReport]]:
    """Return the report of the running system and the figures of each account, in which equal names have equal values.

    A mark may come between the requests, so what the report has of an account is replaced by the account's figures.

    Raises:
        ApiError: the API does not answer.
    """
    report = client.report().model_dump()
    accounts = {
        account: account_report(
            report, account, client.portfolio(account).model_dump(), client.risk(account).model_dump()
        )
        for account in accounts_of(report)
    }
    report |= _of_report(accounts["paper"])
    if "live" in accounts:
        report["live"] |= _of_report(accounts["live"])
    return report, accounts


def _of_report(figures: Mapping[str, Any]) -> Json:
    names = ("equity_lamports", "equity_usd", "trading_usd", "open_positions", "halted")
    return {**{name: figures[name] for name in names}, "risk_level": figures["level"]}


def account_report(
    report: Mapping[str, Any], account: AccountName, portfolio: Mapping[str, Any], risk: Mapping[str, Any]
) -> AccountReport:
    """Return the figures of an account.

    Args:
        report: as `/api/report` returns it.
        account: of the run.
        portfolio: as `/api/portfolio` returns it.
        risk: as `/api/risk` returns it.
    """
    counts = report if account == "paper" else report["live"]
    return AccountReport(
        capital_usd=portfolio["capital_usd"],
        equity_usd=portfolio["equity_usd"],
        equity_lamports=portfolio["equity_lamports"],
        change_usd=portfolio["change_usd"],
        change_ratio=portfolio["change_ratio"],
        trading_usd=portfolio["trading_usd"],
        realised_sol=portfolio["realised_sol"],
        unrealised_sol=portfolio["unrealised_sol"],
        orders=counts["orders"],
        refusals=counts["refusals"],
        fills=counts["fills"],
        failed_orders=counts["failed_orders"],
        trades=counts["trades"],
        open_positions=portfolio["open_positions"],
        level=risk["level"],
        halted=risk["halted"],
        drawdown=risk["drawdown"],
        size_multiplier=risk["size_multiplier"],
    )


def print_accounts(accounts: Mapping[AccountName, AccountReport]) -> None:
    """Print a column for each account, and below what the names mean that do not say it."""
    texts = [in_text(in_words(figures)) for figures in accounts.values()]
    rows = [(name, *(text[name] for text in texts)) for name in texts[0]]
    sys.stdout.write("\n")
    print_rows("", ("account", *accounts), rows)
    print_paragraphs("", LEGEND)


def in_words(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures of an account as texts, under the names of the figures."""
    return {
        "capital_usd": _usd(figures["capital_usd"]),
        "equity_usd": _usd(figures["equity_usd"]),
        "change_usd": profit_text(figures),
        "trading_usd": "-" if figures["trading_usd"] is None else signed(figures["trading_usd"], ",.2f"),
        "realised_sol": signed(figures["realised_sol"], ",.6f"),
        "unrealised_sol": signed(figures["unrealised_sol"], ",.6f"),
        **{name: f"{figures[name]:,}" for name in (*_COUNTS, "open_positions")},
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
    """Return the level of the breaker, and the size that it leaves to new positions."""
    if figures["halted"]:
        return "halted: no new positions"
    return f"{figures['level']}, new positions {figures['size_multiplier']:g}x"


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
