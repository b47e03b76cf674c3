"""The end of a live run's report: both accounts apart, and the wallet against the records."""

from typing import Any

from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.account import Account
from memesnipe.runtime.session import Session
from memesnipe.solana.balance import read_holdings
from memesnipe.storage.account_views import account_figures, outcomes
from memesnipe.storage.runs import WALLET, read_run_settings
from memesnipe.storage.wallets import write_wallet
from memesnipe.verification.wallet import wallet_verdict


def live_report(session: Session) -> dict[str, Any]:
    """Store what the wallet holds now, for `memesnipe verify`; return the figures of both accounts and the verdict."""
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
