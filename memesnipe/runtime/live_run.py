"""The beginning of a live run: its wallet, its chain and its capital."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from memesnipe.config.settings import Settings
from memesnipe.errors import InputError, MemeSnipeError, RefusedError
from memesnipe.solana.balance import genesis_hash, read_balance
from memesnipe.storage.runs import CHAIN, LIVE_CAPITAL, LIVE_WALLET, WALLET

_ADDRESS_S: Final = 30.0


def wallet_address(wallet: Path) -> str:
    """Return the address of a wallet. Another process reads the file, so that the key is never in this one.

    Raises:
        InputError: the file is not a wallet.
    """
    command = [sys.executable, "-m", "memesnipe.solana.wallet", str(wallet)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_ADDRESS_S, check=False)  # noqa: S603
    if done.returncode:
        raise InputError((done.stderr.strip().splitlines() or ["the wallet cannot be read"])[-1])
    return done.stdout.strip()


def live_identity(settings: Settings) -> dict[str, Any]:
    """Return what tells a live run from others: it is continued with the same wallet on the same chain only.

    Raises:
        MemeSnipeError: the node does not answer.
    """
    try:
        chain = genesis_hash(settings.feeds.solana_rpc_url.get_secret_value())
    except MemeSnipeError as error:
        raise MemeSnipeError(f"--mode live: SOLANA_RPC_URL: {error}") from None
    return {"mode": "live", WALLET: wallet_address(settings.installation.wallet_file), CHAIN: chain}


def why_another_run(run_id: int, live: dict[str, Any], earlier: tuple[int, dict[str, Any]], *, is_local: bool) -> str:
    """Return why a live run does not go on with an earlier one, in a sentence; "" if wallet and chain are the same.

    Args:
        run_id: of the run that begins.
        live: its `live_identity`.
        earlier: number and settings of the earlier run.
        is_local: whether `--localnet` has started the chain.
    """
    number, settings = earlier
    if settings[CHAIN] != live[CHAIN]:
        place = (
            "another chain (--localnet starts a new one each time)"
            if is_local
            else f"another chain: its genesis hash was {settings[CHAIN]}, and SOLANA_RPC_URL has {live[CHAIN]}"
        )
    elif settings[WALLET] != live[WALLET]:
        place = f"another wallet: {settings[WALLET]}, now {live[WALLET]}"
    else:
        return ""
    return (
        f"Run {number} traded with {place}. It cannot go on: run {run_id} begins, with what the wallet holds on this "
        f"chain and no positions. The records of run {number} stay."
    )


def live_opening(settings: Settings, wallet: str) -> dict[str, int]:
    """Return what a live run records at its beginning: what the wallet holds, and what of it is the capital.

    Raises:
        RefusedError: the wallet holds no more than the reserve.
        MemeSnipeError: the node does not answer.
    """
    try:
        held = read_balance(settings.feeds.solana_rpc_url.get_secret_value(), wallet)
    except MemeSnipeError as error:
        raise MemeSnipeError(f"--mode live: the balance of {wallet} is unknown: {error}") from None
    reserve = settings.live.live_reserve_lamports
    if held <= reserve:
        raise RefusedError(
            f"--mode live: {wallet} holds {held:,} lamports, of which LIVE_RESERVE_LAMPORTS keeps {reserve:,}: fund it"
        )
    return {LIVE_CAPITAL: held - reserve, LIVE_WALLET: held}
