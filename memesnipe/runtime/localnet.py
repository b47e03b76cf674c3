"""What `memesnipe up --localnet` uses in place of the public chain and the user's wallet; nothing of it has value."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from memesnipe.config.home import Home
from memesnipe.config.settings import Settings
from memesnipe.runtime.live_run import wallet_address
from memesnipe.runtime.trading_mode import TradingMode
from memesnipe.secret_file import create_secret
from memesnipe.servers.local_chain import ChainUrls, LocalChain
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS
from memesnipe.solana.wallet import make_wallet

SOL: Final = 10.0  # of the wallet at the beginning of a chain
# As the policy of `memesnipe.signer`, with `enabled` and high limits: this file is used with a local chain alone.
_POLICY: Final = """\
# The signer's policy for `memesnipe up --localnet`, whose money has no value. It is never used for another chain.
# The keys are described in docs/signer.md.
enabled = true
venues = ["pump", "pumpswap", "jupiter"]
tip_accounts = {tip_accounts}

[spend]
per_transaction = 1_000_000_000
per_hour = 1_000_000_000_000
per_day = 1_000_000_000_000
exit_costs_per_day = 1_000_000_000_000

[fees]
priority_fee = 1_000_000
tip = 1_000_000
rent = 6_000_000

[jupiter]
max_slippage_bps = 10_000
max_platform_fee_bps = 0

[freshness]
max_intent_age_s = 60

[requests]
per_second = 100
burst = 1_000
"""


def policy_text() -> str:
    """Return the signer's policy for a local chain."""
    return _POLICY.format(tip_accounts=json.dumps([str(account) for account in JITO_TIP_ACCOUNTS]))


def local_settings(settings: Settings, home: Path, mode: TradingMode) -> Settings:
    """Make the wallet and the policy of local chains; return the settings with these, and with the switches of a mode.

    Raises:
        InputError: one of the files cannot be used.
    """
    folder = Home(home).localnet
    wallet, policy = folder / "wallet.json", folder / "signer-policy.toml"
    make_wallet(wallet)
    create_secret(policy, policy_text())
    return settings.changed(
        live_trading_enabled=mode.is_live,
        paper_trading_mode=not mode.is_live,
        wallet_keypair_filename=wallet,
        signer_policy_filename=policy,
        signer_state_folder=folder / "signer",
    )


def local_chain(settings: Settings, home: Path, mode: TradingMode) -> LocalChain:
    """Return the chain, which funds the wallet of the settings; it is not started yet."""
    assert mode.localnet is not None  # noqa: S101 - the mode has a local chain
    fund = ("--fund", wallet_address(settings.installation.wallet_file), "--sol", f"{SOL:g}")
    return LocalChain(Home(home).localnet / "chain", (*fund, *mode.localnet))


def with_chain(settings: Settings, urls: ChainUrls) -> Settings:
    """Return settings in which everything that a run asks or sends goes to the local chain."""
    changes: dict[str, Any] = {
        "solana_rpc_url": SecretStr(urls.rpc_url),
        "solana_ws_url": SecretStr(urls.websocket_url),
        "jupiter_api_url": urls.rpc_url,
        "jupiter_api_key": None,
        "jito_rpc_url": urls.rpc_url,
        "jito_tip_floor_url": f"{urls.rpc_url}/api/v1/bundles/tip_floor",
        "rugcheck_api_url": None,  # it knows no token of this chain; the checks of the chain itself remain
        "max_top_holders_percent": 100.0,  # all tokens of this market are held by the few wallets that trade it
        "sender_url": None,
        "sender_tip_account": None,
        "pyth_api_key": None,
        "helius_api_key": None,
    }
    return settings.changed(**changes)
