"""A purchase needs a recent positive verdict; a sale needs none; what cannot be assessed is not bought."""

import asyncio
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from memesnipe.engine.orders import Order
from memesnipe.execution.submission_events import Built
from memesnipe.execution.token_verdict import SafetyReason, SafetyVerdict
from memesnipe.market.events import BUY_SIDE, NS_PER_S, SELL_SIDE, SHORT_SIDE
from memesnipe.solana.submission import safe_builder
from memesnipe.solana.submission.safe_builder import SafeMessageBuilder, UnsafeTokenError
from memesnipe.storage.schema_verdicts import TokenVerdictRow
from memesnipe.storage.verdicts import Verdicts, read_verdicts

MINT = "a-mint"
MAX_AGE_S = 600
SAFE = SafetyVerdict(MINT, (), {"mint": "checked", "rugcheck": "not configured"})
UNSAFE = SafetyVerdict(MINT, (SafetyReason("mint", "freeze authority"), SafetyReason("sale", "it failed")), {})
BUILT = Built(b"message", 7)


def order(side: int) -> Order:
    return Order("spec", 1, 0, side, "signal", 1, 1, 2, 0.1, 1, 1, 1)


class Clock:
    """A clock that a test sets."""

    now_s = 1_000.0

    def now_ns(self) -> int:
        return int(self.now_s * NS_PER_S)

    def monotonic_s(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Desk:
    """A builder whose verdicts a test decides; it counts what was assessed and built."""

    store: Verdicts
    verdict: SafetyVerdict = SAFE
    takes_s: float = 0.0
    clock: Clock = field(default_factory=Clock)
    assessed: int = 0
    built: int = 0

    async def build(self, order: Order, mint: str) -> Built:
        self.built += 1
        return BUILT

    async def assess(self, mint: str) -> SafetyVerdict:
        self.assessed += 1
        await asyncio.sleep(self.takes_s)
        return self.verdict

    def place(self, *sides: int) -> list[Built]:
        async def run() -> list[Built]:
            made = SafeMessageBuilder(self, self.assess, self.store, MAX_AGE_S, self.clock)
            return await asyncio.gather(*(made.build(order(side), MINT) for side in sides))

        return asyncio.run(run())


@pytest.fixture
def desk(database: sa.Engine, new_run: int) -> Desk:
    return Desk(Verdicts(database, new_run))


def test_one_verdict_serves_purchases_until_it_is_too_old(desk: Desk, database: sa.Engine, new_run: int) -> None:
    assert desk.place(BUY_SIDE, BUY_SIDE, SHORT_SIDE) == [BUILT] * 3
    desk.clock.now_s += MAX_AGE_S
    desk.place(BUY_SIDE)
    assert desk.assessed == 1
    desk.clock.now_s += 1
    desk.place(BUY_SIDE)
    assert desk.assessed == 2
    desk.clock.now_s -= 10_000
    desk.place(BUY_SIDE)
    assert desk.assessed == 3, "a verdict of the future is none"
    with database.connect() as connection:
        stored = read_verdicts(connection, new_run, MINT)
    assert [(one["safe"], one["reasons"], one["sources"]) for one in stored] == [(True, [], dict(SAFE.sources))] * 3


def test_a_token_that_is_not_safe_is_not_bought_and_is_sold(desk: Desk, database: sa.Engine, new_run: int) -> None:
    desk.verdict = UNSAFE
    for _ in range(2):
        with pytest.raises(UnsafeTokenError, match="unsafe token: mint: freeze authority; sale: it failed"):
            desk.place(BUY_SIDE)
    assert (desk.assessed, desk.built) == (1, 0)
    assert desk.place(SELL_SIDE) == [BUILT]
    desk.clock.now_s += 61
    desk.verdict = SAFE
    assert desk.place(BUY_SIDE) == [BUILT], "it was assessed again"
    with database.connect() as connection:
        safe, unsafe = read_verdicts(connection, new_run, MINT)
    assert (safe["safe"], unsafe["safe"]) == (True, False)
    assert unsafe["reasons"][0] == {"check": "mint", "detail": "freeze authority"}


def test_without_a_verdict_in_time_nothing_is_bought(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_builder, "_ASSESS_S", 0.01)
    desk.takes_s = 30.0
    with pytest.raises(UnsafeTokenError, match="no verdict within"):
        desk.place(BUY_SIDE)
    assert desk.built == 0


def test_a_stored_verdict_that_contradicts_itself_is_refused(desk: Desk, database: sa.Engine, new_run: int) -> None:
    row = {"run_id": new_run, "mint": MINT, "ts": desk.clock.now_ns(), "safe": True, "sources": {}}
    with database.begin() as connection:
        connection.execute(sa.insert(TokenVerdictRow).values(row | {"reasons": [{"check": "mint", "detail": "x"}]}))
    with pytest.raises(ValueError, match="contradicts"):
        desk.place(BUY_SIDE)
    assert desk.built == 0
