"""The feed of pump.fun watches a market of the local chain by websocket, and sees every trade exactly."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from solders.pubkey import Pubkey

from memesnipe.feeds.base import END, IDLE, FeedMessage
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.feeds.live_choice import websocket_feeds
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pumpfun.lookups import Lookups
from memesnipe.feeds.rpc import RpcClient
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.node import Node
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.market.events import NS_PER_S
from memesnipe.market.pump import wallet_hash
from tests.localnet.programs.market import ME, fund

SOON_S = 30.0
TRADES = 40
NOW_NS = 1_790_010_000 * NS_PER_S  # after the chain's time, which begins at 1,790,000,000 s


def messages(feed: PumpfunFeed, count: int, kind: str = "price") -> list[FeedMessage]:
    """Return the next messages of a kind."""
    found: list[FeedMessage] = []
    deadline_s = time.monotonic() + SOON_S
    while len(found) < count:
        assert time.monotonic() < deadline_s, (len(found), feed.counts(), feed.statuses())
        polled = feed.poll(100, 0.05)
        assert polled is not END
        if polled is not IDLE:
            found += [event.message for event in polled if event.message["kind"] == kind]
    return found


@contextmanager
def watched() -> Iterator[tuple[Node, ChainMarket, PumpfunFeed, Pubkey]]:
    """Yield a node with a market of one coin, and a feed that has watched it from the beginning."""
    chain = Chain()
    market = ChainMarket(chain, seed=3)
    fund(chain)
    with Node(chain, is_paced=False) as node:
        urls = {
            "pyth_url": "",
            "jupiter_api_url": "",
            "dexscreener_url": "",
            "hyperliquid_url": "",
            "helius_ws_url": "",
        }
        endpoints = Endpoints((node.websocket_url,), node.rpc_url, **urls)
        lookups = Lookups(RpcClient(node.rpc_url, interval_s=0.01))
        feed = PumpfunFeed(websocket_feeds(endpoints), lambda: 150.0, lambda: NOW_NS, lookups=lookups)
        feed.open(None)
        try:
            deadline_s = time.monotonic() + SOON_S
            while node.call(lambda: len(node.pubsub.publisher)) < 2:
                assert time.monotonic() < deadline_s
                feed.poll(1, 0.02)
            mint = node.call(lambda: market.create_coin("coin"))
            node.tick()
            yield node, market, feed, mint
        finally:
            feed.close()


def test_the_feed_sees_every_trade_exactly_and_our_own() -> None:
    with watched() as (node, market, feed, mint):
        pools = []
        for number in range(TRADES):
            own = number % 4 == 0
            node.call(lambda own=own: market.buy(ME, mint, SOL) if own else market.step())
            node.tick()
            curve = node.call(lambda: market.curve(mint))
            assert curve is not None
            pools.append((curve.virtual_quote_reserves, curve.virtual_token_reserves))
        node.tick(2)  # the last block is confirmed
        found = messages(feed, TRADES)
        assert [(one["pool_sol_lamports"], one["pool_token_raw"]) for one in found] == pools
        assert all(one["mint"] == str(mint) and one["venue"] == "pump_curve" for one in found)
        assert found[0]["trader"] == wallet_hash(str(ME.pubkey()))
        assert sum(one["trader"] == wallet_hash(str(ME.pubkey())) for one in found) == TRADES // 4


def test_the_feed_follows_a_coin_from_its_curve_into_its_pool() -> None:
    with watched() as (node, market, feed, mint):
        for act in (
            lambda: market.buy(ME, mint, 87 * SOL),
            lambda: market.migrate(mint),
            lambda: market.buy(ME, mint, SOL),
            lambda: market.sell(ME, mint, 10**12),
        ):
            node.call(act)
            node.tick()
        node.tick(2)
        last, bought, sold = messages(feed, 3)
        pool, vaults = node.call(lambda: (market.pool(mint), market.vaults(mint)))
        assert last["real_token_raw"] == 0
        assert (bought["venue"], bought["side"]) == ("pumpswap", "buy")
        assert (sold["venue"], sold["side"], sold["token_raw"]) == ("pumpswap", "sell", 10**12)
        assert pool is not None
        assert vaults is not None
        assert sold["pool_token_raw"] == vaults[0]
        counts = feed.counts()
        assert counts["CreateEvent"] == counts["CompleteEvent"] == counts["CompletePumpAmmMigrationEvent"] == 1
        assert "pool opened with other reserves than its last buy left" not in counts
        assert sold["pool_sol_lamports"] == vaults[1] + pool.virtual_quote_reserves
