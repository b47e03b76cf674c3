"""Settings of live trading: the lanes of transactions, and what stays in the wallet."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Count, Interval, Lamports, Percent
from memesnipe.config.urls import address, empty_is_unset, http_url

HttpUrl = Annotated[str, AfterValidator(http_url)]
OptionalUrl = Annotated[HttpUrl | None, BeforeValidator(empty_is_unset)]
OptionalAddress = Annotated[Annotated[str, AfterValidator(address)] | None, BeforeValidator(empty_is_unset)]
PriceSource = Literal["node", "helius", "settings"]
Percentile = Annotated[int, Field(ge=0, le=100)]
TipPercentile = Literal["25", "50", "75", "95", "99"]  # those that Jito publishes


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
    priority_fee_source: PriceSource = setting(
        "node",
        "who estimates the price of compute: node (getRecentPrioritizationFees of SOLANA_RPC_URL), helius (its "
        "getPriorityFeeEstimate, at the same URL), or settings: PRIORITY_FEE_LAMPORTS is bid",
        decides=False,
    )
    priority_fee_percentile: Percentile = setting(
        75, "percentile of recent prices that is bid; Helius' next level at or above it", decides=False
    )
    min_priority_fee_lamports: Lamports = setting(10_000, "least priority fee of a live order", decides=False)
    max_priority_fee_lamports: Lamports = setting(
        300_000, "highest priority fee of a live order; the signer's policy has a limit of its own", decides=False
    )
    jito_tip_floor_url: OptionalUrl = setting(
        "https://bundles.jito.wtf/api/v1/bundles/tip_floor",
        "Jito's tips of landed bundles; empty: JITO_TIP_LAMPORTS is bid",
        decides=False,
    )
    tip_percentile: TipPercentile = setting("50", "percentile of the tips of landed bundles that is bid", decides=False)
    min_tip_lamports: Lamports = setting(
        1_000,
        "least tip of a live order; Jito takes nothing below 1,000, the Sender nothing below 1,000,000",
        decides=False,
    )
    max_tip_lamports: Lamports = setting(
        100_000, "highest tip of a live order; the signer's policy has a limit of its own", decides=False
    )
    bid_refresh_secs: Interval = setting(10, "interval at which the estimates are asked for", decides=False)
    bid_max_age_secs: Interval = setting(60, "an older estimate is not used; the settings are", decides=False)
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
