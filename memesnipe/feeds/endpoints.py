"""Where the live feeds connect to, and their keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses, keys and files of the live feeds; its `repr` has no keys and no addresses that may contain one."""

    solana_ws_urls: tuple[str, ...] = field(repr=False)
    solana_rpc_url: str = field(repr=False)
    pyth_url: str
    jupiter_api_url: str
    dexscreener_url: str
    hyperliquid_url: str
    helius_ws_url: str
    pyth_api_key: str | None = field(default=None, repr=False)
    jupiter_api_key: str | None = field(default=None, repr=False)
    helius_api_key: str | None = field(default=None, repr=False)
    signals_file: Path | None = None
    farcaster_url: str = ""
    farcaster_query: str = ""
    neynar_api_key: str | None = field(default=None, repr=False)
    x_url: str = ""
    x_bearer_token: str | None = field(default=None, repr=False)
    cashtags: Mapping[str, str] = field(
        default_factory=dict
    )  # mint by ticker, besides `memesnipe.feeds.posts.CASHTAGS`
    webhook_port: int = 0
    webhook_token_file: Path | None = None
