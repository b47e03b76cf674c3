"""Making the live feeds that a user has chosen, and adding the price of SOL to those that need it."""

import json
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Final
from urllib.parse import quote

from memesnipe.errors import InputError
from memesnipe.feeds.arrival import Arrival
from memesnipe.feeds.base import Feed
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.sol_price import LastSolPrice
from memesnipe.replies import host_of

SOL_PRICE_FEEDS: Final = ("pyth", "jupiter")
PUMPFUN_FEEDS: Final = ("pumpfun", "helius")  # the same events; both are one feed with more endpoints
_PROGRAM_STOPPED_S: Final = 60.0  # both programs have several transactions a second; a local chain may have none
_LOCAL_LOOKUP_S: Final = 0.05  # between two requests to a local chain, which has no limit
# Their events are read from the logs of the transactions that mention one of these programs.
PUMP_PROGRAM: Final = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMPSWAP_PROGRAM: Final = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"


def with_sol_price(names: Sequence[str], endpoints: Endpoints) -> list[str]:
    """Return the names of the live feeds to open: with a price of SOL, if one needs it and none is named.

    It is the first, because trades at the same time need it: Pyth's with a key for Pyth, else Jupiter's.
    """
    if not set(names) & set(PUMPFUN_FEEDS) or set(names) & set(SOL_PRICE_FEEDS):
        return list(names)
    return ["pyth" if endpoints.pyth_api_key else "jupiter", *names]


def check_endpoints(names: Sequence[str], endpoints: Endpoints) -> None:
    """Check that the feeds that need a setting have it, before anything is started.

    Raises:
        InputError: one has not.
    """
    keys = {
        "helius": (endpoints.helius_api_key, "HELIUS_API_KEY", "the key of an account at helius.dev"),
        "farcaster": (endpoints.neynar_api_key, "NEYNAR_API_KEY", "the key of an account at neynar.com"),
        "x": (endpoints.x_bearer_token, "X_BEARER_TOKEN", "the bearer token of an app at developer.x.com"),
    }
    for name, (key, setting, what) in keys.items():
        if name in names and key is None:
            raise InputError(f"--feed {name}: {setting} is not set; it is {what}")
    if "webhook" in names:
        from memesnipe.feeds.webhook.feed import read_token  # noqa: PLC0415 - import only what is opened

        read_token(endpoints.webhook_token_file)
    if "signals" in names and (endpoints.signals_file is None or not endpoints.signals_file.is_file()):
        found = "is not set" if endpoints.signals_file is None else f"is {endpoints.signals_file}: no such file"
        raise InputError(f"--feed signals: SIGNALS_FILE {found}; name the file to which your events are appended")


def make_live_feeds(
    names: Sequence[str], endpoints: Endpoints, state: Path | None = None, arrival: Arrival | None = None
) -> dict[str, Feed]:
    """Return the live feeds by name, in the order of the names; none is open yet.

    Args:
        names: of the feeds.
        endpoints: that they connect to.
        state: file for what pump.fun's feed knows of coins and pools, beside which the webhook stores what it accepts;
            None to begin without, and to store it for as long as this process runs.
        arrival: notified of what the websockets receive.

    Raises:
        InputError: a feed lacks a setting.
    """
    check_endpoints(names, endpoints)
    price = LastSolPrice()
    makers: dict[str, Callable[[], Feed]] = {
        "pyth": lambda: _pyth(endpoints, price),
        "jupiter": lambda: _jupiter(endpoints, price),
        "dexscreener": lambda: _dexscreener(endpoints),
        "hyperliquid": lambda: _hyperliquid(endpoints),
        "signals": lambda: _signals(endpoints),
        "farcaster": lambda: _farcaster(endpoints),
        "x": lambda: _x(endpoints),
        "webhook": lambda: _webhook(endpoints, state),
        "localnet": lambda: _localnet(endpoints, state),
        **dict.fromkeys(PUMPFUN_FEEDS, lambda: _pumpfun(names, endpoints, price, state, arrival)),
    }
    return {name: makers[name]() for name in with_sol_price(_joined(names), endpoints)}


