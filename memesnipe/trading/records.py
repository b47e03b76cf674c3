"""Records: the rows and messages of steps and marks, written by the roles and re-derived by `verify`."""

from dataclasses import dataclass, field
from typing import Any

from memesnipe.engine.orders import Order
from memesnipe.market.events import LAMPORTS_PER_SOL, SIDE_NAMES
from memesnipe.protocol.account import Account, order_id
from memesnipe.protocol.messages import (
    ExitOrder,
    FillMessage,
    PositionSummary,
    PositionUpdate,
    RiskEvent,
    SimulationResults,
)
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.payload import Payload
from memesnipe.trading.desk_state import order_key
from memesnipe.trading.gate import RiskRefused
from memesnipe.trading.ledger import Booked, Ledger, Mark, Position, RiskCheck
from memesnipe.trading.steps import DeskFill, Step

Row = dict[str, Any]


@dataclass(slots=True)
class Entries:
    """The rows and messages of one step, or of one mark."""

    orders: list[Row] = field(default_factory=list)
    statuses: dict[str, OrderStatus] = field(default_factory=dict)  # the new status of each order that changed
    trades: list[Row] = field(default_factory=list)
    parity_bps: dict[str, float] = field(default_factory=dict)  # of earlier trades, by order id
    refusals: list[Row] = field(default_factory=list)
    equity: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)  # their new state; `realised_lamports` is an increment
    breaker: Row | None = None  # of the account, its new state
    messages: list[Payload] = field(default_factory=list)


def of_step(step: Step, mints: dict[int, str]) -> Entries:
    """Return the executor's entries for a step of one account; ``mints`` has the address of each token."""
    account = step.account
    entries = Entries(
        orders=[_order(account, order, mints) for order in step.orders],
        refusals=[_refusal(account, refused, mints) for refused in step.refused],
        statuses={order_id(account, order_key(order)): OrderStatus.CANCELLED for order in step.cancelled}
        | {order_id(account, key): status for key, status in step.reported.items()},
        parity_bps={order_id(account, key): error_bps for key, error_bps in step.compared.items()},
    )
    for done in step.fills:
        fill = done.fill
        entries.trades.append(_trade(account, done, mints))
        key = order_key(fill.order)
        if key not in step.reported:
            entries.statuses[order_id(account, key)] = OrderStatus.FAILED if fill.failure else OrderStatus.LANDED
        entries.messages.append(_fill_message(account, done, mints))
    if step.results is not None:
        results = step.results
        entries.messages.append(
            SimulationResults(
                seq=step.seq,
                ts=results.ts,
                flags=results.flags,
                strategies=results.strategies,
                parity=results.parity,
                round_trips=results.round_trips,
                accounts=results.accounts,
            )
        )
    return entries


def _status(account: Account, done: DeskFill) -> str:
    return "FAILED" if done.fill.failure else account.upper()


def _fill_message(account: Account, done: DeskFill, mints: dict[int, str]) -> FillMessage:
    fill = done.fill
    return FillMessage(
        seq=fill.seq,
        mint=mints[fill.order.token],
        side_name=SIDE_NAMES[fill.order.side],
        status=_status(account, done),
        parity_bps=done.parity_bps,
        fill=fill,
        account=account,
    )


def _identity(account: Account, order: Order, mints: dict[int, str]) -> Row:
    return {
        "order_id": order_id(account, order_key(order)),
        "account": str(account),
        "spec_id": order.spec_id,
        "token": order.token,
        "mint": mints[order.token],
        "side": SIDE_NAMES[order.side],
    }


def _order(account: Account, order: Order, mints: dict[int, str]) -> Row:
    return {
        **_identity(account, order, mints),
        "reason": order.reason,
        "status": OrderStatus.INTENDED.value,
        "decided_seq": order.decided_seq,
        "decided_ts": order.decided_ts,
        "due_ts": order.due_ts,
        "budget_lamports": order.budget_lamports,
        "token_raw": order.token_raw,
        "expected": order.expected,
    }


