"""Defects to plant in the product: the simulator must find each of them.

A defect replaces one method, given the original. Each is a mistake that a change could make.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import pytest

import memesnipe.roles.executor
from memesnipe.bus.entry_mac import EntryMac
from memesnipe.bus.redis_bus import Bus
from memesnipe.protocol.streams import EVENT_STREAMS
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.event_publisher import EventPublisher
from memesnipe.roles.executor import Executor
from memesnipe.roles.intake import Intake
from memesnipe.roles.market_data import MarketData
from memesnipe.roles.portfolio import PortfolioRole
from memesnipe.roles.position import PositionRole
from memesnipe.roles.strategy_factory import StrategyFactory
from memesnipe.roles.training_window import TrainingWindow
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.journal import Journal, UnitOfWork, Unpublished
from memesnipe.storage.lease import Lease
from memesnipe.storage.schema import OrderRow, TradeRow
from memesnipe.storage.schema_control import ControlRow
from memesnipe.tapes.recorder import Recorder
from memesnipe.trading.accounts import TradingAccount
from memesnipe.trading.desk import Desk
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.portfolio import Portfolio

Method = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A defect: ``make`` returns the replacement of a method of ``owner`` for its original."""

    name: str
    owner: Any  # a class, or a module
    method: str
    make: Callable[[Method], Method]
    first_seed: int = 0  # of the search; a defect that few runs show is searched from the first seed that shows it
    every: int = 1  # seed of those that are searched

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have the defect in the product."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.owner, self.method, self.make(getattr(self.owner, self.method)))
            yield


def nothing(_original: Method) -> Method:
    return lambda *_, **__: None


def returns(value: Any) -> Callable[[Method], Method]:
    return lambda _original: lambda *_, **__: value


def _commit_without(part: str) -> Callable[[Method], Method]:
    """Commit a unit of work without its statements, its messages, its offsets or its snapshot."""

    def make(original: Method) -> Method:
        def commit(self: Journal, work: UnitOfWork, offsets: Any) -> Any:
            if part == "offsets":
                return original(self, work, {})
            empty: Any = {"statements": [], "messages": [], "snapshot": None}[part]
            return original(self, replace(work, **{part: empty}), offsets)

        return commit

    return make


def _commit_in_two(original: Method) -> Method:
    def commit(self: Journal, work: UnitOfWork, offsets: Any) -> Any:
        sent = original(self, work, {})
        original(self, self.unit_of_work(), offsets)
        return sent

    return commit


def _publish_before_commit(_original: Method) -> Method:
    def commit(self: Consumer, work: UnitOfWork, offsets: Any) -> None:
        numbers = dict(self.journal.numbers_after(self.journal.unit_of_work()))
        outgoing = []
        for stream, seq, payload in work.messages:
            numbers[stream] += 1
            outgoing.append((stream, numbers[stream], seq, payload))
        self.context.bus.publish(outgoing)
        self.journal.commit(work, offsets)
        self.offsets = offsets

    return commit


def _publish_never(_original: Method) -> Method:
    def commit(self: Consumer, work: UnitOfWork, offsets: Any) -> None:
        self.journal.commit(work, offsets)
        self.offsets = offsets

    return commit


def _doubled_rows(table: type[Any]) -> Callable[[Method], Method]:
    """Insert the rows of a table twice, the second time under other keys."""

    def make(original: Method) -> Method:
        def add(self: UnitOfWork, into: type[Any], rows: Any) -> None:
            original(self, into, rows)
            if into is table:
                original(self, into, [row | {"order_id": row["order_id"] + "x"} for row in rows])

        return add

    return make


def _without_rows(table: type[Any]) -> Callable[[Method], Method]:
    def make(original: Method) -> Method:
        def add(self: UnitOfWork, into: type[Any], rows: Any) -> None:
            if into is not table:
                original(self, into, rows)

        return add

    return make


