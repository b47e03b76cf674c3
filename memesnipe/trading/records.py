"""Books: what steps and marks leave behind, as rows and messages; written down by actors, derived again by `verify`."""

from dataclasses import dataclass, field
from typing import Any

from memesnipe.engine.orders import Order
from memesnipe.market.events import LAMPORTS_PER_SOL, SIDE_NAMES
from memesnipe.trading.execution import DeskFill, Step
from memesnipe.trading.gate import RiskRefused
from memesnipe.trading.ledger import Booked, Ledger, Mark, Position
from memesnipe.trading.messages import (
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
    fill_message,
)

Row = dict[str, Any]
Message = tuple[str, int, dict[str, Any]]  # stream, event, content (dataclasses in it are written as objects)

MODE = "paper"  # the only mode in which the desk trades in this version


@dataclass(slots=True)
class Entries:
    """What one step, or one mark, adds to the books."""

    orders: list[Row] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)  # order -> landed | failed | cancelled
    trades: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    equity: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)  # as they are from now on; what was realised is to be added
    breaker: Row | None = None  # as it is from now on
    messages: list[Message] = field(default_factory=list)


def of_step(step: Step, mints: dict[int, str]) -> Entries:
    """What the executor writes down about a step; ``mints`` has the address of each token."""
    entries = Entries(
        orders=[_order(order, mints) for order in step.orders],
        refusals=[_refusal(no, mints) for no in step.refused],
        ended={order_id(order): "cancelled" for order in step.cancelled},
    )
    for done in step.fills:
        fill = done.fill
        entries.trades.append(_trade(done, mints))
        entries.ended[order_id(fill.order)] = "failed" if fill.failure else "landed"
        entries.messages.append((FILLS, fill.seq, fill_message(fill, mints[fill.order.token], MODE, done.parity_bps)))
    if step.results is not None:
        told = step.results
        content = {"ts": told.ts, "flags": told.flags, "results": told.results, "parity": told.parity}
        entries.messages.append((SIMULATION_RESULTS, step.seq, content))
    return entries


def order_id(order: Order) -> str:
    """Strategy and order number."""
    return f"{order.spec_id}-{order.order_no}"


def _what(order: Order, mints: dict[int, str]) -> Row:
    return {
        "order_id": order_id(order),
        "spec_id": order.spec_id,
        "token": order.token,
        "mint": mints[order.token],
        "side": SIDE_NAMES[order.side],
    }


def _order(order: Order, mints: dict[int, str]) -> Row:
    return {
        **_what(order, mints),
        "reason": order.reason,
        "status": "intended",
        "decided_seq": order.decided_seq,
        "decided_ts": order.decided_ts,
        "due_ts": order.due_ts,
        "budget_lamports": order.budget_lamports,
        "token_raw": order.token_raw,
        "expected": order.expected,
    }


def _refusal(no: RiskRefused, mints: dict[int, str]) -> Row:
    said = {"reason": no.reason.value, "detail": no.detail}
    return {**_what(no.order, mints), "seq": no.order.decided_seq, "ts": no.order.decided_ts, **said}


def _trade(done: DeskFill, mints: dict[int, str]) -> Row:
    fill = done.fill
    return {
        **_what(fill.order, mints),
        "status": "FAILED" if fill.failure else MODE.upper(),
        "reason": fill.order.reason,
        "failure": fill.failure,
        "ts": fill.ts,
        "seq": fill.seq,
        "token_raw": fill.token_raw,
        "sol_lamports": fill.sol_lamports,
        "pool_fee_lamports": fill.pool_fee_lamports,
        "network_fee_lamports": fill.network_fee_lamports,
        "value_usd": fill.sol_lamports / LAMPORTS_PER_SOL * done.sol_usd,
        "parity_bps": done.parity_bps,
    }


def of_fill(booked: Booked, seq: int) -> Entries:
    """What the position actor writes down about a fill that it has booked."""
    return Entries(positions=[_position(booked.position, seq, booked.realised_lamports)])


def of_mark(ledger: Ledger, mark: Mark, seq: int, ts: int, flags: int) -> Entries:
    """What the position actor writes down about a mark, and tells."""
    breaker = ledger.state.breaker
    equity = {
        "ts": ts,
        "equity_lamports": mark.equity_lamports,
        "equity_usd": mark.equity_usd,
        "cash_usd": mark.cash_usd,
        "drawdown": breaker.drawdown,
    }
    held = ledger.open_positions()
    entries = Entries(
        equity=[{"seq": seq, **equity}], positions=[_position(p, seq) for p in held], breaker=_breaker(ledger, seq)
    )
    if mark.level_changed:
        entries.messages.append(_risk_event(ledger, seq, ts, "drawdown"))
    for position, reason in mark.exits:
        which = {"spec_id": position.spec_id, "token": position.token, "mint": position.mint}
        content = {"ts": ts, **which, "opened_ts": position.holding.opened_ts, "reason": reason}
        entries.messages.append((EXIT_ORDERS, seq, content))
    update = {**equity, "flags": flags, "risk_level": str(breaker.level), "positions": [_summary(p) for p in held]}
    entries.messages.append((POSITION_UPDATES, seq, update))
    return entries


def of_command(ledger: Ledger, seq: int, ts: int, name: str) -> Entries:
    """What the position actor writes down about a halt or a reset that it has obeyed, and tells."""
    return Entries(breaker=_breaker(ledger, seq), messages=[_risk_event(ledger, seq, ts, name)])


def _breaker(ledger: Ledger, seq: int) -> Row:
    breaker = ledger.state.breaker
    state = {"level": str(breaker.level), "drawdown": breaker.drawdown, "peak_lamports": breaker.peak_lamports}
    return {**state, "seq": seq, "halted": ledger.state.halted}


def _risk_event(ledger: Ledger, seq: int, ts: int, cause: str) -> Message:
    breaker = ledger.state.breaker
    said = {"level": str(breaker.level), "drawdown": breaker.drawdown, "halted": ledger.state.halted, "cause": cause}
    return RISK_EVENTS, seq, {"ts": ts, **said}


def _position(position: Position, seq: int, realised_lamports: int = 0) -> Row:
    return {
        "spec_id": position.spec_id,
        "token": position.token,
        "mint": position.mint,
        "token_raw": position.holding.token_raw,
        "cost_lamports": position.holding.cost_lamports,
        "value_lamports": position.value_lamports,
        "realised_lamports": realised_lamports,
        "opened_ts": position.holding.opened_ts,
        "seq": seq,
    }


def _summary(position: Position) -> Row:
    holding = position.holding
    return {
        "spec_id": position.spec_id,
        "mint": position.mint,
        "token_raw": holding.token_raw,
        "cost_lamports": holding.cost_lamports,
        "value_lamports": position.value_lamports,
    }
