"""Every live feed over the network with a server that sends what its provider documents."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from memesnipe.feeds.base import Feed
from memesnipe.feeds.dexscreener import dexscreener_feed
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.feeds.farcaster import farcaster_feed
from memesnipe.feeds.hyperliquid import hyperliquid_feed
from memesnipe.feeds.jupiter import jupiter_feed
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.live_choice import helius_feed, websocket_feeds
from memesnipe.feeds.merge import MergedFeed
from memesnipe.feeds.posts import CASHTAGS, Mentions
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pyth import SOL_USD_ID, pyth_feed
from memesnipe.feeds.sol_price import SOL_MINT
from memesnipe.feeds.websocket import WebsocketSource
from memesnipe.feeds.x import x_feed
from memesnipe.testing.event_stream_server import EventStreamServer
from memesnipe.testing.line_stream_server import LineStreamServer
from memesnipe.testing.polled_server import PolledServer
from memesnipe.testing.pumpfun_frames import key_of, logs_of, notification, transaction_notification
from memesnipe.testing.websocket_server import WebsocketServer
from tests.feeds.harness import KEY, Server
from tests.feeds.pumpfun.chain import TOKEN, Curve

MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
NOWHERE = Endpoints((), *("http://127.0.0.1:9",) * 5, "ws://127.0.0.1:9/")


@dataclass(frozen=True, slots=True)
class Case:
    """A feed, and what its server sends.

    Attributes:
        server: makes the server.
        feed: returns the feed of a server's URL, with `KEY` where the service has keys.
        payload: returns the n-th payload; from the first on each has one event of `kind`.
        kind: of the events.
        begins_with: payloads before the first with an event: those of what was there before the start.
        errors_as_rejections: reasons under which a payload that is no JSON is counted.
    """

    server: Callable[[], Server]
    feed: Callable[[str], Feed]
    payload: Callable[[int], str]
    kind: str
    begins_with: int = 0
    rejected_as: str = "malformed"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _trade(n: int) -> Any:
    return Curve(key_of(f"coin {n}")).buy(TOKEN, at_s=int(time.time()))


def _logs(n: int) -> str:
    return notification(10 + n, f"signature {n}", logs_of([_trade(n)]))


def _transaction(n: int) -> str:
    trade = _trade(n)
    return transaction_notification(10 + n, f"signature {n}", logs_of([trade]), [trade])


def _pyth(n: int) -> str:
    price = {"price": str(14_300_000_000 + n), "conf": "5000000", "expo": -8, "publish_time": int(time.time()) - 9 + n}
    return json.dumps({"parsed": [{"id": SOL_USD_ID, "price": price, "ema_price": price, "metadata": {"slot": n}}]})


def _jupiter(n: int) -> str:
    return json.dumps({SOL_MINT: {"usdPrice": 143.0, "liquidity": 6e8, "blockId": 400 + n, "decimals": 9}})


def _boosts(n: int) -> str:
    # The two URLs of DexScreener take the payloads in turns, whichever asks first: each is new to both.
    return json.dumps([{"chainId": "solana", "tokenAddress": MINT, "amount": 1, "totalAmount": 1 + n}]) if n else "[]"


def _perps(_n: int) -> str:
    universe = [{"name": "WIF", "szDecimals": 0, "maxLeverage": 5}]
    state = {"funding": "0.0000125", "markPx": "0.41", "openInterest": "1.0", "midPx": None, "impactPxs": None}
    return json.dumps([{"universe": universe, "marginTables": []}, [state]])


def _casts(n: int) -> str:
    cast = {"object": "cast", "hash": f"0x{n}", "text": "$WIF", "timestamp": _now(), "author": {"fid": 3}}
    return json.dumps({"result": {"casts": [cast], "next": {"cursor": None}}})


def _post(n: int) -> str:
    data = {"id": str(n), "text": "$WIF", "created_at": _now(), "edit_history_tweet_ids": [str(n)]}
    return json.dumps({"data": data, "matching_rules": [{"id": "1", "tag": "coins"}]})


def _pumpfun(url: str) -> Feed:
    endpoints = replace(NOWHERE, solana_ws_urls=(f"{url}{KEY}/?api-key={KEY}",))
    return PumpfunFeed(websocket_feeds(endpoints), lambda: 200.0)


def _helius(url: str) -> Feed:
    endpoints = replace(NOWHERE, helius_ws_url=url, helius_api_key=KEY)
    return PumpfunFeed({"helius": helius_feed(endpoints)}, lambda: 200.0)


NOT_UNDERSTOOD = "frames not understood"
CASES: dict[str, Case] = {
    "pumpfun": Case(WebsocketServer, _pumpfun, _logs, "price", rejected_as=NOT_UNDERSTOOD),
    "helius": Case(WebsocketServer, _helius, _transaction, "price", rejected_as=NOT_UNDERSTOOD),
    "pyth": Case(EventStreamServer, lambda url: pyth_feed(url, KEY), _pyth, "sol_price"),
    "jupiter": Case(PolledServer, lambda url: jupiter_feed(url, KEY), _jupiter, "sol_price"),
    "dexscreener": Case(PolledServer, lambda url: dexscreener_feed(url, 0.01), _boosts, "social", 2),
    "hyperliquid": Case(PolledServer, hyperliquid_feed, _perps, "funding"),
    "farcaster": Case(
        PolledServer, lambda url: farcaster_feed(url, KEY, "$WIF", Mentions(CASHTAGS), 0.01), _casts, "social", 1
    ),
    "x": Case(LineStreamServer, lambda url: x_feed(url, KEY, Mentions(CASHTAGS)), _post, "social"),
}
WITHOUT_KEYS = {"dexscreener", "hyperliquid"}
LOCAL = {"signals", "webhook", "localnet"}  # no service over the network; each has tests of its own


def sources_of(feed: Any) -> Iterator[Any]:
    """Yield the connections of a feed."""
    if isinstance(feed, LiveFeed):
        yield feed._source
    elif isinstance(feed, MergedFeed):
        for one in feed._inputs:
            yield from sources_of(one.feed)
    elif isinstance(feed, PumpfunFeed):
        for endpoint in feed._endpoints:
            yield from sources_of(endpoint.feed)
    else:
        yield from sources_of(feed._payloads)


def limit_silence(feed: Feed, silence_s: float) -> None:
    """Have every connection of a feed give up a silent server after some seconds; it must have had a limit before."""
    for source in sources_of(feed):
        if isinstance(source, WebsocketSource):
            assert source._times.silence_s <= 60
            source._times = replace(source._times, silence_s=silence_s)
        else:
            assert source._client.read_s <= 30
            source._client.read_s = silence_s
