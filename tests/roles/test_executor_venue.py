"""The executor and a venue with transactions: a crash neither loses nor doubles an order."""

from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

import memesnipe.roles.consumer
from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.config.home import installation_of
from memesnipe.engine.orders import Order
from memesnipe.errors import SettingsError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.market.events import LAMPORTS_PER_SOL, NO_TOKEN
from memesnipe.protocol.account import Account
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS, EVENTS, EXECUTION_REPORTS
from memesnipe.roles.executor import Executor
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.runs import LIVE_CAPITAL, begin_run
from memesnipe.storage.schema import MessageRow, OrderRow, TokenRow, TradeRow
from memesnipe.telemetry.metrics import ActorMetrics
from tests.execution.scripted_chain import STEP_EVENTS, ScriptedChain
from tests.payloads import allocations, command
from tests.roles.conftest import Stage
from tests.support import FAMILIES, population, synthetic_events

pytestmark = pytest.mark.timeout(200)

MARKET = synthetic_events(240, seed=3)
MINTS = [f"mint {token}" for token in range(int(MARKET["token"][MARKET["token"] != NO_TOKEN].max()) + 1)]
BATCH = 10


class CrashError(Exception):
    """The executor's process ends here."""


class CheckedChain(ScriptedChain):
    """A chain whose client checks that orders are committed, and whose caller may crash in one of its methods."""

    def __init__(self, database: sa.Engine, crash_in: str = "") -> None:
        super().__init__()
        self.database, self.crash_in, self.run_id, self.calls, self.crashes = database, crash_in, 0, 0, 0

    def crash(self, place: str) -> None:
        """Raise the crash at some of the calls from this place; not at all, so that a recovery gets through."""
        if place == self.crash_in:
            self.calls += 1
            if self.calls in (3, 11, 25):
                self.crashes += 1
                raise CrashError

    def submit(self, order_id: str, order: Order) -> None:
        with self.database.connect() as connection:
            stored = sa.select(OrderRow.status).where(OrderRow.run_id == self.run_id, OrderRow.order_id == order_id)
            assert connection.scalar(stored) is not None, "the order is submitted before it is committed"
        self.crash("before submit")
        super().submit(order_id, order)
        self.crash("after submit")

    def acknowledge(self, reports: list[ExecutionReport]) -> None:
        self.crash("before acknowledge")
        super().acknowledge(reports)


class LiveRun:
    """A run whose strategies all trade in the live account; its executor is replaced after a crash."""

    def __init__(self, stage: Stage, chain: CheckedChain, speed: float = 0.0, clock: Clock = SYSTEM_CLOCK) -> None:
        self.stage, self.chain, self.clock = stage, chain, clock
        settings = {LIVE_CAPITAL: 300 * LAMPORTS_PER_SOL}
        choice = FeedChoice("list", speed)
        stage.run_id = chain.run_id = begin_run(stage.database, uuid4().hex, choice.to_dict(), settings).run_id
        stage.redis.flushdb()
        tokens = [{"run_id": stage.run_id, "token": token, "mint": mint} for token, mint in enumerate(MINTS)]
        with stage.database.begin() as connection:
            connection.execute(sa.insert(TokenRow).values(tokens))
        context = stage.context()
        context.bus.take_over(installation_of(stage.home), stage.run_id)
        context.close()
        genomes = population()
        ids = [genome.spec_id for genome in genomes]
        message = allocations(genomes, usd=dict.fromkeys(ids, 1_000.0), live=ids)
        self.executor = self.start()
        self.control(ALLOCATIONS, 0, encode(message))

    def start(self) -> Executor:
        context = self.stage.context()
        context.families, context.clock = FAMILIES, self.clock
        executor = Executor(context, ActorMetrics("executor"), lambda _: self.chain)
        self.stage.started.append(executor)
        commit = executor.journal.commit

        def crashing(work: UnitOfWork, offsets: Any) -> Any:
            if any(stream == EXECUTION_REPORTS for stream, _, _ in work.messages):
                self.chain.crash("before commit")
            return commit(work, offsets)

        executor.journal.commit = crashing  # type: ignore[method-assign]
        try:
            executor.open()
        except CrashError:
            executor.close()
            return self.start()
        return executor

    def control(self, stream: str, seq: int, payload: bytes, number: int = 1) -> None:
        """Publish a message as its writer does."""
        row = {"run_id": self.stage.run_id, "stream": stream, "number": number, "seq": seq, "payload": payload.decode()}
        with self.stage.database.begin() as connection:
            connection.execute(sa.insert(MessageRow).values(row))
        self.executor.context.bus.publish([(stream, number, seq, payload)])

    def publish(self, first: int, last: int) -> None:
        payloads = to_payloads(MARKET[first:last], MINTS)
        self.executor.context.bus.publish([(p.stream, p.seq, p.seq, encode(p)) for p in payloads])

    def settle(self, seq: int) -> None:
        """Step until the events up to ``seq`` and all reports that are due were applied."""
        while True:
            self.chain.now = self.executor.offsets[EVENTS].number
            try:
                self.executor.step()
            except CrashError:
                self.executor.close()
                self.executor = self.start()
                continue
            journal = self.executor.journal
            published = journal.numbers_after(journal.unit_of_work())[EXECUTION_REPORTS]
            is_idle = self.executor.offsets[EXECUTION_REPORTS].number == published and not self.chain.poll()
            if self.executor.offsets[EVENTS].number == seq and self.chain.now == seq and is_idle:
                return

    def run(self, first: int = 0, last: int = len(MARKET)) -> None:
        for start in range(first, last, BATCH):
            stop = min(start + BATCH, last)
            self.publish(start, stop)
            self.settle(stop)

    def rows(self, table: type[OrderRow | TradeRow]) -> dict[str, dict[str, Any]]:
        query = sa.select(table.__table__).where(table.run_id == self.stage.run_id)
        with self.stage.database.connect() as connection:
            return {row["order_id"]: {**row, "run_id": 0} for row in connection.execute(query).mappings()}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memesnipe.roles.consumer, "BLOCK_MS", 1)