def _joined(names: Sequence[str]) -> list[str]:
    """Return the names without the second feed of the same market: it is an endpoint of the first."""
    market = [name for name in names if name in PUMPFUN_FEEDS]
    return [name for name in names if name not in market[1:]]


def websocket_feeds(endpoints: Endpoints, arrival: Arrival | None = None, stopped_s: float = inf) -> dict[str, Feed]:
    """Return a feed of raw frames for each websocket of Solana, by its host: the logs of pump.fun and PumpSwap.

    Args:
        endpoints: of the feeds.
        arrival: notified of every frame.
        stopped_s: seconds without a frame of one of the two programs after which a connection is made again.
    """
    from memesnipe.feeds.websocket import WebsocketSource, WebsocketTimes  # noqa: PLC0415 - import only what is opened

    times = WebsocketTimes(stopped_s=stopped_s)
    requests = [_logs_subscribe(1, PUMP_PROGRAM), _logs_subscribe(2, PUMPSWAP_PROGRAM)]
    feeds: dict[str, Feed] = {}
    for url in endpoints.solana_ws_urls:
        host = host_of(url)
        count = sum(name.partition("#")[0] == host for name in feeds)
        name = f"{host}#{count + 1}" if count else host
        feeds[name] = LiveFeed(name, WebsocketSource(url, requests, times), arrival=arrival)
    return feeds


def helius_feed(endpoints: Endpoints, arrival: Arrival | None = None) -> Feed:
    """Return the feed of raw frames of Helius: the transactions that succeeded of pump.fun and PumpSwap."""
    from memesnipe.feeds.websocket import WebsocketSource  # noqa: PLC0415 - as above

    wanted = {"accountInclude": [PUMP_PROGRAM, PUMPSWAP_PROGRAM], "vote": False, "failed": False}
    options = {
        "commitment": "confirmed",
        "encoding": "jsonParsed",
        "transactionDetails": "full",
        "maxSupportedTransactionVersion": 0,
    }
    request = {"jsonrpc": "2.0", "id": 1, "method": "transactionSubscribe", "params": [wanted, options]}
    url = f"{endpoints.helius_ws_url}?api-key={quote(endpoints.helius_api_key or '', safe='')}"
    return LiveFeed("helius", WebsocketSource(url, [json.dumps(request)]), arrival=arrival)


def _logs_subscribe(request_id: int, program: str) -> str:
    # Confirmed: a processed transaction may still be on a fork that is dropped.
    parameters = [{"mentions": [program]}, {"commitment": "confirmed"}]
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "logsSubscribe", "params": parameters})


def _pumpfun(
    names: Sequence[str], endpoints: Endpoints, price: LastSolPrice, state: Path | None, arrival: Arrival | None
) -> Feed:
    from memesnipe.feeds.pumpfun.feed import PumpfunFeed  # noqa: PLC0415 - as above
    from memesnipe.feeds.pumpfun.lookups import Lookups  # noqa: PLC0415
    from memesnipe.feeds.pumpfun.saved import SavedCoins  # noqa: PLC0415
    from memesnipe.feeds.rpc import RpcClient  # noqa: PLC0415

    lookups = Lookups(RpcClient(endpoints.solana_rpc_url))
    saved = SavedCoins(state) if state is not None else None
    arrival = arrival or Arrival()
    sources = websocket_feeds(endpoints, arrival, _PROGRAM_STOPPED_S) if "pumpfun" in names else {}
    if "helius" in names:
        sources["helius"] = helius_feed(endpoints, arrival)
    return PumpfunFeed(sources, price.usd, lookups=lookups, saved=saved, arrival=arrival)


