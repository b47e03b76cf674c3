"""The end of a live run's report: what became of its orders, and the wallet against the records."""

import time
from functools import partial
from typing import Any, Final

from sqlalchemy.exc import OperationalError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.config.home import Home
from memesnipe.errors import MemeSnipeError
from memesnipe.halt_file import halt, halt_level, resume
from memesnipe.protocol.commands import CommandName
from memesnipe.runtime.session import Session
from memesnipe.runtime.terminal import print_message
from memesnipe.solana.balance import read_holdings
from memesnipe.storage.account_views import outcomes
from memesnipe.storage.commands import enqueue, is_halt_recorded
from memesnipe.storage.runs import WALLET, has_settled, read_run_settings
from memesnipe.storage.wallets import write_wallet
from memesnipe.verification.wallet import wallet_verdict

_LIMIT_S: Final = 30.0
_SETTLE_S: Final = 60.0  # a transaction is finalized, or expires, in less with the local chain's usual slots
_LOOK_S: Final = 0.25


def settle(session: Session) -> None:
    """Let the orders end that are open on a local chain: it ends with the run, and nobody could ask it later.

    The run is halted for its end: the desk decides on no further orders, and the kill file keeps the signer from
    signing those that it has decided on. A run on a public chain finds out at its next start.
    """
    kill_file = Home(session.home).signer_halt
    was_halted = halt_level(kill_file) is not None
    halt(kill_file)
    try:
        print_message("Waiting for the live orders that are open ...")
        _record_halt(session)  # otherwise the run takes the kill file for a person's
        end_s = time.monotonic() + _SETTLE_S
        while time.monotonic() < end_s and not _has_settled(session):
            session.watch(_LOOK_S)
    except OperationalError:
        print_message("PostgreSQL does not respond: open live orders are left as they are.")
    finally:
        if not was_halted:
            resume(kill_file)


def _record_halt(session: Session) -> None:
    with session.database.begin() as connection:
        if not is_halt_recorded(connection, session.run.run_id):
            reason = "the run ends, and waits for its open live orders"
            enqueue(connection, session.run.run_id, CommandName.HALT, reason=reason)


def _has_settled(session: Session) -> bool:
    with session.database.connect() as connection:
        return has_settled(connection, session.run.run_id)


def live_report(session: Session) -> dict[str, Any]:
    """Return the outcomes of the live orders, None where they cannot be read, and so the verdict on the wallet.

    It waits for a limited time: a database that hangs must not keep the system from stopping.
    """
    try:
        return BackgroundCheck(partial(_compare, session)).submit().result(_LIMIT_S)
    except (TimeoutError, OperationalError):
        print_message("PostgreSQL does not respond: the wallet was not compared with the records.")
        return {"outcomes": None, "wallet": None}


def _compare(session: Session) -> dict[str, Any]:
    """Store what the wallet holds now, for `memesnipe verify`; return outcomes and verdict."""
    run_id, rpc_url = session.run.run_id, session.settings.feeds.solana_rpc_url.get_secret_value()
    with session.database.connect() as connection:
        wallet = read_run_settings(connection, run_id)[WALLET]
        ended = outcomes(connection, run_id)
    try:
        held = read_holdings(rpc_url, wallet)
        write_wallet(session.database, run_id, held.lamports, held.tokens)
    except MemeSnipeError as error:
        session.log.warning("the wallet cannot be read", reason=str(error))
    with session.database.connect() as connection:
        return {"outcomes": ended, "wallet": wallet_verdict(connection, run_id, rpc_url)}
