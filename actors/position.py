"""The position actor: books the fills, marks the portfolio, runs the circuit breaker, and orders exits."""

from typing import Any

from pydantic import TypeAdapter

from actors.consumer import Consumer
from actors.context import Context
from memesnipe.bus.merge import Entry
from memesnipe.bus.streams import (
    EVENT_STREAMS,
    EVENTS,
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
)
from memesnipe.market.codec import from_messages
from memesnipe.market.events import NS_PER_S, rows
from memesnipe.storage.journal import Effects
from memesnipe.storage.schema import BreakerRow, Equity, PositionRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.ledger import Ledger, LedgerState, Position

_STATE = TypeAdapter(LedgerState)


class PositionActor(Consumer):
    """Shell of `memesnipe.trading.ledger.Ledger`.

    The executor sends its simulation results after the fills of the same event, so their arrival says that the
    fills up to a decision are complete: then the portfolio is marked.
    """

    name = "position"
    reads = (EVENTS, FILLS, SIMULATION_RESULTS)
    writes = (RISK_EVENTS, EXIT_ORDERS, POSITION_UPDATES)

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        self._ledger = Ledger(
            capital_usd=settings.initial_capital_usd,
            stop_loss=settings.portfolio_stop_loss_percent / 100,
            trailing_stop=settings.trailing_stop_loss_percent / 100,
            dead_after_ns=settings.dead_after_secs * NS_PER_S,
        )

    def handle(self, entries: list[Entry], effects: Effects) -> None:
        """Book and mark."""
        for entry in entries:
            if entry.stream in EVENT_STREAMS:
                self._ledger.on_event(next(rows(from_messages([entry.data]))))
            elif entry.stream == FILLS:
                position = self._ledger.on_fill(entry.data)
                effects.put(PositionRow, [_row(position, entry.seq)])
            else:
                self._mark(entry, effects)

    def _mark(self, entry: Entry, effects: Effects) -> None:
        mark = self._ledger.mark()
        seq, breaker = entry.seq, self._ledger.state.breaker
        equity: dict[str, Any] = {
            "ts": entry.data["ts"],
            "equity_lamports": mark.equity_lamports,
            "equity_usd": mark.equity_usd,
            "cash_usd": mark.cash_usd,
            "drawdown": breaker.drawdown,
        }
        effects.add(Equity, [{"seq": seq, **equity}])
        effects.put(PositionRow, [_row(position, seq) for position in self._ledger.open_positions()])
        risk = {"level": str(breaker.level), "drawdown": breaker.drawdown}
        effects.put(BreakerRow, [{"seq": seq, "peak_lamports": breaker.peak_lamports, **risk}])
        if mark.level_changed:
            effects.send(RISK_EVENTS, seq, {"ts": entry.data["ts"], **risk})
            self.log.warning("risk level changed", **risk)
        for position, reason in mark.exits:
            exit_order = {"spec_id": position.spec_id, "token": position.token, "mint": position.mint}
            effects.send(EXIT_ORDERS, seq, {"ts": entry.data["ts"], **exit_order, "reason": reason})
        update = {**equity, "flags": entry.data["flags"], "risk_level": risk["level"]}
        effects.send(
            POSITION_UPDATES,
            seq,
            {**update, "positions": [_summary(p) for p in self._ledger.open_positions()]},
        )

    def recover(self, saved_seq: int) -> None:
        """See the prices since the snapshot again."""

        def take(entries: list[Entry]) -> None:
            for entry in entries:
                if entry.stream in EVENT_STREAMS:
                    self._ledger.on_event(next(rows(from_messages([entry.data]))))

        self.replay(saved_seq, take)

    def dump(self) -> bytes:
        """The ledger."""
        return _STATE.dump_json(self._ledger.state)

    def load(self, state: bytes) -> None:
        """Take the state of `dump` over."""
        self._ledger.state = _STATE.validate_json(state)


def _row(position: Position, seq: int) -> dict[str, Any]:
    return {
        "spec_id": position.spec_id,
        "token": position.token,
        "mint": position.mint,
        "token_raw": position.holding.token_raw,
        "cost_lamports": position.holding.cost_lamports,
        "value_lamports": position.value_lamports,
        "realised_lamports": position.realised_lamports,
        "opened_ts": position.holding.opened_ts,
        "seq": seq,
    }


def _summary(position: Position) -> dict[str, Any]:
    holding = position.holding
    return {
        "spec_id": position.spec_id,
        "mint": position.mint,
        "token_raw": holding.token_raw,
        "cost_lamports": holding.cost_lamports,
        "value_lamports": position.value_lamports,
    }
