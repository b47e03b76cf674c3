"""The files of a signer that signs the orders of a run: wallet, secret, and a policy with wide limits."""

import json
from pathlib import Path
from typing import Final

from solders.keypair import Keypair

from memesnipe.solana.request_mac import make_secret
from memesnipe.testing.live_orders.lanes import TIP_ACCOUNTS

PER_TRANSACTION_LAMPORTS: Final = 1_000_000_000
_POLICY: Final = """
enabled = true
venues = ["pump", "pumpswap", "jupiter"]
tip_accounts = {tip_accounts}
[spend]
per_transaction = {per_transaction}
per_hour = 1_000_000_000_000
per_day = 1_000_000_000_000
exit_costs_per_day = 1_000_000_000_000
[fees]
priority_fee = 1_000_000
tip = 1_000_000
rent = 6_000_000
[jupiter]
max_slippage_bps = 3_000
max_platform_fee_bps = 0
[freshness]
max_intent_age_s = 3600  # orders wait for one another, and go on after kills
[requests]
per_second = 1000
burst = 1000
"""


def write_signer_files(
    folder: Path, wallet: Keypair, per_transaction: int = PER_TRANSACTION_LAMPORTS
) -> dict[str, Path]:
    """Write the files; return them by the names of the signer's own.

    Args:
        folder: is made.
        wallet: whose key the signer gets.
        per_transaction: most lamports that a purchase costs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = {name: folder / name for name in ("wallet", "token", "policy", "halt")}
    policy = _POLICY.format(
        tip_accounts=json.dumps([str(one) for one in TIP_ACCOUNTS]), per_transaction=per_transaction
    )
    for path, text in ((files["wallet"], json.dumps(list(bytes(wallet)))), (files["policy"], policy)):
        path.touch(mode=0o600)
        path.write_text(text)
    make_secret(files["token"])
    return {**files, "folder": folder}


def audit_lines(folder: Path) -> list[str]:
    """Return the lines of the signer's audit log; [] before its first decision."""
    path = folder / "audit.jsonl"
    return path.read_text().splitlines() if path.is_file() else []
