"""Settings of live trading: the lanes of transactions, and what stays in the wallet."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Count, Lamports, Percent
from memesnipe.config.urls import address, empty_is_unset, http_url

HttpUrl = Annotated[str, AfterValidator(http_url)]
OptionalUrl = Annotated[HttpUrl | None, BeforeValidator(empty_is_unset)]
OptionalAddress = Annotated[Annotated[str, AfterValidator(address)] | None, BeforeValidator(empty_is_unset)]


class LiveSettings(Group):
    """Live trading: the lanes of transactions, and what stays in the wallet (docs/live.md)."""

    jito_rpc_url: HttpUrl = setting(
        "https://mainnet.block-engine.jito.wtf", "Jito's block engine, to which transactions are sent", decides=False
    )
    sender_url: OptionalUrl = setting(
        None, "Helius' Sender instead of Jito's block engine, which it sends to as well", decides=False
    )
    sender_tip_account: OptionalAddress = setting(
        None, "account of the Sender that gets the tips; required with SENDER_URL", decides=False
    )
    rugcheck_api_url: OptionalUrl = setting(
        "https://api.rugcheck.xyz", "RugCheck, asked before a first purchase; empty: it is not asked", decides=False
    )
    max_rugcheck_score: Percent = setting(50, "highest score of RugCheck of a token that is bought", decides=False)
    max_top_holders_percent: Percent = setting(
        30, "highest share of the ten largest holders of a token that is bought", decides=False
    )
    token_verdict_max_age_secs: Count = setting(600, "a token is assessed again after this time", decides=False)
    sale_simulation_lamports: Lamports = setting(
        1_000_000, "spent in the simulated purchase and sale before a first purchase", decides=False
    )
    live_reserve_lamports: Lamports = setting(
        20_000_000, "part of the wallet that no strategy gets: for the rent of accounts and for fees", decides=False
    )
