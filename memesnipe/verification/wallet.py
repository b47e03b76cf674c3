"""The wallet of a live run against its records: lamports and tokens must agree exactly."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from memesnipe.errors import MemeSnipeError
from memesnipe.solana.balance import genesis_hash, read_holdings
from memesnipe.storage.runs import CHAIN, LIVE_WALLET, WALLET, read_run_settings
from memesnipe.storage.wallets import WalletRecord, read_wallet, traded


def wallet_verdict(connection: Connection, run_id: int, rpc_url: str) -> dict[str, Any] | None:
    """Compare the wallet of a run with its records; return None where the run has no wallet.

    The chain is asked if the node is one of the run's chain; else what was stored at the end of the run is compared.

    Returns:
        The wallet, its lamports, the source (`chain`, `record`, or why neither is known), and the differences.
    """
    settings = read_run_settings(connection, run_id)
    if WALLET not in settings:
        return None
    found, source = _held(connection, run_id, settings, rpc_url)
    verdict: dict[str, Any] = {"wallet": settings[WALLET], "source": source, "lamports": None, "differences": []}
    if found is None:
        return verdict
    differences = list(_differences(settings[LIVE_WALLET], found, traded(connection, run_id)))
    return verdict | {"lamports": found.lamports, "open_orders": found.open_orders, "differences": differences}


def _held(
    connection: Connection, run_id: int, settings: dict[str, Any], rpc_url: str
) -> tuple[WalletRecord | None, str]:
    try:
        if genesis_hash(rpc_url) == settings[CHAIN]:
            holdings = read_holdings(rpc_url, settings[WALLET])
            return WalletRecord(holdings.lamports, holdings.tokens, traded(connection, run_id).open_orders), "chain"
        reason = "the node is of another chain"
    except MemeSnipeError as error:
        reason = str(error)
    stored = read_wallet(connection, run_id)
    return (stored, "record") if stored is not None else (None, f"not compared: {reason}")


def _differences(opening: int, found: WalletRecord, records: WalletRecord) -> Iterator[str]:
    """Yield one line for each difference."""
    if found.open_orders:
        yield f"wallet: {found.open_orders} live orders had no final outcome when it was read"
    expected = opening + records.lamports
    if found.lamports != expected:
        difference = found.lamports - expected
        yield f"wallet: {found.lamports} lamports, the records say {expected}: a difference of {difference}"
    for mint in sorted(found.tokens.keys() | records.tokens.keys()):
        raw, recorded = found.tokens.get(mint, 0), records.tokens.get(mint, 0)
        if raw != recorded:
            yield f"wallet: {raw} raw tokens of {mint}, the records say {recorded}"
