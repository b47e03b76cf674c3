"""The checks of a token before it is bought live, put together from the settings."""

from collections.abc import Sequence

import httpx
from solders.pubkey import Pubkey
from sqlalchemy import Engine

from memesnipe.config.settings import Settings
from memesnipe.execution.token_verdict import SafetyVerdict
from memesnipe.solana.jupiter import JupiterClient
from memesnipe.solana.pump_pools import pool_accounts
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.rugcheck import RugCheckClient
from memesnipe.solana.sale_simulation import SaleSimulation
from memesnipe.solana.service import Service
from memesnipe.solana.submission.ports import MessageBuilder
from memesnipe.solana.submission.safe_builder import Assess, SafeMessageBuilder
from memesnipe.solana.swap_plan import SwapSource
from memesnipe.solana.token_safety import SafetyPolicy, TokenSafety
from memesnipe.storage.verdicts import Verdicts


def assessment(
    settings: Settings, http: httpx.AsyncClient, rpc: Rpc, wallet: Pubkey, sources: Sequence[SwapSource]
) -> Assess:
    """Return what makes a verdict on a token.

    Args:
        settings: of the services and of what is accepted.
        http: the connections.
        rpc: nodes.
        wallet: in whose name the round trip is simulated.
        sources: ways to swap.
    """
    live = settings.live
    key = settings.feeds.jupiter_api_key
    headers = {} if key is None else {"x-api-key": key.get_secret_value()}
    rugcheck = None if live.rugcheck_api_url is None else RugCheckClient(Service(http, live.rugcheck_api_url))
    safety = TokenSafety(
        rpc,
        rugcheck,
        JupiterClient(Service(http, settings.feeds.jupiter_api_url, headers), wallet),
        SaleSimulation(rpc, sources, wallet, live.sale_simulation_lamports),
        SafetyPolicy(live.max_top_holders_percent / 100, max_rugcheck_score=live.max_rugcheck_score),
    )

    async def assess(mint: str) -> SafetyVerdict:
        return await safety.assess(mint, pool_accounts(Pubkey.from_string(mint)))

    return assess


def safe_builder(
    builder: MessageBuilder, assess: Assess, database: Engine, run_id: int, settings: Settings
) -> SafeMessageBuilder:
    """Return a builder that builds a purchase only where a recent verdict on its token is positive."""
    return SafeMessageBuilder(builder, assess, Verdicts(database, run_id), settings.live.token_verdict_max_age_secs)
