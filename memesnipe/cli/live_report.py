"""The end of a live run's report: both accounts apart, and the wallet against the records."""

from functools import partial
from typing import Any, Final

from sqlalchemy.exc import OperationalError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.account import Account
from memesnipe.runtime.session import Session
from memesnipe.runtime.terminal import print_message
from memesnipe.solana.balance import read_holdings
from memesnipe.storage.account_views import account_figures, outcomes
from memesnipe.storage.runs import WALLET, read_run_settings
from memesnipe.storage.wallets import write_wallet
from memesnipe.verification.wallet import wallet_verdict

_LIMIT_S: Final = 30.0


def live_report(session: Session) -> dict[str, Any]:
    """Return the figures of both accounts and the verdict on the wallet; None for both where they cannot be read.

    It waits for a limited time: a database that hangs must not keep the system from stopping.
    """
    try:
        return BackgroundCheck(partial(_compare, session)).submit().result(_LIMIT_S)
    except (TimeoutError, OperationalError):
        print_message("PostgreSQL does not respond: the wallet was not compared with the records.")
        return {"accounts": None, "wallet": None}


def _compare(session: Session) -> dict[str, Any]:
    """Store what the wallet holds now, for `memesnipe verify`; return the figures and the verdict."""
    run_id, rpc_url = session.run.run_id, session.settings.feeds.solana_rpc_url.get_secret_value()
    with session.database.connect() as connection:
        wallet = read_run_settings(connection, run_id)[WALLET]
        accounts = {str(account): account_figures(connection, run_id, account) for account in Account}
        accounts[str(Account.LIVE)]["outcomes"] = outcomes(connection, run_id)
    try:
        held = read_holdings(rpc_url, wallet)
        write_wallet(session.database, run_id, held.lamports, held.tokens)
    except MemeSnipeError as error:
        session.log.warning("the wallet cannot be read", reason=str(error))
    with session.database.connect() as connection:
        return {"accounts": accounts, "wallet": wallet_verdict(connection, run_id, rpc_url)}