def _localnet(endpoints: Endpoints, state: Path | None) -> Feed:
    """Return pump.fun's feed with the price of SOL, both from a local chain, which ends with the chain's market."""
    from memesnipe.feeds.localnet import LocalnetFeed, SeenSignatures  # noqa: PLC0415 - as above
    from memesnipe.feeds.merge import MergedFeed  # noqa: PLC0415
    from memesnipe.feeds.pumpfun.feed import PumpfunFeed  # noqa: PLC0415
    from memesnipe.feeds.pumpfun.lookups import Lookups  # noqa: PLC0415
    from memesnipe.feeds.pumpfun.saved import SavedCoins  # noqa: PLC0415
    from memesnipe.feeds.rpc import RpcClient  # noqa: PLC0415

    price, chain = LastSolPrice(), endpoints.solana_rpc_url
    frames = {name: SeenSignatures(feed) for name, feed in websocket_feeds(endpoints).items()}
    saved = SavedCoins(state) if state is not None else None
    trades = PumpfunFeed(frames, price.usd, lookups=Lookups(RpcClient(chain, interval_s=_LOCAL_LOOKUP_S)), saved=saved)
    merged = MergedFeed({"jupiter": _jupiter(replace(endpoints, jupiter_api_url=chain), price), "pumpfun": trades})

    def is_ready() -> bool:
        # A source is connected once its subscriptions are acknowledged.
        return price.usd() > 0 and all(one.connections for feed in frames.values() for one in feed.statuses())

    return LocalnetFeed(merged, list(frames.values()), chain, is_ready)


def _pyth(endpoints: Endpoints, price: LastSolPrice) -> Feed:
    from memesnipe.feeds.pyth import pyth_feed  # noqa: PLC0415 - as above

    return pyth_feed(
        endpoints.pyth_url, endpoints.pyth_api_key, partial(price.noting, "pyth"), partial(price.warning, "pyth")
    )


def _jupiter(endpoints: Endpoints, price: LastSolPrice) -> Feed:
    from memesnipe.feeds.jupiter import jupiter_feed  # noqa: PLC0415 - as above

    noting, warning = partial(price.noting, "jupiter"), partial(price.warning, "jupiter")
    return jupiter_feed(endpoints.jupiter_api_url, endpoints.jupiter_api_key, noting, warning)


def _dexscreener(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.dexscreener import dexscreener_feed  # noqa: PLC0415 - as above

    return dexscreener_feed(endpoints.dexscreener_url)


def _hyperliquid(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.hyperliquid import hyperliquid_feed  # noqa: PLC0415 - as above

    return hyperliquid_feed(endpoints.hyperliquid_url)


def _farcaster(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.farcaster import farcaster_feed  # noqa: PLC0415 - as above
    from memesnipe.feeds.posts import CASHTAGS, Mentions  # noqa: PLC0415

    mentions = Mentions({**CASHTAGS, **endpoints.cashtags})
    key = endpoints.neynar_api_key or ""
    return farcaster_feed(endpoints.farcaster_url, key, endpoints.farcaster_query, mentions)


def _x(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.posts import CASHTAGS, Mentions  # noqa: PLC0415 - as above
    from memesnipe.feeds.x import x_feed  # noqa: PLC0415

    return x_feed(endpoints.x_url, endpoints.x_bearer_token or "", Mentions({**CASHTAGS, **endpoints.cashtags}))


def _signals(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.signals import signals_feed  # noqa: PLC0415 - as above

    assert endpoints.signals_file is not None  # noqa: S101 - checked above
    return signals_feed(endpoints.signals_file)


def _webhook(endpoints: Endpoints, state: Path | None) -> Feed:
    from memesnipe.feeds.webhook.feed import WebhookFeed, read_token  # noqa: PLC0415 - as above

    token = read_token(endpoints.webhook_token_file)
    if state is not None:
        return WebhookFeed(endpoints.webhook_port, token, state.with_name("webhook.jsonl"))
    folder = tempfile.TemporaryDirectory(prefix="memesnipe-webhook-")
    feed = WebhookFeed(endpoints.webhook_port, token, Path(folder.name) / "webhook.jsonl")
    weakref.finalize(feed, folder.cleanup)
    return feed
