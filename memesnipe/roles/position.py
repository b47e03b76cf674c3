"""The position role: books fills, marks every account, and records the stops and risk levels that it reaches."""

from msgspec.structs import replace
from pydantic import TypeAdapter

from memesnipe.bus.merge import Entry
from memesnipe.config.policies import ledger_policy_of
from memesnipe.errors import MemeSnipeError
from memesnipe.market.events import rows
from memesnipe.protocol.account import Account, order_id
from memesnipe.protocol.commands import NO_EFFECT, REFUSED, CommandName
from memesnipe.protocol.events import to_records
from memesnipe.protocol.messages import CommandMessage, FillMessage, SimulationResults
from memesnipe.protocol.payload import Follows, Payload
from memesnipe.protocol.streams import (
    APPLIED_COMMANDS,
    EVENT_STREAMS,
    EVENTS,
    FILLS,
    PROGRESS,
    SIMULATION_RESULTS,
    writes_of,
)
from memesnipe.roles.consumer import BLOCK_MS, Consumer, runs_of_events
from memesnipe.roles.context import Context
from memesnipe.roles.order_traces import trace_booked
from memesnipe.roles.role_metrics import record_accounts
from memesnipe.storage.commands import record_outcome
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.storage.schema import BreakerRow, EquityRow, PositionRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.desk_state import order_key
from memesnipe.trading.ledger import Ledger, LedgerState, RiskCheck
from memesnipe.trading.records import Entries, of_command, of_event, of_fill, of_mark

_STATE = TypeAdapter(dict[Account, LedgerState])
_WRITES = writes_of("position")
_UNCHANGED = {
    CommandName.HALT: "trading was halted already",
    CommandName.RISK_RESET: "nothing was halted, and no reset was needed",
}


class LedgerMismatchError(MemeSnipeError):
    """Desk and ledger of an account differ."""


