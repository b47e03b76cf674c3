"""Derivation: the books of a run, made again from its events and from what it was told.

The executor's and the position actor's cores move over the events once more; nothing that they wrote down is looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from memesnipe.market.events import Events, rows
from memesnipe.trading.execution import Execution, Step
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.messages import EXIT_ORDERS, FILLS, RISK_EVENTS, SIMULATION_RESULTS
from memesnipe.trading.records import Entries, Row, of_command, of_fill, of_mark, of_step
from memesnipe.trading.replay import Control, Messages, replay

Key = tuple[Any, ...]


@dataclass(slots=True)
class Records:
    """The books, each row under its key."""

    orders: dict[Key, Row] = field(default_factory=dict)
    trades: dict[Key, Row] = field(default_factory=dict)
    refusals: dict[Key, Row] = field(default_factory=dict)
    equity: dict[Key, Row] = field(default_factory=dict)
    positions: dict[Key, Row] = field(default_factory=dict)
    breaker: dict[Key, Row] = field(default_factory=dict)
    messages: dict[Key, str] = field(default_factory=dict)  # (stream, number) -> fingerprint
    repeated: list[str] = field(default_factory=list)  # what was written down twice

    def take(self, entries: Entries) -> None:
        """Write entries down."""
        self._once("order", self.orders, entries.orders, "order_id")
        self._once("trade", self.trades, entries.trades, "order_id")
        self._once("refusal", self.refusals, entries.refusals, "order_id", "seq")
        self._once("equity", self.equity, entries.equity, "seq")
        for order_id, status in entries.ended.items():
            self.orders[(order_id,)]["status"] = status
        for row in entries.positions:
            key = row["spec_id"], row["token"]
            earlier = self.positions[key]["realised_lamports"] if key in self.positions else 0
            self.positions[key] = row | {"realised_lamports": earlier + row["realised_lamports"]}
        if entries.breaker is not None:
            self.breaker[()] = entries.breaker

    def _once(self, what: str, book: dict[Key, Row], entries: list[Row], *key: str) -> None:
        for row in entries:
            place = tuple(row[name] for name in key)
            if place in book:
                self.repeated.append(f"{what} {place}")
            book[place] = dict(row)


@dataclass(frozen=True, slots=True)
class Command:
    """A halt or a reset, with the event after which it was given."""

    number: int
    seq: int
    name: str


@dataclass(frozen=True, slots=True)
class ConsumedOffsets:
    """How far the position actor had come: fills, results and commands, by their numbers."""

    fills: int
    results: int
    commands: int


class Rederivation:
    """Makes the books of a run again."""

    def __init__(
        self,
        execution: Execution,
        ledger: Ledger,
        mints: dict[int, str],
        commands: list[Command],
        reach: ConsumedOffsets,
    ) -> None:
        self.books = Records()
        self._execution, self._ledger, self._mints, self._reach = execution, ledger, mints, reach
        self._commands = [command for command in commands if command.number <= reach.commands][::-1]
        self._numbers: dict[str, int] = {}  # of the last message of each stream
        self._told: dict[tuple[str, int], dict[str, Any]] = {}

    def run(
        self, batches: Callable[[], Iterable[Events]], controls: Iterable[Control], given: Messages
    ) -> Iterator[Step]:
        """Move over all events; the books are complete when the steps are.

        Args:
            batches: gives the run's events from the first one on; called twice.
            controls: what the executor obeyed.
            given: what the allocations and commands among them said. What the others said is derived.
        """
        self._market = (event for events in batches() for event in rows(events))
        self._next = next(self._market, None)
        for step in replay(self._execution, batches(), controls, ControlMessages(self, given)):
            self._take(step)
            yield step
        self.apply_commands()

    def _take(self, step: Step) -> None:
        """Write a step down, and let the ledger book and mark as the position actor would."""
        entries = of_step(step, self._mints)
        self.books.take(entries)
        for stream, seq, content in entries.messages:
            number = self._tell(stream, seq, content)
            if stream == FILLS and number <= self._reach.fills:
                self._see_to(seq)
                self._keep(of_fill(self._ledger.on_fill(content), seq))
            elif stream == SIMULATION_RESULTS and number <= self._reach.results:
                self._see_to(seq)
                self._keep(of_mark(self._ledger, self._ledger.mark(), seq, content["ts"], content["flags"]))

    def _keep(self, entries: Entries) -> None:
        self.books.take(entries)
        for message in entries.messages:
            self._tell(*message)

    def _tell(self, stream: str, seq: int, content: dict[str, Any]) -> int:
        number = self._numbers[stream] = self._numbers.get(stream, 0) + 1
        self.books.messages[stream, number] = fingerprint(orjson.dumps({"seq": seq, **content}))
        if stream in (RISK_EVENTS, EXIT_ORDERS):
            self._told[stream, number] = content
        return number

    def _see_to(self, seq: int) -> None:
        """Let the ledger see the market up to an event, and obey each command behind the event where it was given."""
        while self._next is not None and self._next.seq <= seq:
            self._apply_before(self._next.seq)
            self._ledger.on_event(self._next)
            self._next = next(self._market, None)

    def _apply_before(self, seq: int) -> None:
        while self._commands and self._commands[-1].seq < seq:
            command = self._commands.pop()
            if self._ledger.apply(command.name):
                self._keep(of_command(self._ledger, command.seq, self._ledger.state.market_state.last_ts, command.name))

    def apply_commands(self) -> None:
        """Let the ledger obey the commands that were given by now."""
        while self._commands and self._commands[-1].seq <= self._execution.seq:
            self._see_to(self._commands[-1].seq)
            self._apply_before(self._commands[-1].seq + 1)

    def told(self, stream: str, number: int) -> dict[str, Any]:
        """What the ledger said.

        Raises:
            KeyError: it never said it.
        """
        if (stream, number) not in self._told:
            self.apply_commands()
        return self._told[(stream, number)]


class ControlMessages(Mapping[tuple[str, int], dict[str, Any]]):
    """What the executor was told: allocations and commands as recorded, the rest as derived."""

    def __init__(self, derivation: Rederivation, given: Messages) -> None:
        self._derivation, self._given = derivation, given

    def __getitem__(self, key: tuple[str, int]) -> dict[str, Any]:
        return self._derivation.told(*key) if key[0] in (RISK_EVENTS, EXIT_ORDERS) else self._given[key]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def fingerprint(message: bytes | str) -> str:
    """A hash of what a message, as JSON, says; when it may be taken in (`after`) is no part of that."""
    said = {name: value for name, value in orjson.loads(message).items() if name != "after"}
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