def _stored_while_it_runs(original: Method) -> Method:
    """Store the search after it has drawn the genomes of a generation: after a crash it would draw others."""

    def breed(self: StrategyFactory, seq: int, work: UnitOfWork) -> None:
        ask = self._breeder.ask

        def ask_and_store(window: Any) -> Any:
            race = ask(window)
            stored = self.journal.unit_of_work()
            stored.snapshot = (self._event_offset(self.offsets), self.dump())
            self.journal.commit(stored, self.offsets)
            return race

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._breeder, "ask", ask_and_store)
            original(self, seq, work)

    return breed


def _skip_first_read(original: Method) -> Method:
    """Skip an entry of each larger read: an offset that advances too far."""

    def read(self: Bus, offsets: Any, block_ms: int) -> Any:
        entries = original(self, offsets, block_ms)
        return [e for i, e in enumerate(entries) if i or len(entries) < 4 or e.stream not in EVENT_STREAMS]

    return read


def _all_entries(_original: Method) -> Method:
    return lambda _self, entries: entries


def _drop_last_entry(original: Method) -> Method:
    return lambda self, outgoing, rebuild=(): original(self, list(outgoing)[:-1], rebuild)


def _fill_twice(original: Method) -> Method:
    def on_fill(self: Ledger, message: Any) -> Any:
        self.state.cash_lamports += message.fill.cash_change_lamports
        return original(self, message)

    return on_fill


def _one_lamport(original: Method) -> Method:
    def book(self: Desk, fill: Any) -> None:
        original(self, fill)
        self.state.ledger.cash_lamports += 1

    return book


def _without_peak(original: Method) -> Method:
    def load(self: TradingAccount, state: Any) -> None:
        original(self, state)
        state.desk.ledger.breaker.reset()

    return load


def _without_breaker(original: Method) -> Method:
    def catch_up(self: PositionRole, saved_seq: int) -> None:
        original(self, saved_seq)
        for ledger in self.ledgers.values():
            ledger.state.breaker.reset()

    return catch_up


def _token_of_the_next(original: Method) -> Method:
    """Commit a resume token that skips an event of the feed."""

    def take(self: Intake) -> Any:
        message = original(self)
        self._token += 1
        return message

    return take


def _token_of_the_last(original: Method) -> Method:
    """Commit a resume token with which the last event is delivered again."""

    def take(self: Intake) -> Any:
        message = original(self)
        self._token -= 1
        return message

    return take


def _events_before_commit(original: Method) -> Method:
    """Publish events before their cursor is committed."""

    def commit(self: EventPublisher, cursor: Any, rejected: Any, known_mints: int) -> None:
        first, last = self.cursor.seq + 1, cursor.seq
        if last >= first:
            self._publish(self._event_log.read(first, last))  # type: ignore[union-attr]
        original(self, cursor, rejected, known_mints)

    return commit


def _release_late(original: Method) -> Method:
    def decide(self: Portfolio, seq: int, equity_usd: Any) -> Any:
        return replace(original(self, seq, equity_usd), released=[])

    return decide


def _command_unpublished(_original: Method) -> Method:
    def assign(self: MarketData, commands: Any) -> None:
        from memesnipe.storage.commands import assign_seq

        work = self._journal.unit_of_work()
        for command in commands:
            work.change(assign_seq(command.command_id, self.seq))
        self._journal.commit(work, {})

    return assign


def _ahead_of_the_watermark(_original: Method) -> Method:
    """Mark with every event that has arrived, so that the marks depend on the speed of the roles."""

    def read(self: PositionRole) -> Any:
        return Consumer.read(self)

    return read