@pytest.fixture
def calm(stage: Stage, database: sa.Engine) -> LiveRun:
    """A run without a crash."""
    run = LiveRun(stage, CheckedChain(database))
    run.run()
    return run


@pytest.mark.parametrize("crash_in", ["before commit", "before submit", "after submit", "before acknowledge"])
def test_a_crash_loses_and_doubles_no_order(stage: Stage, database: sa.Engine, calm: LiveRun, crash_in: str) -> None:
    orders, trades = calm.rows(OrderRow), calm.rows(TradeRow)
    assert {*calm.chain.accepted} == {*orders}
    assert calm.chain.submissions == [*calm.chain.accepted]
    statuses = {row["status"] for row in orders.values()}
    assert statuses >= {OrderStatus.RECONCILED, OrderStatus.FAILED, OrderStatus.LANDED}
    calm.executor.close()

    crashed = LiveRun(stage, CheckedChain(database, crash_in))
    crashed.run()
    assert crashed.chain.crashes >= 3
    assert crashed.rows(OrderRow) == orders
    assert crashed.rows(TradeRow) == trades
    assert {*crashed.chain.accepted} == {*orders}


def test_an_order_in_an_unknown_state_stays_open_until_its_outcome_is_reported(
    stage: Stage, database: sa.Engine
) -> None:
    run = LiveRun(stage, CheckedChain(database))
    at = 0
    while not (unknown := [k for k, row in run.rows(OrderRow).items() if row["status"] == OrderStatus.UNKNOWN]):
        run.run(at, at + BATCH)
        at += BATCH
        assert at < len(MARKET), "no order was ever unknown"
    run.executor.close()
    before = run.chain.submissions.count(unknown[0])
    run.executor = run.start()
    assert run.chain.submissions.count(unknown[0]) == before + 1, "the client is to report the order again"
    run.run(at)
    assert run.rows(OrderRow)[unknown[0]]["status"] == OrderStatus.RECONCILED
    assert unknown[0] in run.rows(TradeRow)


def test_a_halt_requests_the_cancellation_of_open_orders_again_after_a_crash(stage: Stage, database: sa.Engine) -> None:
    run = LiveRun(stage, CheckedChain(database))
    at = 0
    while not (opened := [k for k, row in run.rows(OrderRow).items() if row["status"] == OrderStatus.INTENDED]):
        run.run(at, at + STEP_EVENTS - 1)  # fewer events than it takes until the first report
        at += STEP_EVENTS - 1
        assert at < len(MARKET), "no order was ever without a report"
    run.control(COMMANDS, at, encode(command("halt", seq=at)))
    run.settle(at)
    assert {*run.chain.cancellations} >= {*opened}
    cancelled = [k for k, row in run.rows(OrderRow).items() if row["status"] == OrderStatus.CANCELLED]
    assert cancelled
    run.chain.cancellations = []
    still_open = [
        k for k, row in run.rows(OrderRow).items() if row["status"] in ("signed", "submitted", "unknown", "intended")
    ]
    run.executor.close()
    run.executor = run.start()
    assert {*run.chain.cancellations} == {*still_open}
    run.run(at)
    assert {*run.rows(OrderRow)} == {*run.chain.accepted}, "a halt lets no order through"
    assert not {*cancelled} & {*run.rows(TradeRow)}


@pytest.mark.parametrize("is_halted", [False, True])
def test_a_flatten_sells_every_live_position_through_the_venue(
    stage: Stage, database: sa.Engine, is_halted: bool
) -> None:
    run = LiveRun(stage, CheckedChain(database))
    at = 120
    run.run(0, at)
    if is_halted:
        run.control(COMMANDS, at, encode(command("halt", seq=at)))
        run.settle(at)
    state = run.executor.desks[Account.LIVE].state
    assert state.held()
    # An entry that is signed already may still land; what it buys is sold too.
    exposed = {*state.held(), *((order.spec_id, order.token) for order in state.pending)}
    flatten = encode(command("flatten", seq=at))
    run.control(COMMANDS, at, flatten, number=1 + is_halted)
    run.settle(at)
    run.executor.close()
    run.executor = run.start()  # the recovery derives the same again
    run.run(at)
    state = run.executor.desks[Account.LIVE].state
    assert state.halted and state.flattening and state.held() == []
    rows = [row for row in run.rows(OrderRow).values() if row["account"] == Account.LIVE and row["decided_seq"] >= at]
    assert {(row["spec_id"], row["token"]) for row in rows if row["reason"] == "flatten"} <= exposed
    entries = [row for row in rows if row["side"] in ("buy", "short") and row["decided_seq"] > at]
    assert entries == [], "nothing is bought after it"


def test_a_live_account_requires_a_venue_and_a_venue_a_live_account(stage: Stage, database: sa.Engine) -> None:
    chain = CheckedChain(database)
    with closing(stage.context()) as context, pytest.raises(SettingsError, match="requires a venue"):
        Executor(context, ActorMetrics("executor"), lambda _: chain)
    LiveRun(stage, chain)
    with closing(stage.context()) as context, pytest.raises(SettingsError, match="requires a venue"):
        Executor(context, ActorMetrics("executor"))
