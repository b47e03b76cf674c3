"""Events and controls derive everything again: from any snapshot, in any batches; and the audit sees what differs."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.market.events import Events, rows
from memesnipe.trading.execution import Execution, Step
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import Ledger, LedgerPolicy
from memesnipe.trading.messages import ALLOCATIONS, COMMANDS, EXIT_ORDERS, FILLS, RISK_EVENTS, SIMULATION_RESULTS
from memesnipe.trading.records import Entries, of_command, of_fill, of_mark, of_step
from memesnipe.trading.replay import Control, replay
from memesnipe.verification.rederivation import Command, ConsumedOffsets, Records, Rederivation, fingerprint
from tests.support import FAMILIES, SURE, population, saved_and_loaded, state_bytes, synthetic_events

MODEL = SURE._replace(landing_max=0.7, seed=5)
EVENTS = synthetic_events(1500, seed=3)
MINTS = {token: f"mint {token}" for token in range(1000)}
RULES = LedgerPolicy(10_000.0, 0.02, 0.02, 10**12)  # narrow, so that exits are ordered
REACH = ConsumedOffsets(10**9, 10**9, 10**9)


def _execution() -> Execution:
    return Execution(FAMILIES, MODEL, shadow_capital_usd=1000.0, limits=Limits(500.0, 300.0, 400.0, 30))


class Run:
    """A run as the actors would make it: what is told arrives when it arrives."""

    def __init__(self, commands: dict[int, str]) -> None:
        self.execution, self.ledger = _execution(), Ledger(RULES)
        self.books = Records()
        self.controls: list[Control] = []
        self.said: dict[tuple[str, int], dict[str, Any]] = {}
        self.numbers: dict[str, int] = {}
        self.delayed: list[tuple[str, int]] = []
        self.commands = [Command(i, seq, name) for i, (seq, name) in enumerate(sorted(commands.items()), start=1)]

    def tell(self, stream: str, seq: int, content: dict[str, Any]) -> int:
        number = self.numbers[stream] = self.numbers.get(stream, 0) + 1
        self.books.messages[stream, number] = fingerprint(orjson.dumps({"seq": seq, **content}))
        if stream in (RISK_EVENTS, EXIT_ORDERS, ALLOCATIONS, COMMANDS):
            self.said[stream, number] = content
            self.delayed.append((stream, number))
        return number

    def keep(self, entries: Entries) -> None:
        self.books.take(entries)
        for message in entries.messages:
            self.tell(*message)

    def apply(self) -> None:
        for stream, number in self.delayed:
            self.controls.append(Control(stream, number, self.execution.seq))
            self.take(self.execution.apply(stream, self.said[stream, number]))
        self.delayed = []

    def take(self, step: Step) -> None:
        entries = of_step(step, MINTS)
        self.books.take(entries)
        for stream, seq, content in entries.messages:
            self.tell(stream, seq, content)
            if stream == FILLS:
                self.see_to(seq)
                self.keep(of_fill(self.ledger.on_fill(content), seq))
            elif stream == SIMULATION_RESULTS:
                self.see_to(seq)
                self.keep(of_mark(self.ledger, self.ledger.mark(), seq, content["ts"], content["flags"]))

    def see_to(self, seq: int) -> None:
        market_state = self.ledger.state.market_state
        for event in rows(EVENTS[market_state.last_seq : seq]):
            self.ledger.on_event(event)

    def go(self, batches: list[Events]) -> None:
        genomes = population()
        allocated = {genome.spec_id: 1000.0 for genome in genomes}
        self.tell(
            ALLOCATIONS, 0, {"added": [g.to_dict() for g in genomes], "removed": [], "allocations_usd": allocated}
        )
        waiting = list(self.commands)
        for events in batches:
            self.apply()
            for step in self.execution.advance(events):
                self.take(step)
            while waiting and waiting[0].seq == self.execution.seq:
                command = waiting.pop(0)
                self.tell(COMMANDS, command.seq, {"name": command.name, "spec_id": ""})
                self.see_to(command.seq)
                if self.ledger.apply(command.name):
                    self.keep(
                        of_command(self.ledger, command.seq, self.ledger.state.market_state.last_ts, command.name)
                    )
        self.apply()


def _run(cuts: list[int], commands: dict[int, str] | None = None) -> Run:
    given_at = commands or {}
    run = Run(given_at)
    run.go(np.split(EVENTS, sorted({*cuts, *given_at})))
    return run


def _derived(run: Run, size: int) -> Rederivation:
    derivation = Rederivation(_execution(), Ledger(RULES), MINTS, run.commands, REACH)
    batches = np.split(EVENTS, range(size, len(EVENTS), size))
    given_to_it = {key: said for key, said in run.said.items() if key[0] in (ALLOCATIONS, COMMANDS)}
    for _ in derivation.run(lambda: batches, run.controls, given_to_it):
        pass
    return derivation


COMMANDS_GIVEN = {500: "halt", 600: "risk_reset", 1100: "halt", 1101: "risk_reset"}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=20), st.integers(20, 2000))
def test_the_books_are_derived_again_whenever_what_was_told_arrived(cuts: list[int], size: int) -> None:
    run = _run(cuts, COMMANDS_GIVEN)
    books = _derived(run, size).books
    run.books.messages = {k: v for k, v in run.books.messages.items() if k[0] not in (ALLOCATIONS, COMMANDS)}
    assert books == run.books
    assert books.repeated == []


def test_the_runs_that_are_compared_have_everything_in_them() -> None:
    run = _run(list(range(100, 1500, 100)), COMMANDS_GIVEN)
    books = run.books
    statuses = {order["status"] for order in books.orders.values()}
    assert statuses >= {"landed", "failed", "cancelled"}
    assert {row["reason"] for row in books.refusals.values()} >= {"halted", "total_exposure"}
    assert {"portfolio_stop_loss", "portfolio_trailing_stop"} & {row["reason"] for row in books.orders.values()}
    assert {stream for stream, _ in books.messages} >= {FILLS, RISK_EVENTS, EXIT_ORDERS, SIMULATION_RESULTS}
    assert any(row["parity_bps"] for row in books.trades.values())
    assert len(books.equity) >= 3


def test_when_something_was_told_matters() -> None:
    """So the audit is not blind to it: the same control one event later makes other books."""
    run = _run(list(range(100, 1500, 100)))
    first = run.controls[0]
    run.controls[0] = Control(first.stream, first.entry, 9)
    with suppress(KeyError):  # or what was obeyed later was never said
        assert _derived(run, 500).books.orders != run.books.orders


@settings(max_examples=6, deadline=None)
@given(st.integers(1, len(EVENTS) - 1), st.lists(st.integers(1, len(EVENTS) - 1), max_size=6))
def test_a_snapshot_and_what_came_since_are_the_same_as_everything(at: int, cuts: list[int]) -> None:
    run = _run([at, *cuts], COMMANDS_GIVEN)
    execution = _execution()
    before = [control for control in run.controls if control.effective_seq < at]
    for _ in replay(execution, [EVENTS[:at]], before, run.said):
        pass
    other = _execution()
    state = execution.dump()
    other.load(replace(state, arena=saved_and_loaded(state.arena)))
    for _ in replay(other, np.array_split(EVENTS[at:], 3), run.controls[len(before) :], run.said):
        pass
    assert state_bytes(other.dump().arena) == state_bytes(run.execution.dump().arena)
    assert other.desk.state == run.execution.desk.state
    assert other.parity == run.execution.parity
