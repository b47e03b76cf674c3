"""A verdict on a token, made with the nodes and services of the settings, and stored in the running system's run."""

import asyncio
import time
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey
from sqlalchemy.exc import SQLAlchemyError

from memesnipe.cli.current_settings import current_settings
from memesnipe.config.settings import Settings
from memesnipe.errors import InputError, first_line
from memesnipe.execution.token_verdict import SafetyVerdict
from memesnipe.protocol.chain_errors import in_words
from memesnipe.roles.live_safety import assessment
from memesnipe.roles.live_venue import sources_of
from memesnipe.runtime.lock import holder
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.wallet import load_wallet
from memesnipe.storage import views
from memesnipe.storage.command_submission import connect_for_commands
from memesnipe.storage.verdicts import Verdicts


def assess_token(mint: str) -> dict[str, Any]:
    """Return the verdict on a token, and whether it was stored.

    Raises:
        InputError: ``mint`` is no address, or there is no wallet in whose name the round trip can be simulated.
    """
    try:
        Pubkey.from_string(mint)
    except ValueError:
        raise InputError(f"{mint[:60]!r} is no address of a token") from None
    settings, home = current_settings()
    file = settings.changed(memesnipe_home=home).installation.wallet_file
    if not file.exists() and not file.is_symlink():
        raise InputError(
            f"{file}: there is no such file; the checks simulate a round trip in a wallet's name: "
            "`memesnipe wallet new` makes one"
        )
    wallet = load_wallet(file).pubkey()
    ts = time.time_ns()
    verdict = asyncio.run(_assess(settings, wallet, mint))
    return {
        "mint": mint,
        "ts": ts,
        "safe": verdict.is_safe,
        "reasons": [{"check": each.check, "detail": in_words(each.detail)} for each in verdict.reasons],
        "sources": dict(verdict.sources),
        "stored": _store(settings, home, verdict, ts),
    }


async def _assess(settings: Settings, wallet: Pubkey, mint: str) -> SafetyVerdict:
    async with http_client() as http:
        rpc = Rpc([Service(http, settings.feeds.solana_rpc_url.get_secret_value())])
        return await assessment(settings, http, rpc, wallet, sources_of(settings, http, rpc, wallet))(mint)


def _store(settings: Settings, home: Path, verdict: SafetyVerdict, ts: int) -> str:
    """Store the verdict in the run of this folder's system; return in which, or why not."""
    url = settings.servers.database_url
    if holder(home) is None or url is None:
        return "no: nothing is running"
    engine = connect_for_commands(url.get_secret_value())
    try:
        with engine.connect() as connection:
            run_id = views.latest_run(connection)
        if run_id is None:
            return "no: there is no run"
        Verdicts(engine, run_id).add(verdict, ts)
    except SQLAlchemyError as error:
        return f"no: {first_line(error)}"
    finally:
        engine.dispose()
    return f"in run {run_id}"
