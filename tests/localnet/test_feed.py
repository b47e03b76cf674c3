"""Our own feed of pump.fun watches the local chain: whole logs by websocket, cut ones by asking the node."""

import base64
import time
from collections.abc import Iterator, Sequence

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.feeds.base import END, IDLE, FeedMessage
from memesnipe.feeds.endpoints import Endpoints
from memesnipe.feeds.live_choice import PUMP_PROGRAM, websocket_feeds
from memesnipe.feeds.pumpfun.chain_events import ChainEvent
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pumpfun.lookups import Lookups
from memesnipe.feeds.pumpfun.repairs import REPAIRED
from memesnipe.feeds.rpc import RpcClient
from memesnipe.localnet.node import Node
from memesnipe.localnet.programs import Expansion, MarketAccounts
from memesnipe.testing.pumpfun_frames import encode_event
from tests.feeds.pumpfun.chain import CREATE, NOW_NS, SOL_USD, TOKEN, Curve
from tests.localnet.support import funded, signed, wallet

A = wallet(1)
SOON_S = 20.0


class EventProgram:
    """Writes the events that it is told to the log, one for each instruction."""

    program_id = Pubkey.from_string(PUMP_PROGRAM)

    def __init__(self, events: Sequence[ChainEvent]) -> None:
        self._events = [base64.b64encode(encode_event(event)).decode() for event in events]

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        noise = ["Program log: " + "x" * 4_880] * data[1]
        return Expansion([], [*noise, f"Program data: {self._events[data[0]]}"])

    def instruction(self, event: int, noise: int = 0) -> Instruction:
        return Instruction(self.program_id, bytes([event, noise]), [])


@pytest.fixture
def node() -> Iterator[Node]:
    with Node(funded(A), is_paced=False) as made:
        yield made


def next_message(feed: PumpfunFeed) -> FeedMessage:
    """Return the next message of a feed."""
    deadline_s = time.monotonic() + SOON_S
    while (polled := feed.poll(1, 0.05)) is IDLE:
        assert time.monotonic() < deadline_s, (feed.counts(), feed.statuses())
    assert polled is not END
    return polled[0].message


def test_the_feed_watches_the_local_chain(node: Node) -> None:
    curve = Curve()
    program = EventProgram([CREATE, curve.buy(10**6 * TOKEN), curve.buy(2 * 10**6 * TOKEN), curve.sell(TOKEN)])
    node.call(lambda: node.chain.add_program(program))
    urls = {"pyth_url": "", "jupiter_api_url": "", "dexscreener_url": "", "hyperliquid_url": "", "helius_ws_url": ""}
    endpoints = Endpoints((node.websocket_url,), node.rpc_url, **urls)
    lookups = Lookups(RpcClient(node.rpc_url, interval_s=0.01))
    feed = PumpfunFeed(websocket_feeds(endpoints), lambda: SOL_USD, lambda: NOW_NS, lookups=lookups)
    feed.open(None)
    try:
        deadline_s = time.monotonic() + SOON_S
        while node.call(lambda: len(node.pubsub.publisher)) < 2:  # its subscriptions to both programs
            assert time.monotonic() < deadline_s
            feed.poll(1, 0.02)
        messages = []
        for instructions in ((0, 0), (1, 0)), ((2, 2),), ((3, 0),):  # the log of the second transaction is cut
            calls = [program.instruction(*one) for one in instructions]
            node.call(lambda calls=calls: node.chain.send(signed(node.chain, A, *calls)))
            node.tick(2)
            messages.append(next_message(feed))
        assert [(one["side"], one["token_raw"]) for one in messages] == [
            ("buy", 10**6 * TOKEN), ("buy", 2 * 10**6 * TOKEN), ("sell", TOKEN),
        ]  # fmt: skip
        assert messages[-1]["pool_sol_lamports"] == curve.sol
        assert feed.counts()[REPAIRED] == 1
    finally:
        feed.close()
