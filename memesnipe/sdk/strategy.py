"""The base class of strategies, and the declarations of their parameters and state."""

import math
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import DTypeLike

from memesnipe.errors import StrategyError

# Votes on one token, returned by `on_event`. A vote stands until the next event of the token delivered to the strategy.
SHORT: Final = -2  # SELL, and hold a short if a perp market of the token exists
SELL: Final = -1  # hold nothing
HOLD: Final = 0
BUY: Final = 1  # hold the token; covers a short

MAX_PARAM: Final = 1e18  # limit of a parameter's range, because ranges are multiplied and divided


@dataclass(frozen=True, slots=True)
class Param:
    """A number that evolution varies: its range, default, scale and unit."""

    low: float
    high: float
    default: float
    log: bool
    unit: str

    def clip(self, value: float) -> float:
        """Return the nearest value inside the range, as a float."""
        return float(min(max(value, self.low), self.high))  # an int would change the genome's id

    def at(self, share: float) -> float:
        """Return the value at a share of the range (0 to 1), on the parameter's scale."""
        if self.log:
            return self.clip(self.low * math.exp(share * math.log(self.high / self.low)))
        return self.clip(self.low + share * (self.high - self.low))

    def share(self, value: float) -> float:
        """Return the share of the range at which a value lies; the inverse of `at`."""
        if self.log:
            return math.log(self.clip(value) / self.low) / math.log(self.high / self.low)
        return (self.clip(value) - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class StateField:
    """A number in a strategy's state of each token: a float ("f8") or an integer ("i8"), initially 0."""

    kind: str


def param(low: float, high: float, *, default: float, log: bool = False, unit: str = "") -> Any:
    """Declare a parameter. Set ``log`` if ratios of its values matter rather than differences."""
    if not low < high or not low <= default <= high or (log and low <= 0):
        raise StrategyError(f"param({low}, {high}, default={default}): need low <= default <= high, low > 0 with log")
    if max(-low, high) > MAX_PARAM or (log and low < 1 / MAX_PARAM):
        raise StrategyError(
            f"param({low}, {high}, default={default}): must be within {MAX_PARAM:g}, from {1 / MAX_PARAM:g} with log"
        )
    return Param(low, high, default, log, unit)


def state(kind: str = "f8") -> Any:
    """Declare a field of the state of each token: "f8" or "i8"."""
    if kind not in ("f8", "i8"):
        raise StrategyError(f"state({kind!r}): the kinds are 'f8' and 'i8'")
    return StateField(kind)


class Strategy:
    """A family of strategies: a hypothesis about the events of a token.

    A subclass declares its subscriptions, parameters and state, and votes in ``on_event(p, s, e)``: ``p`` has the
    parameters, ``s`` the state for the event's token, ``e`` is the event. It returns BUY, SELL, SHORT or HOLD and may
    store values only in ``s``. An event without a token (BRIDGE, SOL_PRICE) is delivered to each token alive; orders
    are decided only at events of the token itself.
    """

    subscriptions: ClassVar[tuple[int, ...]] = ()
    family: ClassVar[str] = ""
    about: ClassVar[str] = ""  # what it does in one sentence: the first line of its file's docstring
    rule: ClassVar[str] = ""  # when it votes, in words; see `memesnipe.sdk.rule`
    params: ClassVar[dict[str, Param]] = {}
    state_fields: ClassVar[dict[str, StateField]] = {}
    warnings: ClassVar[tuple[str, ...]] = ()  # of the linter, one line each
    votes: ClassVar[frozenset[int]] = frozenset()  # that on_event may return, found by the linter
    on_event: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        """Collect the declarations."""
        cls.params = {k: v for k, v in vars(cls).items() if isinstance(v, Param)}
        cls.state_fields = {k: v for k, v in vars(cls).items() if isinstance(v, StateField)}
        if not cls.subscriptions:
            raise StrategyError(f"{cls.__name__}: subscriptions is empty; list the kinds of event it reads")
        decide = vars(cls).get("on_event")
        if decide is None:
            raise StrategyError(f"{cls.__name__} has no on_event(p, s, e)")
        cls.on_event = staticmethod(decide)

    @classmethod
    def make_params(cls, values: dict[str, float]) -> SimpleNamespace:
        """Return the parameters as attributes: missing ones have their default, others are clipped to their range."""
        return SimpleNamespace(**{name: p.clip(values.get(name, p.default)) for name, p in cls.params.items()})

    @classmethod
    def make_state(cls) -> SimpleNamespace:
        """Return the state fields as attributes, all zero."""
        return SimpleNamespace(**{name: 0 if f.kind == "i8" else 0.0 for name, f in cls.state_fields.items()})

    @classmethod
    def param_dtype(cls) -> np.dtype[Any]:
        """Return the dtype of the parameters, each an f8; without parameters it has one unused field."""
        return _record(tuple((name, "f8") for name in cls.params) or (("none_", "f8"),))

    @classmethod
    def state_dtype(cls) -> np.dtype[Any]:
        """Return the dtype of the state of one token.

        It begins with the token's incarnation, the last vote, and the number of the event of that vote.
        """
        header = (("incarnation_", "i4"), ("vote_", "i4"), ("voted_", "i8"))
        return _record((*header, *((name, f.kind) for name, f in cls.state_fields.items())))


@cache
def _record(fields: tuple[tuple[str, str], ...]) -> np.dtype[Any]:
    layout: DTypeLike = list(fields)
    return np.dtype(layout)
