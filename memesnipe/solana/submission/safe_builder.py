"""Builds the message of a purchase only where a recent verdict on its token is positive."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.engine.orders import ENTRIES, Order
from memesnipe.errors import MemeSnipeError
from memesnipe.execution.submission_events import Built
from memesnipe.execution.token_verdict import SafetyVerdict
from memesnipe.market.events import NS_PER_S
from memesnipe.solana.submission.ports import MessageBuilder

_REFUSED_S: Final = 60  # a negative verdict holds for so long: what could not be checked may be checked then
_ASSESS_S: Final = 15.0
Assess = Callable[[str], Awaitable[SafetyVerdict]]


class UnsafeTokenError(MemeSnipeError):
    """There is no recent positive verdict on the token, so it is not bought."""


class VerdictStore(Protocol):
    """Where verdicts are kept; every method may block."""

    def latest(self, mint: str) -> tuple[SafetyVerdict, int] | None:
        """Return the last verdict on a token and its time in ns, None if there is none."""

    def add(self, verdict: SafetyVerdict, ts: int) -> None:
        """Store a verdict that was made at a time in ns."""


class SafeMessageBuilder:
    """Implements `memesnipe.solana.submission.ports.MessageBuilder`. Sales need no verdict.

    Args:
        builder: of the messages.
        assess: makes a verdict.
        store: of verdicts.
        max_age_s: of a positive verdict.
        clock: of this machine.
    """

    def __init__(
        self, builder: MessageBuilder, assess: Assess, store: VerdictStore, max_age_s: int, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._builder, self._assess, self._store = builder, assess, store
        self._max_age_ns, self._clock = max_age_s * NS_PER_S, clock
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one assessment of a token at a time

    async def build(self, order: Order, mint: str) -> Built:
        """Return the message of an order.

        Raises:
            UnsafeTokenError: the order is a purchase, and there is no positive verdict on its token.
            NoRouteError: the swap cannot be made, or its simulation failed.
            ServiceError: a service does not answer.
        """
        if order.side in ENTRIES:
            async with self._locks[mint]:
                verdict = await self._verdict(mint)
            if not verdict.is_safe:
                raise UnsafeTokenError(f"unsafe token: {verdict.text}")
        return await self._builder.build(order, mint)

    async def _verdict(self, mint: str) -> SafetyVerdict:
        """Return a verdict that is not too old, made now where there is none.

        Raises:
            UnsafeTokenError: it takes too long.
        """
        known = await asyncio.to_thread(self._store.latest, mint)
        if known is not None:
            verdict, ts = known
            age_ns = self._clock.now_ns() - ts
            # A verdict of the future comes from a clock that was set back.
            if 0 <= age_ns <= (self._max_age_ns if verdict.is_safe else _REFUSED_S * NS_PER_S):
                return verdict
        ts = self._clock.now_ns()  # before the checks: what they saw may be as old as this
        try:
            verdict = await asyncio.wait_for(self._assess(mint), _ASSESS_S)
        except TimeoutError:
            raise UnsafeTokenError(f"unsafe token: no verdict within {_ASSESS_S:g} s") from None
        await asyncio.to_thread(self._store.add, verdict, ts)
        return verdict
