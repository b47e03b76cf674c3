"""Making the live feeds that a user has chosen, and adding the price of SOL to those that need it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from memesnipe.errors import InputError
from memesnipe.feeds.base import Feed
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.sol_price import LastSolPrice
from memesnipe.replies import host_of

SOL_PRICE_FEEDS: Final = ("pyth", "jupiter")
NEED_SOL_PRICE: Final = ("pumpfun",)
# Their events are read from the logs of the transactions that mention one of these programs.
PUMP_PROGRAM: Final = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMPSWAP_PROGRAM: Final = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"


def with_sol_price(names: Sequence[str], endpoints: Endpoints) -> list[str]:
    """Return the names of the live feeds to open: with a price of SOL, if one needs it and none is named.

    It is the first, because trades at the same time need it: Pyth's with a key for Pyth, else Jupiter's.
    """
    if not set(names) & set(NEED_SOL_PRICE) or set(names) & set(SOL_PRICE_FEEDS):
        return list(names)
    return ["pyth" if endpoints.pyth_api_key else "jupiter", *names]


def check_endpoints(names: Sequence[str], endpoints: Endpoints) -> None:
    """Check that the feeds that need a setting have it, before anything is started.

    Raises:
        InputError: one has not.
    """
    if "signals" in names and (endpoints.signals_file is None or not endpoints.signals_file.is_file()):
        found = "is not set" if endpoints.signals_file is None else f"is {endpoints.signals_file}: no such file"
        raise InputError(f"--feed signals: SIGNALS_FILE {found}; name the file to which your events are appended")


def make_live_feeds(names: Sequence[str], endpoints: Endpoints, state: Path | None = None) -> dict[str, Feed]:
    """Return the live feeds by name, in the order of the names; none is open yet.

    Args:
        names: of the feeds.
        endpoints: that they connect to.
        state: file for what pump.fun's feed knows of coins and pools; None to begin without.

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
        "pumpfun": lambda: _pumpfun(endpoints, price, state),
    }
    return {name: makers[name]() for name in with_sol_price(names, endpoints)}


def websocket_feeds(endpoints: Endpoints) -> dict[str, Feed]:
    """Return a feed of raw frames for each websocket of Solana, by its host: the logs of pump.fun and PumpSwap."""
    from memesnipe.feeds.websocket import WebsocketSource  # noqa: PLC0415 - import only what is opened

    requests = [_logs_subscribe(1, PUMP_PROGRAM), _logs_subscribe(2, PUMPSWAP_PROGRAM)]
    feeds: dict[str, Feed] = {}
    for url in endpoints.solana_ws_urls:
        host = host_of(url)
        count = sum(name.partition("#")[0] == host for name in feeds)
        name = f"{host}#{count + 1}" if count else host
        feeds[name] = LiveFeed(name, WebsocketSource(url, requests))
    return feeds


def _logs_subscribe(request_id: int, program: str) -> str:
    # Confirmed: a processed transaction may still be on a fork that is dropped.
    parameters = [{"mentions": [program]}, {"commitment": "confirmed"}]
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "logsSubscribe", "params": parameters})


def _pumpfun(endpoints: Endpoints, price: LastSolPrice, state: Path | None) -> Feed:
    from memesnipe.feeds.pumpfun.feed import PumpfunFeed  # noqa: PLC0415 - as above
    from memesnipe.feeds.pumpfun.lookups import Lookups  # noqa: PLC0415
    from memesnipe.feeds.pumpfun.saved import SavedCoins  # noqa: PLC0415
    from memesnipe.feeds.rpc import RpcClient  # noqa: PLC0415

    lookups = Lookups(RpcClient(endpoints.solana_rpc_url))
    saved = SavedCoins(state) if state is not None else None
    return PumpfunFeed(websocket_feeds(endpoints), price.usd, lookups=lookups, saved=saved)


def _pyth(endpoints: Endpoints, price: LastSolPrice) -> Feed:
    from memesnipe.feeds.pyth import pyth_feed  # noqa: PLC0415 - as above

    return pyth_feed(endpoints.pyth_url, endpoints.pyth_api_key, price.noting)


def _jupiter(endpoints: Endpoints, price: LastSolPrice) -> Feed:
    from memesnipe.feeds.jupiter import jupiter_feed  # noqa: PLC0415 - as above

    return jupiter_feed(endpoints.jupiter_api_url, endpoints.jupiter_api_key, price.noting)


def _dexscreener(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.dexscreener import dexscreener_feed  # noqa: PLC0415 - as above

    return dexscreener_feed(endpoints.dexscreener_url)


def _hyperliquid(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.hyperliquid import hyperliquid_feed  # noqa: PLC0415 - as above

    return hyperliquid_feed(endpoints.hyperliquid_url)


def _signals(endpoints: Endpoints) -> Feed:
    from memesnipe.feeds.signals import signals_feed  # noqa: PLC0415 - as above

    assert endpoints.signals_file is not None  # noqa: S101 - checked above
    return signals_feed(endpoints.signals_file)
