"""What a strategy's author imports, and all of it."""

from memesnipe.market.events import BRIDGE, DEPTH, FUNDING, ONCHAIN, PRICE, SOCIAL, SOL_PRICE, Event
from memesnipe.sdk.maths import decay, ema
from memesnipe.sdk.strategy import BUY, HOLD, SELL, Param, StateField, Strategy, param, state

__all__ = [
    "BRIDGE",
    "BUY",
    "DEPTH",
    "FUNDING",
    "HOLD",
    "ONCHAIN",
    "PRICE",
    "SELL",
    "SOCIAL",
    "SOL_PRICE",
    "Event",
    "Param",
    "StateField",
    "Strategy",
    "decay",
    "ema",
    "param",
    "state",
]
