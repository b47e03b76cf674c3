"""Rederivation: the records of a run, computed again from its events and its controls.

The cores of the executor and of the position role process the events again; none of their records is read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from memesnipe.market.events import Events, rows
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage, ControlPayload, FillMessage
from memesnipe.protocol.messages import SimulationResults as Results
from memesnipe.protocol.payload import Payload, encode
from memesnipe.trading.execution import Execution
from memesnipe.trading.ledger import Ledger
from memesnipe.trading.records import Entries, Row, of_command, of_event, of_fill, of_mark, of_step
from memesnipe.trading.replay import Control, replay
from memesnipe.trading.steps import Step

Key = tuple[Any, ...]
MessageKey = tuple[str, int]  # stream, number


@dataclass(slots=True)
class Records:
    """The records, each row under its key."""

    orders: dict[Key, Row] = field(default_factory=dict)
    trades: dict[Key, Row] = field(default_factory=dict)
    refusals: dict[Key, Row] = field(default_factory=dict)
    equity: dict[Key, Row] = field(default_factory=dict)
    positions: dict[Key, Row] = field(default_factory=dict)
    breaker: dict[Key, Row] = field(default_factory=dict)
    messages: dict[Key, str] = field(default_factory=dict)  # (stream, number) -> fingerprint
    repeated: list[str] = field(default_factory=list)  # keys that were added twice

    def add(self, entries: Entries) -> None:
        """Add the rows of a step or a mark."""
        self._add_once("order", self.orders, entries.orders, "order_id")
        self._add_once("trade", self.trades, entries.trades, "order_id")
        self._add_once("refusal", self.refusals, entries.refusals, "order_id", "seq")
        self._add_once("equity", self.equity, entries.equity, "account", "seq")
        for order_id, status in entries.statuses.items():
            self.orders[(order_id,)]["status"] = status.value
        for order_id, error_bps in entries.parity_bps.items():
            self.trades[(order_id,)]["parity_bps"] = error_bps
        for row in entries.positions:
            key = row["account"], row["spec_id"], row["token"]
            earlier = self.positions[key]["realised_lamports"] if key in self.positions else 0
            self.positions[key] = row | {"realised_lamports": earlier + row["realised_lamports"]}
        if entries.breaker is not None:
            self.breaker[(entries.breaker["account"],)] = entries.breaker

    def _add_once(self, what: str, table: dict[Key, Row], rows_: list[Row], *key_columns: str) -> None:
        for row in rows_:
            key = tuple(row[name] for name in key_columns)
            if key in table:
                self.repeated.append(f"{what} {key}")
            table[key] = dict(row)


@dataclass(frozen=True, slots=True)
class ConsumedOffsets:
    """How many events, fills, results and commands the position role has consumed."""

    events: int
    fills: int
    results: int
    commands: int


class Rederivation:
    """The computation of a run's records from its events and controls."""

    def __init__(
        self,
        execution: Execution,
        ledgers: Sequence[Ledger],
        mints: dict[int, str],
        commands: Sequence[CommandMessage],
        consumed: ConsumedOffsets,
    ) -> None:
        """Prepare with cores in their initial state.

        Args:
            execution: the core of the executor.
            ledgers: the core of the position role, one for each account.
            mints: the address of each token.
            commands: those that the desks have applied, in this order.
            consumed: the offsets of the position role.
        """
        self.records = Records()
        self._execution, self._mints, self._consumed = execution, mints, consumed
        self._ledgers = {ledger.account: ledger for ledger in ledgers}
        # In reverse order, so that the next command can be popped.
        self._commands = list(commands[: consumed.commands])[::-1]
        self._numbers: dict[str, int] = {}  # of the last message of each stream

    def run(
        self,
        batches: Callable[[], Iterable[Events]],
        controls: Iterable[Control],
        recorded: Callable[[MessageKey], ControlPayload],
    ) -> Iterator[Step]:
        """Process all events and yield each step; the records are complete after the last step.

        Args:
            batches: returns the run's events from the first one on; called twice.
            controls: the controls that the executor applied.
            recorded: returns the payload of a recorded control.

        Raises:
            KeyError: there is no payload of a control.
        """
        self._market = (event for events in batches() for event in rows(events))
        self._next = next(self._market, None)

        for step in replay(self._execution, batches(), controls, recorded):
            self._add_step(step)
            yield step
        self._advance_ledger(min(self._execution.seq, self._consumed.events))
        self._apply_commands_before(self._execution.seq + 1)

    def _add_step(self, step: Step) -> None:
        """Add the records of a step; book and mark in the ledgers as the position role does."""
        entries = of_step(step, self._mints)
        self.records.add(entries)
        for message in entries.messages:
            number = self._add_message(message)
            if isinstance(message, FillMessage) and number <= self._consumed.fills:
                self._advance_ledger(message.seq)
                ledger = self._ledgers[message.account]
                self._add(of_fill(ledger, ledger.on_fill(message), message.seq))
            elif isinstance(message, Results) and number <= self._consumed.results:
                self._advance_ledger(message.seq)
                for ledger in self._ledgers.values():
                    self._add(of_mark(ledger, ledger.mark(), message.seq, message.ts, message.flags))
                    ledger.drop_dead()

    def _add(self, entries: Entries) -> None:
        self.records.add(entries)
        for message in entries.messages:
            self._add_message(message)

    def _add_message(self, message: Payload) -> int:
        stream = message.stream
        number = self._numbers[stream] = self._numbers.get(stream, 0) + 1
        self.records.messages[stream, number] = fingerprint(encode(message))
        return number

    def _advance_ledger(self, seq: int) -> None:
        """Advance the ledgers up to event ``seq``, and apply each command after the event assigned to it."""
        while self._next is not None and self._next.seq <= seq:
            self._apply_commands_before(self._next.seq)
            for ledger in self._ledgers.values():
                risk = ledger.on_event(self._next)
                if risk is not None and risk.is_news:
                    self._add(of_event(ledger, risk, self._next.seq, self._next.ts))
            self._next = next(self._market, None)

    def _apply_commands_before(self, seq: int) -> None:
        while self._commands and self._commands[-1].seq < seq:
            command = self._commands.pop()
            concerned = [each for each in self._ledgers.values() if command.concerns(each.account)]
            if command.name == CommandName.CLOSE:
                for ledger in concerned:
                    ledger.close(command.spec_id, command.token)
            for ledger in [each for each in concerned if each.apply(command)]:
                last_ts = ledger.state.market_state.last_ts
                self._add(of_command(ledger, command.seq, last_ts, command.name))


def fingerprint(message: bytes | str) -> str:
    """Return a hash of a message's JSON without ``after``, which limits when it is applied and is no content.

    Messages of earlier versions have no account, and are equal to those of the paper account.
    """
    content = {name: value for name, value in orjson.loads(message).items() if name != "after"}
    if content.get("account") == Account.PAPER:
        del content["account"]
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
