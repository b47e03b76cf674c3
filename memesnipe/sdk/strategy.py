"""The base class of strategies, and the declarations of their parameters and state."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from memesnipe.errors import StrategyError

SELL: Final = -1
HOLD: Final = 0
BUY: Final = 1


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
    return Param(low, high, default, log, unit)


def state(kind: str = "f8") -> Any:
    """Declare a state field of each token: "f8" or "i8"."""
    if kind not in ("f8", "i8"):
        raise StrategyError(f"state({kind!r}): the kinds are 'f8' and 'i8'")
    return StateField(kind)


class Strategy:
    """One family of strategies: a hypothesis about one token's events.

    A subclass declares what it subscribes to, its parameters and its state, and decides in `on_event`:
    ``p`` has its parameters, ``s`` its state for the token of the event, ``e`` is the event. It returns
    BUY, SELL or HOLD and may keep nothing anywhere else.
    """

    subscriptions: ClassVar[tuple[int, ...]] = ()
    family: ClassVar[str] = ""
    params: ClassVar[dict[str, Param]] = {}
    state_fields: ClassVar[dict[str, StateField]] = {}
    new_state: ClassVar[Callable[[], Any]]
    new_params: ClassVar[Callable[[], Any]]

    def __init_subclass__(cls) -> None:
        """Collect the declarations and lay out the objects that carry them."""
        cls.params = {k: v for k, v in vars(cls).items() if isinstance(v, Param)}
        cls.state_fields = {k: v for k, v in vars(cls).items() if isinstance(v, StateField)}
        cls.new_params = type(f"{cls.__name__}Params", (), {"__slots__": tuple(cls.params)})
        cls.new_state = type(f"{cls.__name__}State", (), {"__slots__": tuple(cls.state_fields)})
        if not cls.subscriptions:
            raise StrategyError(f"{cls.__name__}: subscriptions is empty; name the kinds of event it reads")

    def on_event(self, p: Any, s: Any, e: Any) -> int:
        """Decide on one event: BUY, SELL or HOLD."""
        raise NotImplementedError

    @classmethod
    def make_params(cls, values: dict[str, float]) -> Any:
        """An object with the parameters as attributes; what is not given has its default."""
        made = cls.new_params()
        for name, declared in cls.params.items():
            setattr(made, name, declared.clip(values.get(name, declared.default)))
        return made

    @classmethod
    def make_state(cls, values: list[float | int] | None = None) -> Any:
        """An object with the state fields as attributes: zeros, or the values that `dump_state` gave."""
        made = cls.new_state()
        for i, (name, declared) in enumerate(cls.state_fields.items()):
            zero: float | int = 0 if declared.kind == "i8" else 0.0
            setattr(made, name, zero if values is None else values[i])
        return made

    @classmethod
    def dump_state(cls, made: Any) -> list[float | int]:
        """The state's values in the order of their declaration."""
        return [getattr(made, name) for name in cls.state_fields]
