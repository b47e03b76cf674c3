"""`memesnipe verify`: re-derive a run from its events, and report where its records differ."""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine

from memesnipe.cli.bars import event_columns, progress_of
from memesnipe.code import code_hash
from memesnipe.config.home import Home
from memesnipe.config.settings import Settings, load_settings, read_resolved
from memesnipe.errors import InputError
from memesnipe.protocol.account import Account
from memesnipe.runtime.database import NO_RUN, open_database
from memesnipe.runtime.lock import holder
from memesnipe.sdk.registry import discover
from memesnipe.storage.account_views import EXITS
from memesnipe.storage.views import latest_run, run_status
from memesnipe.verification.audit import contradictions, read_run
from memesnipe.verification.conditions import audit_of, settings_of
from memesnipe.verification.rederivation import Records
from memesnipe.verification.wallet import wallet_verdict

_MAX_DIFFERENCES = 50  # in the verdict


def _snapshot(engine: Engine) -> Connection:
    """Return a connection with one snapshot of the database, although the run may continue."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True).connect()


def _node(settings: Settings) -> str:
    """Return the node of the running system, which may be that of a local chain; else the one of the settings."""
    home = settings.installation.memesnipe_home.resolve()
    if holder(home) is not None and Home(home).settings.is_file():
        settings = read_resolved(Home(home).settings)
    return settings.feeds.solana_rpc_url.get_secret_value()


def _counts(records: Records, account: Account) -> dict[str, int]:
    """Return the numbers of an account's records, under the names of `/api/report` where it has them too."""

    def of(rows: Mapping[Any, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows.values() if row["account"] == account]

    trades = of(records.trades)
    fills = [row for row in trades if row["status"] != "FAILED"]
    return {
        "orders": len(of(records.orders)),
        "refusals": len(of(records.refusals)),
        "fills": len(fills),
        "failed_orders": len(trades) - len(fills),
        "trades": sum(row["side"] in EXITS for row in fills),
        "positions": len(of(records.positions)),
        "equity_marks": len(of(records.equity)),
    }


def verify(run_id: int | None) -> dict[str, Any]:
    """Return the verdict on a run; on the newest run when ``run_id`` is None.

    Raises:
        InputError: there is no such run, or its events are not in this folder.
    """
    settings = load_settings()
    started = time.perf_counter()
    with open_database(settings) as (engine, _), _snapshot(engine) as connection:
        run_id = run_id or latest_run(connection)
        if run_id is None:
            raise InputError(NO_RUN)
        recorded, status = read_run(connection, run_id), run_status(connection, run_id)
        event_log = Home(settings.installation.memesnipe_home.resolve()).run(run_id).event_log
        if not event_log.is_file():
            raise InputError(f"run {run_id}: its events are not at {event_log}; verify it where it ran")
        contradicted = contradictions(connection, run_id, recorded, event_log)
        with engine.connect() as newest:  # the chain is not as it was at the snapshot either
            wallet = wallet_verdict(newest, run_id, _node(settings))
    settings_then = settings_of(recorded)
    audit = audit_of(recorded, event_log, settings_then, discover(*settings_then.simulation.strategy_folders))
    with progress_of(*event_columns(), transient=True) as progress:
        bar = progress.add_task(f"re-deriving run {run_id}", total=recorded.last_seq)
        for step in audit.derive():
            progress.update(bar, completed=step.seq)
    differences = [*contradicted, *audit.differences(), *(wallet["differences"] if wallet else [])]
    records = recorded.records
    return {
        "run_id": run_id,
        "status": status,
        "clean": not differences,
        "same_code": recorded.settings.get("code") == code_hash(settings_then.simulation.strategy_folders),
        "events": recorded.last_seq,
        "controls": len(recorded.controls),
        "messages": len(records.messages),
        **_counts(records, Account.PAPER),
        **({} if wallet is None else {"live": _counts(records, Account.LIVE)}),
        **({} if wallet is None else {"wallet": {n: v for n, v in wallet.items() if n != "differences"}}),
        "difference_count": len(differences),
        "differences": differences[:_MAX_DIFFERENCES],
        "seconds": round(time.perf_counter() - started, 3),
    }
