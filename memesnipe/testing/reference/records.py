"""The records of the reference engine: assumptions, incarnations, the market, orders, positions and outcomes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from memesnipe.market.events import DEPTH, FUNDING, NO_TOKEN, PRICE, Event
from memesnipe.testing.reference.pools import Pool, Quote, ceil_div, pool_of

VENUE_FEE_BPS = 5


class Model(Protocol):
    """The assumptions of a fill."""

    # fmt: off
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def latency_ns(self) -> int: ...  # noqa: D102
    @property
    def landing_max(self) -> float: ...  # noqa: D102
    @property
    def landing_half_lamports(self) -> int: ...  # noqa: D102
    @property
    def slippage_bps(self) -> int: ...  # noqa: D102
    @property
    def base_fee_lamports(self) -> int: ...  # noqa: D102
    @property
    def priority_fee_lamports(self) -> int: ...  # noqa: D102
    @property
    def tip_lamports(self) -> int: ...  # noqa: D102
    @property
    def dead_after_ns(self) -> int: ...  # noqa: D102
    # fmt: on


@dataclass
class Incarnation:
    """One incarnation of a token after its last event."""

    number: int
    token: int
    began: int
    last_ts: int
    sol_usd: float = 0.0
    liquidity_usd: float = 0.0
    pool: Pool | None = None
    rate: float = 0.0
    mark: float = 0.0
    funding_ts: int | None = None


class Market:
    """The market shared by all strategies: the latest incarnation of each token, the price of SOL, the last event."""

    def __init__(self, dead_after_ns: int) -> None:
        self.dead_after_ns = dead_after_ns
        self.incarnations: dict[int, Incarnation] = {}
        self.incarnations_begun = 0
        self.sol_usd = 0.0
        self.ts = 0
        self.seq = 0

    def incarnation_of(self, event: Event) -> Incarnation | None:
        """Return the incarnation to which an event of a token belongs; None if the event begins a new one."""
        incarnation = self.incarnations.get(event.token)
        return incarnation if incarnation is not None and event.ts - incarnation.last_ts <= self.dead_after_ns else None

    def alive(self) -> Iterator[Incarnation]:
        """Return the incarnations alive at the last event."""
        return (
            incarnation
            for incarnation in self.incarnations.values()
            if self.ts - incarnation.last_ts <= self.dead_after_ns
        )

    def apply(self, event: Event) -> None:
        """Apply an event to the market."""
        self.ts, self.seq = event.ts, event.seq
        if event.sol_usd > 0:
            self.sol_usd = event.sol_usd
        if event.token == NO_TOKEN:
            return
        incarnation = self.incarnation_of(event)
        if incarnation is None:
            self.incarnations_begun += 1
            incarnation = self.incarnations[event.token] = Incarnation(
                self.incarnations_begun, event.token, event.ts, event.ts
            )
        incarnation.last_ts, incarnation.sol_usd = event.ts, self.sol_usd
        if event.kind in (PRICE, DEPTH):
            incarnation.liquidity_usd = event.liquidity_usd
        if event.kind == PRICE:
            incarnation.pool = pool_of(event)
        if event.kind == FUNDING:
            incarnation.rate, incarnation.mark, incarnation.funding_ts = event.rate, event.mark_usd, event.ts


@dataclass
class Order:
    """An order in flight."""

    number: int
    side: int
    reason: str
    decided_ts: int
    decided_seq: int
    due: int
    budget: int
    expected: int


@dataclass(frozen=True)
class Outcome:
    """The outcome of an order."""

    order_no: int
    token: int
    side: int
    reason: str
    decided_ts: int
    decided_seq: int
    ts: int
    seq: int  # of the last event before
    budget_lamports: int
    expected: int
    token_raw: int
    sol_lamports: int
    fee_lamports: int
    network_fee_lamports: int
    failure: str


@dataclass
class Position:
    """The fields common to both kinds of position."""

    cost: int
    filled_ts: int
    leave_ts: int  # the end of the longest hold, then the time of the next retry
    best: int = field(default=0, init=False)


@dataclass
class Tokens(Position):
    """Tokens held, and how their purchase shifted the pool."""

    amount: int
    sol_in: int
    tokens_out: int


@dataclass
class Short(Position):
    """A short held on a perp market."""

    margin: int
    notional_usd: float
    entry_mark: float
    funding_usd: float = 0.0

    def value(self, incarnation: Incarnation) -> int:
        """Return the margin plus gains and losses, before the fee of closing."""
        gain_usd = self.notional_usd * (1 - incarnation.mark / self.entry_mark) + self.funding_usd
        return max(self.margin + math.floor(gain_usd / incarnation.sol_usd * 1e9), 0)

    def cover(self, incarnation: Incarnation) -> Quote:
        """Return the quote for closing; the margin equals the initial notional."""
        value = self.value(incarnation)
        fee = venue_fee(int(self.margin * (incarnation.mark / self.entry_mark)))
        return Quote(0, value, min(value, fee), 0)


@dataclass
class Exposure:
    """An order in flight, a position, or both, in one incarnation of a token."""

    incarnation: Incarnation
    order: Order | None = None
    position: Position | None = None
    idle_since: int = 0  # when its last order ended


def venue_fee(notional: int) -> int:
    """Return the fee of a perp market."""
    return ceil_div(notional * VENUE_FEE_BPS, 10_000)


def mix(z: int) -> int:
    """Apply the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    z %= 2**64
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 % 2**64
    z ^= z >> 27
    z = z * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def chance(seed: int, spec_id: str, order_no: int) -> float:
    """Return the number in [0, 1) that determines whether an order lands."""
    h = mix(mix(seed ^ int(spec_id, 16)) + order_no * 0x9E3779B97F4A7C15)
    return (h >> 11) / 2**53
