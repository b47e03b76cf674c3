"""Settings of live feeds: addresses and keys of the services that they read."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

from memesnipe.config.group import Group, setting
from memesnipe.config.types import OptionalPath, Port
from memesnipe.config.urls import empty_is_unset, http_url, key, rpc_url, websocket_url, websocket_urls

WebsocketUrls = Annotated[SecretStr, AfterValidator(websocket_urls)]
RpcUrl = Annotated[SecretStr, AfterValidator(rpc_url)]
WebsocketUrl = Annotated[str, AfterValidator(websocket_url)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
Key = Annotated[Annotated[SecretStr, AfterValidator(key)] | None, BeforeValidator(empty_is_unset)]


def _absolute(path: Path | None) -> Path | None:
    """Return the path as an absolute one: the actors run in another folder."""
    return path.absolute() if path is not None else None


AbsolutePath = Annotated[OptionalPath, AfterValidator(_absolute)]


class FeedSettings(Group):
    """Live feeds: addresses and keys of the services that they read."""

    solana_ws_url: WebsocketUrls = setting(
        "wss://api.mainnet-beta.solana.com,wss://solana.api.onfinality.io/public-ws",
        "websockets of Solana's RPC, separated by commas; all are read, and each event is used once",
        decides=False,
    )
    solana_rpc_url: RpcUrl = setting(
        "https://api.mainnet-beta.solana.com",
        "Solana's RPC; asked for the coins of pools, and for transactions whose logs were cut",
        decides=False,
    )
    helius_ws_url: WebsocketUrl = setting(
        "wss://mainnet.helius-rpc.com/", "websocket of Helius, without the key", decides=False
    )
    helius_api_key: Key = setting(None, "key of Helius, for the feed `helius`", decides=False)
    pyth_url: HttpUrl = setting("https://pyth.dourolabs.app/hermes", "Pyth's Hermes", decides=False)
    pyth_api_key: Key = setting(None, "key of Hermes, which answers no request without one", decides=False)
    jupiter_api_url: HttpUrl = setting("https://api.jup.ag", "Jupiter's APIs", decides=False)
    jupiter_api_key: Key = setting(None, "key of Jupiter; the feed of SOL's price needs none", decides=False)
    dexscreener_url: HttpUrl = setting("https://api.dexscreener.com", "DexScreener's API", decides=False)
    hyperliquid_url: HttpUrl = setting("https://api.hyperliquid.xyz", "Hyperliquid's API", decides=False)
    signals_file: AbsolutePath = setting(
        None, "file to which a program of yours appends events, for the feed `signals`", decides=False
    )
    webhook_port: Port = setting(8090, "port of the feed `webhook`, on 127.0.0.1", decides=False)
    webhook_token_file: AbsolutePath = setting(
        None, "file with the token that the feed `webhook` requires, yours alone to read", decides=False
    )

    @property
    def solana_ws_urls(self) -> tuple[str, ...]:
        """Return the websockets of Solana."""
        return tuple(self.solana_ws_url.get_secret_value().split(","))
