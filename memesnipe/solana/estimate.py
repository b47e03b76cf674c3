"""Quantities that are asked for in the background, so that no order waits for them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.market.events import NS_PER_S
from memesnipe.solana.service_errors import ServiceError

ESTIMATE: Final = "estimate"
SETTINGS: Final = "settings"
MISSING: Final = "missing"
STALE: Final = "stale"

_T = TypeVar("_T")
OnFailure = Callable[[str, str], None]  # name of the quantity, reason


def _ignore(_name: str, _reason: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reading(Generic[_T]):
    """The last value of a quantity, or why there is none: SETTINGS, MISSING or STALE."""

    value: _T | None
    basis: str


class Estimate(Generic[_T]):
    """One quantity.

    Args:
        name: for messages.
        ask: asks a service for it, with a `ServiceError` where that fails; None: it is not asked for.
        max_age_s: of a value that is used; None for any.
        timeout_s: for an answer.
        on_failure: called with the name and the reason.
        clock: of this machine.
    """

    def __init__(
        self,
        name: str,
        ask: Callable[[], Awaitable[_T]] | None,
        max_age_s: float | None,
        timeout_s: float = 5.0,
        on_failure: OnFailure = _ignore,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._name, self._ask, self._max_age_s = name, ask, max_age_s
        self._timeout_s, self._on_failure, self._clock = timeout_s, on_failure, clock
        self._value: _T | None = None
        self._asked_ns = 0

    async def refresh(self) -> None:
        """Ask for the value; after a failure the last one is kept."""
        if self._ask is None:
            return
        asked_ns = self._clock.now_ns()  # before the question: the value may be as old as this
        try:
            self._value = await asyncio.wait_for(self._ask(), self._timeout_s)
        except TimeoutError:
            self._on_failure(self._name, f"no answer within {self._timeout_s:g} s")
        except ServiceError as error:
            self._on_failure(self._name, str(error))
        else:
            self._asked_ns = asked_ns

    def read(self) -> Reading[_T]:
        """Return the value at once; a value of the future comes from a clock that was set back, and is stale."""
        if self._ask is None:
            return Reading(None, SETTINGS)
        if self._value is None:
            return Reading(None, MISSING)
        age_ns = self._clock.now_ns() - self._asked_ns
        if self._max_age_s is not None and not 0 <= age_ns <= self._max_age_s * NS_PER_S:
            return Reading(None, STALE)
        return Reading(self._value, ESTIMATE)


async def keep_fresh(estimates: Sequence[Estimate[Any]], every_s: float) -> None:
    """Refresh estimates at once, and then at this interval, until it is cancelled."""
    while True:
        await asyncio.gather(*(one.refresh() for one in estimates))
        await asyncio.sleep(every_s)
