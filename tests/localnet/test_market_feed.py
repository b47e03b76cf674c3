"""The feed of pump.fun watches the local chain by websocket, and sees every trade exactly."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from memesnipe.feeds.base import END, IDLE, FeedMessage
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.live_choice import websocket_feeds
from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pumpfun.lookups import Lookups
from memesnipe.feeds.rpc import RpcClient
from memesnipe.feeds.websocket import WebsocketSource
from memesnipe.localnet.node import Node
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.market.events import NS_PER_S, wallet_hash
from tests.localnet.programs.market import ME, OneCoin, spent

SOON_S = 30.0