class PositionRole(Consumer):
    """Runs a `memesnipe.trading.ledger.Ledger` for each account on the streams.

    It consumes events only up to the executor's watermark, so its bookings and marks depend on the events alone and not
    on which of the two roles is faster. The executor publishes simulation results where a decision is due, after the
    fills of the same event; the portfolio is marked when they are read.
    """

    name = "position"

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        self._ledgers = {
            account: Ledger(ledger_policy_of(context.settings, capital), account=account)
            for account, capital in context.capital.items()
        }
        self._booked: list[FillMessage] = []  # not committed yet

    @property
    def ledgers(self) -> dict[Account, Ledger]:
        """The ledger of each account, after the last step."""
        return self._ledgers

    def read(self) -> list[Entry]:
        """Return the executor's messages, and the events up to its watermark, in order."""
        numbers = {stream: offset.number for stream, offset in self.offsets.items()}
        event = numbers.pop(EVENTS)
        messages = self.context.bus.read(numbers, BLOCK_MS)
        watermark = max(
            *(self.offsets[stream].seq for stream in _OF_EXECUTOR),
            *(entry.seq for entry in messages if entry.stream in _OF_EXECUTOR),
            0,
        )
        if not messages:
            return []
        if watermark > event:
            messages += [e for e in self.context.bus.read({EVENTS: event}, BLOCK_MS) if e.seq <= watermark]
        entries = in_order(messages)
        for i, entry in enumerate(entries):
            if entry.stream in EVENT_STREAMS:
                event = entry.number
            elif entry.seq > event:
                return entries[:i]  # the events before it have not arrived
        return entries

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Apply events and commands, book fills, and mark the portfolio at simulation results."""
        for entry in runs_of_events(entries):
            if isinstance(entry, list):
                self._advance(entry, work)
                continue
            match entry.payload:
                case FillMessage() as fill:
                    ledger = self._ledgers[fill.account]
                    self._write(of_fill(ledger, ledger.on_fill(fill), entry.seq), work)
                    self._booked.append(fill)
                    key = order_id(fill.account, order_key(fill.fill.order))
                    self.log.debug("fill booked", seq=entry.seq, order_id=key, status=fill.status)
                case SimulationResults() as results:
                    self._mark(entry.number, results, work)
                case CommandMessage() as command:
                    self._apply(command, work)
        record_accounts(self.metrics, self._ledgers)

    def commit(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Commit, publish, and add the spans of the fills that were booked."""
        super().commit(work, offsets)
        if self.traces is not None:
            trace_booked(self.traces, self._booked, *self.wall_span_ns())
        self._booked = []

    def _advance(self, entries: list[Entry], work: UnitOfWork | None) -> None:
        """Apply events; record the risk levels and the stops that they reach, except in a recovery (no ``work``)."""
        for event in rows(to_records([entry.payload for entry in entries])):
            for ledger in self._ledgers.values():
                risk = ledger.on_event(event)
                if risk is not None and risk.is_news and work is not None:
                    self._log_risk(ledger, risk)
                    self._write(of_event(ledger, risk, event.seq, event.ts), work)

    def _log_risk(self, ledger: Ledger, risk: RiskCheck) -> None:
        if risk.level_changed:
            breaker = ledger.state.breaker
            self.log.warning(
                "risk level changed", account=ledger.account, level=str(breaker.level), drawdown=breaker.drawdown
            )

    def _mark(self, number: int, results: SimulationResults, work: UnitOfWork) -> None:
        """Mark every account.

        Raises:
            LedgerMismatchError: a ledger has other figures than its desk, which has booked the same events and fills.
        """
        messages: list[Payload] = []
        for account, ledger in self._ledgers.items():
            mark = ledger.mark()
            ledger.drop_dead()
            own = ledger.figures()
            desk = results.accounts.get(account, own)  # results of earlier versions have none
            if desk != own:
                raise LedgerMismatchError(f"{account} account after event {results.seq}: {own}, and {desk} on the desk")
            self._log_risk(ledger, mark.risk)
            entries = of_mark(ledger, mark, results.seq, results.ts, results.flags)
            self._write_rows(entries, work)
            messages += entries.messages
        # Readers apply the messages of one event by stream: one that depended on a later stream would never be applied.
        messages.sort(key=lambda message: _WRITES.index(message.stream))
        self._send(messages, work, {SIMULATION_RESULTS: number})

    def _apply(self, command: CommandMessage, work: UnitOfWork) -> None:
        """Apply a halt, a flatten, a reset or a close to the accounts that it is for."""
        concerned = [ledger for account, ledger in self._ledgers.items() if command.concerns(account)]
        if command.name == CommandName.CLOSE:
            refused = "; ".join(filter(None, (ledger.close(command.spec_id, command.token) for ledger in concerned)))
            self._answer(command, f"{REFUSED}{refused}" if refused else f"being sold since event {command.seq}", work)
            return
        is_effective = any(ledger.is_changed_by(command) for ledger in concerned)
        changed = [ledger for ledger in concerned if ledger.apply(command)]
        for ledger in changed:
            self._write(of_command(ledger, command.seq, ledger.state.market_state.last_ts, command.name), work)
        if not changed:
            if any(ledger.is_overtaken(command) for ledger in concerned):
                self._answer(command, f"{NO_EFFECT}everything is being sold since a later flatten", work)
            return
        done = f"done after event {command.seq}"
        self._answer(command, done if is_effective else f"{NO_EFFECT}{_UNCHANGED[command.name]}", work)

    def _answer(self, command: CommandMessage, outcome: str, work: UnitOfWork) -> None:
        self.log.warning("command applied", command=command.name, seq=command.seq, outcome=outcome)
        work.change(record_outcome(command.command_id, outcome))

    def _write(self, entries: Entries, work: UnitOfWork) -> None:
        self._write_rows(entries, work)
        self._send(entries.messages, work, {})

    def _write_rows(self, entries: Entries, work: UnitOfWork) -> None:
        work.add(EquityRow, entries.equity)
        work.put(PositionRow, entries.positions, adding=("realised_lamports",))
        if entries.breaker is not None:
            work.put(BreakerRow, [entries.breaker])

    def _send(self, messages: list[Payload], work: UnitOfWork, follows: dict[str, int]) -> None:
        for message in messages:
            if follows and isinstance(message, Follows):
                # A reader must apply a mark only after all messages from which the mark follows.
                work.send(replace(message, after=self.journal.numbers_after(work) | follows))
            else:
                work.send(message)

    def catch_up(self, saved_seq: int) -> None:
        """Apply the events since the snapshot."""
        self.replay(saved_seq, lambda entries: self._advance(entries, None))
        record_accounts(self.metrics, self._ledgers)

    def dump(self) -> bytes:
        """Return the state of the ledgers."""
        return _STATE.dump_json({account: ledger.state for account, ledger in self._ledgers.items()})

    def load(self, state: bytes) -> None:
        """Continue from a state of `dump`."""
        for account, ledger_state in _STATE.validate_json(state).items():
            self._ledgers[account].state = ledger_state


_OF_EXECUTOR = (FILLS, SIMULATION_RESULTS, PROGRESS)


def in_order(entries: list[Entry]) -> list[Entry]:
    """Return the entries in order: by event, and the event itself first.

    A fill has the number of the event that precedes it. Some fills of an event therefore precede its simulation
    results, and the others follow them; ``after`` of the results has the number of the last preceding fill.
    """
    before = {e.seq: e.payload.after[FILLS] for e in entries if isinstance(e.payload, SimulationResults)}
    rank = {SIMULATION_RESULTS: 2, PROGRESS: 3, APPLIED_COMMANDS: 4}

    def sort_key(entry: Entry) -> tuple[int, int, int]:
        if entry.stream == FILLS:
            return entry.seq, 1 if entry.number <= before.get(entry.seq, 0) else 5, entry.number
        return entry.seq, rank.get(entry.stream, 0), entry.number

    return sorted(entries, key=sort_key)
