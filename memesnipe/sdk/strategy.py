"""The base class of strategies, and the declarations of their parameters and state."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import DTypeLike

from memesnipe.errors import StrategyError

# What `on_event` returns: an opinion on one token. It counts until the next event that the strategy hears of it.
SHORT: Final = -2  # SELL, and hold a short where a perp market for the token exists
SELL: Final = -1  # be out of it
HOLD: Final = 0
BUY: Final = 1  # be in it; covers a short

MAX_PARAM: Final = 1e18  # of a parameter's range; ranges are multiplied and divided by each other


@dataclass(frozen=True, slots=True)
class Param:
    """A number that evolution may choose: its range, where it starts, its scale and its unit."""

    low: float
    high: float
    default: float
    log: bool
    unit: str

    def clip(self, value: float) -> float:
        """The nearest value inside the range."""
        return float(min(max(value, self.low), self.high))  # an int would give the genome another name

    def at(self, share: float) -> float:
        """The value at a share of the range (0 to 1), even in the parameter's own scale."""
        if self.log:
            return self.clip(self.low * math.exp(share * math.log(self.high / self.low)))
        return self.clip(self.low + share * (self.high - self.low))

    def share(self, value: float) -> float:
        """Where in the range a value lies; the inverse of `at`."""
        if self.log:
            return math.log(self.clip(value) / self.low) / math.log(self.high / self.low)
        return (self.clip(value) - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class StateField:
    """A number that a strategy keeps for each token: a float ("f8") or an integer ("i8"), 0 at first."""

    kind: str


def param(low: float, high: float, *, default: float, log: bool = False, unit: str = "") -> Any:
    """Declare a parameter. ``log`` when its ratios matter rather than its differences."""
    if not low < high or not low <= default <= high or (log and low <= 0):
        raise StrategyError(f"param({low}, {high}, default={default}): need low <= default <= high, low > 0 with log")
    if max(-low, high) > MAX_PARAM or (log and low < 1 / MAX_PARAM):
        raise StrategyError(
            f"param({low}, {high}, default={default}): must be within {MAX_PARAM:g}, from {1 / MAX_PARAM:g} with log"
        )
    return Param(low, high, default, log, unit)


def state(kind: str = "f8") -> Any:
    """Declare a state field of each token: "f8" or "i8"."""
    if kind not in ("f8", "i8"):
        raise StrategyError(f"state({kind!r}): the kinds are 'f8' and 'i8'")
    return StateField(kind)


class Strategy:
    """One family of strategies: a hypothesis about one token's events.

    A subclass declares what it subscribes to, its parameters and its state, and decides in ``on_event(p, s, e)``:
    ``p`` has its parameters, ``s`` its state for the token of the event, ``e`` is the event. It returns
    BUY, SELL, SHORT or HOLD and may keep nothing anywhere else. An event without a token (BRIDGE, SOL_PRICE) is shown
    for each token alive, so that every state hears of it; orders are decided at events of the token itself.
    """

    subscriptions: ClassVar[tuple[int, ...]] = ()
    family: ClassVar[str] = ""
    params: ClassVar[dict[str, Param]] = {}
    state_fields: ClassVar[dict[str, StateField]] = {}
    warnings: ClassVar[tuple[str, ...]] = ()  # of the checks, a line each
    on_event: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        """Collect the declarations."""
        cls.params = {k: v for k, v in vars(cls).items() if isinstance(v, Param)}
        cls.state_fields = {k: v for k, v in vars(cls).items() if isinstance(v, StateField)}
        if not cls.subscriptions:
            raise StrategyError(f"{cls.__name__}: subscriptions is empty; name the kinds of event it reads")
        decide = vars(cls).get("on_event")
        if decide is None:
            raise StrategyError(f"{cls.__name__} has no on_event(p, s, e)")
        cls.on_event = staticmethod(decide)

    @classmethod
    def make_params(cls, values: dict[str, float]) -> SimpleNamespace:
        """The parameters as attributes; what is not given has its default, what is out of range the nearest value."""
        return SimpleNamespace(**{name: p.clip(values.get(name, p.default)) for name, p in cls.params.items()})

    @classmethod
    def make_state(cls) -> SimpleNamespace:
        """The state fields as attributes, all zero."""
        return SimpleNamespace(**{name: 0 if f.kind == "i8" else 0.0 for name, f in cls.state_fields.items()})

    @classmethod
    def param_dtype(cls) -> np.dtype[Any]:
        """The record of its parameters, each an f8; of one unused number where it has none."""
        return _record(dict.fromkeys(cls.params, "f8") or {"none_": "f8"})

    @classmethod
    def state_dtype(cls) -> np.dtype[Any]:
        """The record of its state for one token, after the life of the token that it belongs to."""
        return _record({"incarnation_": "i8"} | {name: f.kind for name, f in cls.state_fields.items()})


def _record(fields: dict[str, str]) -> np.dtype[Any]:
    layout: DTypeLike = list(fields.items())
    return np.dtype(layout)
