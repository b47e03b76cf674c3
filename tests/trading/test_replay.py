"""Events and controls derive everything again: from any snapshot, in any batches; and the audit sees what differs."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.market.events import Events, rows
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import FillMessage, SimulationResults
from memesnipe.protocol.payload import Payload, encode
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS, CONTROLS, EXIT_ORDERS, FILLS, RISK_EVENTS
from memesnipe.protocol.streams import SIMULATION_RESULTS as RESULTS
from memesnipe.trading.execution import Execution, local_execution
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import Ledger, LedgerPolicy
from memesnipe.trading.records import Entries, of_command, of_event, of_fill, of_mark, of_step
from memesnipe.trading.replay import Control, replay
from memesnipe.trading.steps import Step
from memesnipe.verification.rederivation import ConsumedOffsets, Records, Rederivation, fingerprint
from tests.payloads import allocations, command
from tests.support import FAMILIES, SURE, population, saved_and_loaded, state_bytes, synthetic_events

MODEL = SURE._replace(landing_max=0.7, seed=5)
EVENTS = synthetic_events(1500, seed=3)
MINTS = {token: f"mint {token}" for token in range(1000)}
POLICY = LedgerPolicy(10_000.0, 0.02, 0.02, 10**12)  # narrow, so that exits are ordered
CONSUMED = ConsumedOffsets(10**9, 10**9, 10**9, 10**9)


def _execution() -> Execution:
    return local_execution(
        FAMILIES,
        MODEL,
        shadow_capital_usd=1000.0,
        limits={Account.PAPER: Limits(500.0, 300.0, 400.0, 30)},
        policies={Account.PAPER: POLICY},
    )


class Run:
    """A run as the roles make it: a control is applied when it arrives."""

    def __init__(self, commands: dict[int, str]) -> None:
        self.execution, self.ledger = _execution(), Ledger(POLICY)
        self.records = Records()
        self.controls: list[Control] = []
        self.payloads: dict[tuple[str, int], Any] = {}
        self.numbers: dict[str, int] = {}
        self.delayed: list[tuple[str, int]] = []
        self.commands = {
            number: command(name, seq=seq, command_id=number)
            for number, (seq, name) in enumerate(sorted(commands.items()), start=1)
        }

    def publish(self, message: Payload) -> int:
        stream = message.stream
        number = self.numbers[stream] = self.numbers.get(stream, 0) + 1
        self.records.messages[stream, number] = fingerprint(encode(message))
        if stream in CONTROLS:
            self.payloads[stream, number] = message
            self.delayed.append((stream, number))
        return number

    def add(self, entries: Entries) -> None:
        self.records.add(entries)
        for message in entries.messages:
            self.publish(message)

    def apply_delayed(self) -> None:
        for stream, number in self.delayed:
            self.controls.append(Control(stream, number, self.execution.seq))
            for step in self.execution.apply(self.payloads[stream, number]):
                self.add_step(step)
        self.delayed = []

    def add_step(self, step: Step) -> None:
        entries = of_step(step, MINTS)
        self.records.add(entries)
        for message in entries.messages:
            self.publish(message)
            if isinstance(message, FillMessage):
                self.advance_ledger(message.seq)
                self.add(of_fill(self.ledger, self.ledger.on_fill(message), message.seq))
            elif isinstance(message, SimulationResults):
                self.advance_ledger(message.seq)
                self.add(of_mark(self.ledger, self.ledger.mark(), message.seq, message.ts, message.flags))
                self.ledger.drop_dead()

    def advance_ledger(self, seq: int) -> None:
        for event in rows(EVENTS[self.ledger.state.market_state.last_seq : seq]):
            risk = self.ledger.on_event(event)
            if risk is not None and risk.is_news:
                self.add(of_event(self.ledger, risk, event.seq, event.ts))

    def go(self, batches: list[Events]) -> None:
        genomes = population()
        self.publish(allocations(genomes, usd={genome.spec_id: 1000.0 for genome in genomes}))
        pending = list(self.commands.values())
        for events in batches:
            self.apply_delayed()
            for step in self.execution.advance(events):
                self.add_step(step)
            while pending and pending[0].seq == self.execution.seq:
                given = pending.pop(0)
                self.publish(given)
                self.advance_ledger(given.seq)
                if self.ledger.apply(given):
                    self.add(of_command(self.ledger, given.seq, self.ledger.state.market_state.last_ts, given.name))
        self.apply_delayed()
        self.advance_ledger(len(EVENTS))


def _run(cuts: list[int], commands: dict[int, str] | None = None) -> Run:
    given_at = commands or {}
    run = Run(given_at)
    run.go(np.split(EVENTS, sorted({*cuts, *given_at})))
    return run


def _derived(run: Run, size: int) -> Rederivation:
    rederivation = Rederivation(_execution(), [Ledger(POLICY)], MINTS, list(run.commands.values()), CONSUMED)
    batches = np.split(EVENTS, range(size, len(EVENTS), size))
    recorded = {key: payload for key, payload in run.payloads.items() if key[0] in (ALLOCATIONS, COMMANDS)}
    for _ in rederivation.run(lambda: batches, run.controls, recorded.__getitem__):
        pass
    return rederivation


COMMANDS_GIVEN = {500: "halt", 600: "risk_reset", 1100: "halt", 1101: "risk_reset"}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=20), st.integers(20, 2000))
def test_the_records_are_rederived_for_any_arrival_of_controls(cuts: list[int], size: int) -> None:
    run = _run(cuts, COMMANDS_GIVEN)
    records = _derived(run, size).records
    run.records.messages = {k: v for k, v in run.records.messages.items() if k[0] not in (ALLOCATIONS, COMMANDS)}
    assert records == run.records
    assert records.repeated == []


def test_the_compared_runs_have_every_kind_of_record() -> None:
    run = _run(list(range(100, 1500, 100)), COMMANDS_GIVEN)
    records = run.records
    statuses = {order["status"] for order in records.orders.values()}
    assert statuses >= {"landed", "failed", "cancelled"}
    assert {row["reason"] for row in records.refusals.values()} >= {"halted", "total_exposure"}
    assert {"portfolio_stop_loss", "portfolio_trailing_stop"} & {row["reason"] for row in records.orders.values()}
    assert {stream for stream, _ in records.messages} >= {FILLS, RISK_EVENTS, EXIT_ORDERS, RESULTS}
    assert any(row["parity_bps"] for row in records.trades.values())
    assert len(records.equity) >= 3


def test_the_event_at_which_a_control_is_applied_matters() -> None:
    """The same control one event later gives other records, so the audit detects the difference."""
    run = _run(list(range(100, 1500, 100)))
    first = run.controls[0]
    run.controls[0] = Control(first.stream, first.entry, 9)
    with suppress(KeyError):  # an exit order may not exist without the control
        assert _derived(run, 500).records.orders != run.records.orders


@settings(max_examples=6, deadline=None)
@given(st.integers(1, len(EVENTS) - 1), st.lists(st.integers(1, len(EVENTS) - 1), max_size=6))
def test_a_snapshot_plus_the_later_inputs_gives_the_same_state(at: int, cuts: list[int]) -> None:
    run = _run([at, *cuts], COMMANDS_GIVEN)
    execution = _execution()
    before = [control for control in run.controls if control.effective_seq < at]
    for _ in replay(execution, [EVENTS[:at]], before, run.payloads.__getitem__):
        pass
    other = _execution()
    state = execution.dump()
    (arena,) = state.arenas
    other.load(replace(state, arenas=[replace(arena, engine=saved_and_loaded(arena.engine))]))
    for _ in replay(other, np.array_split(EVENTS[at:], 3), run.controls[len(before) :], run.payloads.__getitem__):
        pass
    assert state_bytes(other.dump().arenas[0].engine) == state_bytes(run.execution.dump().arenas[0].engine)
    assert other.accounts[Account.PAPER].desk.state == run.execution.accounts[Account.PAPER].desk.state
    assert other.accounts[Account.PAPER].state.parity == run.execution.accounts[Account.PAPER].state.parity
