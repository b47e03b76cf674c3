"""The wallet of a live run against its records: lamports and tokens must agree exactly."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from memesnipe.errors import MemeSnipeError
from memesnipe.solana.balance import genesis_hash, read_holdings
from memesnipe.storage.runs import CHAIN, LIVE_WALLET, WALLET, open_orders, read_run_settings
from memesnipe.storage.wallets import WalletRecord, read_wallet, traded


def wallet_verdict(connection: Connection, run_id: int, rpc_url: str) -> dict[str, Any] | None:
    """Compare the wallet of a run with its records; return None where the run has no wallet.

    The chain is asked if the node is one of the run's chain; else what was stored at the end of the run is compared.
    While orders are in flight, the wallet may be ahead of the records: then nothing is compared.

    Args:
        connection: sees what was committed meanwhile (READ COMMITTED), as the chain goes on too.
        run_id: the run.
        rpc_url: a node.

    Returns:
        The wallet, its lamports, the source (`chain`, `record`, or why neither is known), the number of orders in
        flight when it was read, and the differences.
    """
    settings = read_run_settings(connection, run_id)
    if WALLET not in settings:
        return None
    before = traded(connection, run_id)
    found, source = _held(connection, run_id, settings, rpc_url)
    verdict: dict[str, Any] = {"wallet": settings[WALLET], "source": source, "lamports": None, "differences": []}
    if found is None:
        return verdict
    records = traded(connection, run_id)
    in_flight = max(found.open_orders, int(records != before))  # a trade was recorded while the wallet was read
    differences = [] if in_flight else list(_differences(settings[LIVE_WALLET], found, records))
    return verdict | {"lamports": found.lamports, "open_orders": in_flight, "differences": differences}


def _held(
    connection: Connection, run_id: int, settings: dict[str, Any], rpc_url: str
) -> tuple[WalletRecord | None, str]:
    try:
        if genesis_hash(rpc_url) == settings[CHAIN]:
            opened = open_orders(connection, run_id)
            holdings = read_holdings(rpc_url, settings[WALLET])
            opened = max(opened, open_orders(connection, run_id))
            return WalletRecord(holdings.lamports, holdings.tokens, opened), "chain"
        reason = "the node is of another chain"
    except MemeSnipeError as error:
        reason = str(error)
    stored = read_wallet(connection, run_id)
    return (stored, "record") if stored is not None else (None, f"not compared: {reason}")


def _differences(opening: int, found: WalletRecord, records: WalletRecord) -> Iterator[str]:
    """Yield one line for each difference."""
    expected = opening + records.lamports
    if found.lamports != expected:
        difference = found.lamports - expected
        yield f"wallet: {found.lamports} lamports, the records say {expected}: a difference of {difference}"
    for mint in sorted(found.tokens.keys() | records.tokens.keys()):
        raw, recorded = found.tokens.get(mint, 0), records.tokens.get(mint, 0)
        if raw != recorded:
            yield f"wallet: {raw} raw tokens of {mint}, the records say {recorded}"