def _since_the_start(original: Method) -> Method:
    """Leave out of a generation what was published before the factory had its first one."""

    def newest_first(self: TrainingWindow, seq: int) -> Iterator[Any]:
        first = vars(self).setdefault("first_seq", seq)
        return islice(original(self, seq), 1 + (seq - first) // self._slice_events)

    return newest_first


def _recorded_early(_original: Method) -> Method:
    def advance(self: Recorder, last_seq: int, _last_ts: int) -> None:
        self.finish(last_seq)

    return advance


FAULTS: Final = [
    PlantedFault("a commit without its rows", Journal, "commit", _commit_without("statements")),
    PlantedFault("a commit without its offsets", Journal, "commit", _commit_without("offsets")),
    PlantedFault("a commit without its messages", Journal, "commit", _commit_without("messages")),
    PlantedFault("a commit without its snapshot", Journal, "commit", _commit_without("snapshot")),
    PlantedFault("rows and offsets in two transactions", Journal, "commit", _commit_in_two, 6),
    PlantedFault("messages published before their commit", Consumer, "commit", _publish_before_commit),
    PlantedFault("committed messages never published", Consumer, "commit", _publish_never),
    PlantedFault("events published before their commit", EventPublisher, "_commit", _events_before_commit),
    PlantedFault("a fence that never closes", Lease, "assert_held", nothing, 19),
    PlantedFault(
        "unpublished messages forgotten at a start", Journal, "unpublished", returns(Unpublished(iter(()), []))
    ),
    PlantedFault("events not published again after a loss", EventPublisher, "republish", nothing, 5),
    PlantedFault("the last entry of a batch not published", Bus, "publish", _drop_last_entry),
    PlantedFault("a loss of Redis not noticed", Bus, "assert_complete", nothing, 133),
    PlantedFault("foreign entries accepted", EntryMac, "matches", returns(True), 11),
    PlantedFault("an event skipped by a reader", Bus, "read", _skip_first_read),
    PlantedFault("messages applied before those they follow from", Executor, "with_dependencies", _all_entries, 3336),
    PlantedFault("a snapshot left out", Consumer, "add_snapshot", nothing),
    PlantedFault(
        "events after a snapshot not replayed at a start",
        memesnipe.roles.executor,
        "recorded_events",
        returns(()),
    ),
    PlantedFault("controls not replayed at a start", memesnipe.roles.executor, "read_controls", returns(([], {})), 5),
    PlantedFault("a window of the events since the start", TrainingWindow, "_newest_first", _since_the_start),
    PlantedFault("spans not recorded at a start", Recorder, "_first_missing", lambda _original: lambda _, last: last),
    PlantedFault("a tape before its span is over", Recorder, "advance", _recorded_early),
    PlantedFault("controls not recorded", UnitOfWork, "add", _without_rows(ControlRow)),
    PlantedFault("an order lost", UnitOfWork, "add", _without_rows(OrderRow)),
    PlantedFault("a fill doubled", UnitOfWork, "add", _doubled_rows(TradeRow)),
    PlantedFault("a fill booked twice", Ledger, "on_fill", _fill_twice),
    PlantedFault("a lamport too many", Desk, "_book", _one_lamport),
    PlantedFault("a desk without its drawdown after a start", TradingAccount, "load", _without_peak, 33),
    PlantedFault("a ledger without its drawdown after a start", PositionRole, "catch_up", _without_breaker),
    PlantedFault("an event of the feed skipped", Intake, "_take", _token_of_the_next, 5),
    PlantedFault("an event of the feed taken twice", Intake, "_take", _token_of_the_last, 5),
    PlantedFault("events not logged", EventLog, "append", nothing),
    PlantedFault("a demoted strategy keeps its allocation", Portfolio, "decide", _release_late, 668),
    PlantedFault("a command not published", MarketData, "_assign", _command_unpublished, 4),
    PlantedFault("marks that depend on the speed of roles", PositionRole, "read", _ahead_of_the_watermark),
    PlantedFault("a search stored while its generation runs", StrategyFactory, "_breed", _stored_while_it_runs, 96),
    PlantedFault("the portfolio restored without its state", PortfolioRole, "load", nothing, 5),
]