def _refusal(account: Account, refused: RiskRefused, mints: dict[int, str]) -> Row:
    order = refused.order
    why = {"reason": refused.reason.value, "detail": refused.detail}
    return {**_identity(account, order, mints), "seq": order.decided_seq, "ts": order.decided_ts, **why}


def _trade(account: Account, done: DeskFill, mints: dict[int, str]) -> Row:
    fill = done.fill
    return {
        **_identity(account, fill.order, mints),
        "status": _status(account, done),
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


def of_fill(ledger: Ledger, booked: Booked, seq: int) -> Entries:
    """Return the position role's entries for a fill that it has booked."""
    return Entries(positions=[_position(ledger, booked.position, seq, booked.realised_lamports)])


def of_mark(ledger: Ledger, mark: Mark, seq: int, ts: int, flags: int) -> Entries:
    """Return the position role's entries for a mark."""
    breaker = ledger.state.breaker
    equity = {
        "ts": ts,
        "equity_lamports": mark.equity_lamports,
        "equity_usd": mark.equity_usd,
        "cash_usd": mark.cash_usd,
        "drawdown": breaker.drawdown,
    }
    held = ledger.state.open_positions()
    entries = Entries(
        equity=[{"account": str(ledger.account), "seq": seq, **equity}],
        positions=[_position(ledger, p, seq) for p in held],
        breaker=_breaker(ledger, seq),
        messages=_risk_messages(ledger, mark.risk, seq, ts),
    )
    entries.messages.append(
        PositionUpdate(
            seq=seq,
            ts=ts,
            equity_lamports=mark.equity_lamports,
            equity_usd=mark.equity_usd,
            cash_usd=mark.cash_usd,
            drawdown=breaker.drawdown,
            flags=flags,
            risk_level=str(breaker.level),
            positions=[_summary(p) for p in held],
            account=ledger.account,
        )
    )
    return entries


def of_event(ledger: Ledger, risk: RiskCheck, seq: int, ts: int) -> Entries:
    """Return the position role's entries for an event of a held token: the risk level and the stops that it reached."""
    breaker = _breaker(ledger, seq) if risk.level_changed else None
    return Entries(breaker=breaker, messages=_risk_messages(ledger, risk, seq, ts))


def _risk_messages(ledger: Ledger, risk: RiskCheck, seq: int, ts: int) -> list[Payload]:
    messages: list[Payload] = [_risk_event(ledger, seq, ts, "drawdown")] if risk.level_changed else []
    return messages + [
        ExitOrder(
            seq=seq,
            ts=ts,
            spec_id=position.spec_id,
            token=position.token,
            mint=position.mint,
            opened_ts=position.holding.opened_ts,
            reason=position.stop,
            account=ledger.account,
        )
        for position in risk.newly_stopped
    ]


def of_command(ledger: Ledger, seq: int, ts: int, name: str) -> Entries:
    """Return the position role's entries for a halt, a flatten or a reset that it has applied."""
    return Entries(breaker=_breaker(ledger, seq), messages=[_risk_event(ledger, seq, ts, name)])


def _breaker(ledger: Ledger, seq: int) -> Row:
    breaker = ledger.state.breaker
    state = {"level": str(breaker.level), "drawdown": breaker.drawdown, "peak_lamports": breaker.peak_lamports}
    return {"account": str(ledger.account), **state, "seq": seq, "halted": ledger.state.halted}


def _risk_event(ledger: Ledger, seq: int, ts: int, cause: str) -> RiskEvent:
    breaker = ledger.state.breaker
    return RiskEvent(
        seq=seq,
        ts=ts,
        level=str(breaker.level),
        drawdown=breaker.drawdown,
        halted=ledger.state.halted,
        cause=cause,
        account=ledger.account,
    )


def _position(ledger: Ledger, position: Position, seq: int, realised_lamports: int = 0) -> Row:
    return {
        "account": str(ledger.account),
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


def _summary(position: Position) -> PositionSummary:
    holding = position.holding
    return PositionSummary(
        position.spec_id, position.mint, holding.token_raw, holding.cost_lamports, position.value_lamports
    )
