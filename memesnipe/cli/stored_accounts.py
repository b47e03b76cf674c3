"""The accounts of a run from the database, for commands that do not ask the API."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from memesnipe.cli.account_figures import AccountName, AccountReport, account_report, accounts_of
from memesnipe.protocol.account import Account
from memesnipe.storage import views


def stored_accounts(connection: Connection, report: Mapping[str, Any]) -> dict[AccountName, AccountReport]:
    """Return the figures of each account of a run.

    Args:
        connection: of the database.
        report: of the run, as `memesnipe.storage.views.report` returns it.
    """
    run_id, found = report["run_id"], {}
    for name in accounts_of(report):
        portfolio, risk = (view(connection, run_id, Account(name)) for view in (views.portfolio, views.risk))
        found[name] = account_report(report, name, portfolio, risk)
    return found
