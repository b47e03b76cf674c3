"""Settings of live feeds: addresses and keys of the services that they read."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr

from memesnipe.config.group import Group, setting
from memesnipe.config.types import OptionalPath, Port
from memesnipe.config.urls import empty_is_unset, http_url, key, rpc_url, websocket_url, websocket_urls

_TICKER: Final = re.compile(r"[A-Z][0-9A-Z]{0,14}")
_MINT: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


def _cashtags(value: str) -> str:
    """Check a list of tickers with their mints; return it in capitals and without spaces.

    Raises:
        ValueError: it is none, or names a ticker twice.
    """
    pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    tickers = [ticker.strip().removeprefix("$").upper() for ticker, _, _ in pairs]
    mints = [mint.strip() for _, _, mint in pairs]
    if not all(map(_TICKER.fullmatch, tickers)) or not all(map(_MINT.fullmatch, mints)):
        raise ValueError("must be like TICKER=MINT,TICKER=MINT")
    if len(set(tickers)) < len(tickers):
        raise ValueError("names a ticker twice")
    return ",".join(map("=".join, zip(tickers, mints, strict=True)))


WebsocketUrls = Annotated[SecretStr, AfterValidator(websocket_urls)]
RpcUrl = Annotated[SecretStr, AfterValidator(rpc_url)]
Cashtags = Annotated[str, AfterValidator(_cashtags)]
WebsocketUrl = Annotated[SecretStr, AfterValidator(websocket_url)]
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
    farcaster_url: HttpUrl = setting("https://api.neynar.com", "Neynar's API for Farcaster", decides=False)
    farcaster_query: str = setting(
        'pump.fun | "$BONK" | "$WIF" | "$POPCAT" | "$FARTCOIN" | "$GOAT" | "$PNUT"',
        "what casts must contain, in Neynar's syntax",
        decides=False,
    )
    neynar_api_key: Key = setting(None, "key of Neynar, for the feed `farcaster`", decides=False)
    x_url: HttpUrl = setting("https://api.x.com", "X's API", decides=False)
    x_bearer_token: Key = setting(None, "bearer token of an app of X, for the feed `x`", decides=False)
    social_cashtags: Cashtags = setting(
        "", "tokens that posts name by a cashtag, besides those with a perp: TICKER=MINT,TICKER=MINT", decides=False
    )
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

    @property
    def cashtags(self) -> dict[str, str]:
        """Return the mint of each ticker in `SOCIAL_CASHTAGS`."""
        pairs = (part.partition("=") for part in self.social_cashtags.split(",") if part)
        return {ticker: mint for ticker, _, mint in pairs}
