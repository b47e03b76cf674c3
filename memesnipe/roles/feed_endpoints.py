"""Conversion of settings to the endpoints of live feeds, which know no settings."""

from pydantic import SecretStr

from memesnipe.config.settings import Settings
from memesnipe.feeds.endpoints import Endpoints


def endpoints_of(settings: Settings) -> Endpoints:
    """Return the endpoints of live feeds."""
    feeds = settings.feeds
    return Endpoints(
        solana_ws_urls=feeds.solana_ws_urls,
        solana_rpc_url=feeds.solana_rpc_url.get_secret_value(),
        pyth_url=feeds.pyth_url,
        jupiter_api_url=feeds.jupiter_api_url,
        dexscreener_url=feeds.dexscreener_url,
        hyperliquid_url=feeds.hyperliquid_url,
        helius_ws_url=feeds.helius_ws_url.get_secret_value(),
        helius_api_key=_revealed(feeds.helius_api_key),
        pyth_api_key=_revealed(feeds.pyth_api_key),
        jupiter_api_key=_revealed(feeds.jupiter_api_key),
        signals_file=feeds.signals_file,
        farcaster_url=feeds.farcaster_url,
        farcaster_query=feeds.farcaster_query,
        neynar_api_key=_revealed(feeds.neynar_api_key),
        x_url=feeds.x_url,
        x_bearer_token=_revealed(feeds.x_bearer_token),
        cashtags=feeds.cashtags,
        webhook_port=feeds.webhook_port,
        webhook_token_file=feeds.webhook_token_file,
    )


def _revealed(key: SecretStr | None) -> str | None:
    return key.get_secret_value() if key is not None else None
