"""The read model: the only module that computes the figures for the user interfaces.

Figures of orders, money and risk are those of one account, by default paper; lists have the rows of all accounts. A run
that is not in the database has zeros, nulls and empty lists, so that a page can be opened before the run exists.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    case,
    cast,
    func,
    select,
)

from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import is_effective
from memesnipe.storage.account_views import (
    account_columns,
    count,
    last_usd_per_lamport,
    of_account,
    open_positions,
    trading_usd,
    value,
)
from memesnipe.storage.equity_view import initial_capital_usd, live_capital_lamports
from memesnipe.storage.rows import Json, records
from memesnipe.storage.runs import OPEN, RUNNING, STOPPED
from memesnipe.storage.schema import (
    AllocationRow,
    BreakerRow,
    EquityRow,
    FeedCursorRow,
    GenerationRow,
    LifecycleRow,
    MessageRow,
    PositionRow,
    RunRow,
    StrategyRow,
    StreamOffsetRow,
)
from memesnipe.storage.schema_control import CommandRow, LeaseRow, RefusalRow
from memesnipe.trading.breaker import RiskLevel, size_multiplier

_MODES = ("simulating", "paper", "live", "retired")
_LIVE = "live_"  # before the names of the live account's columns; the others are those of the paper account
_EQUITY_FIELDS = (
    *("seq", "ts", "equity_lamports", "equity_usd", "cash_usd", "drawdown"),
    *("equity_sol", "capital_usd", "change_usd", "change_ratio"),
)


def latest_run(conn: Connection) -> int | None:
    """Return the id of the newest run, or None before the first."""
    return conn.scalar(select(func.max(RunRow.run_id)))


def report(conn: Connection, run_id: int) -> Json:
    """Return the figures of a run, read in one statement and therefore consistent.

    Orders, trades, money and risk are those of the paper account; ``live`` has those of the live account, where the run
    has one.
    """
    row = conn.execute(_report_query(run_id)).one()
    found = row._mapping
    live = {name.removeprefix(_LIVE): found[name] for name in found if name.startswith(_LIVE)}
    return {
        "run_id": run_id,
        "feed": row.feed,
        "status": _status(row.status, is_held=row.is_held),
        "events": {"published": row.published, "consumed": row.consumed, "rejected": row.rejected},
        "rejected_because": row.rejected_because or {},
        "generations": row.generations,
        "evaluations": row.evaluations,
        "specs": row.specs,
        "strategies": {mode: found[mode] for mode in _MODES},
        "allocations": row.allocations,
        **{name: found[name] for name in live},
        "live": None if live_capital_lamports(conn, run_id) is None else live,
    }


def run_status(conn: Connection, run_id: int) -> str:
    """Return the status of a run, as its report has it: finished, running or stopped."""
    query = select(RunRow.status, _is_held(run_id).label("is_held")).where(RunRow.run_id == run_id)
    row = conn.execute(query).one()
    return _status(row.status, is_held=row.is_held)


def _is_held(run_id: int) -> ColumnElement[bool]:
    """Return whether actors run it."""
    return select(LeaseRow.run_id).where(LeaseRow.run_id == run_id, LeaseRow.expires_at > func.now()).exists()


def _status(stored: str, *, is_held: bool) -> str:
    if stored != OPEN:
        return stored
    return RUNNING if is_held else STOPPED


def _report_query(run_id: int) -> Select[Any]:
    cursor = FeedCursorRow.run_id == run_id
    executor = (
        StreamOffsetRow.run_id == run_id,
        StreamOffsetRow.actor == "executor",
        StreamOffsetRow.stream == "events",
    )
    paper, live = account_columns(run_id, Account.PAPER), account_columns(run_id, Account.LIVE)
    columns: dict[str, ColumnElement[Any]] = {
        "feed": value(RunRow.feed, "", RunRow.run_id == run_id),
        "status": value(RunRow.status, "none", RunRow.run_id == run_id),
        "is_held": _is_held(run_id),
        "published": value(FeedCursorRow.seq, 0, cursor),
        "rejected": value(FeedCursorRow.rejected, 0, cursor),
        "rejected_because": select(FeedCursorRow.rejected_because).where(cursor).scalar_subquery(),
        "consumed": value(StreamOffsetRow.consumed, 0, *executor),
        "generations": count(GenerationRow.run_id == run_id),
        "evaluations": select(cast(func.coalesce(func.sum(GenerationRow.evaluations), 0), BigInteger))
        .where(GenerationRow.run_id == run_id)
        .scalar_subquery(),
        "specs": count(MessageRow.run_id == run_id, MessageRow.stream == "strategy_specs"),
        **{mode: count(StrategyRow.run_id == run_id, StrategyRow.mode == mode) for mode in _MODES},
        "allocations": count(AllocationRow.run_id == run_id, AllocationRow.allocation_usd > 0),
        **paper,
        **{f"{_LIVE}{name}": column for name, column in live.items()},
    }
    return select(*(column.label(name) for name, column in columns.items()))


def positions(conn: Connection, run_id: int, limit: int = 1000) -> list[Json]:
    """Return the open positions, the largest first, and then the closed ones, the latest first."""
    is_open = case((PositionRow.cost_lamports > 0, 1), else_=0)
    query = (
        select(PositionRow)
        .where(PositionRow.run_id == run_id)
        .order_by(is_open.desc(), PositionRow.value_lamports.desc(), PositionRow.seq.desc())
        .order_by(PositionRow.account, PositionRow.spec_id, PositionRow.token)
    )
    usd_per_lamport = conn.scalar(last_usd_per_lamport(run_id, Account.PAPER))
    return [_position(record, usd_per_lamport) for record in records(conn, query.limit(limit))]


def _position(record: Json, usd_per_lamport: float | None) -> Json:
    cost, value = record.pop("cost_lamports"), record.pop("value_lamports")
    realised = record.pop("realised_lamports")
    money = {"cost": cost, "value": value, "unrealised": value - cost, "realised": realised}
    record["open"] = cost > 0
    record["unrealised_return"] = value / cost - 1.0 if cost else None
    for name, lamports in money.items():
        record[f"{name}_lamports"] = lamports
        record[f"{name}_sol"] = lamports / LAMPORTS_PER_SOL
        record[f"{name}_usd"] = None if usd_per_lamport is None else lamports * usd_per_lamport
    return record


def portfolio(conn: Connection, run_id: int, account: Account = Account.PAPER) -> Json:
    """Return an account at its last mark, and its change from the initial capital."""
    marks = select(EquityRow).where(*of_account(EquityRow, run_id, account))
    last = records(conn, marks.order_by(EquityRow.seq.desc()).limit(1))
    first = records(conn, marks.order_by(EquityRow.seq).limit(1))
    initial_usd = initial_capital_usd(conn, run_id, account)
    equity: Json = _change(initial_usd or first[0]["equity_usd"], last[0]) if last else dict.fromkeys(_EQUITY_FIELDS)
    profit = _profit(conn, run_id, account)
    return {
        "run_id": run_id,
        **equity,
        "account": str(account),
        "trading_usd": conn.scalar(select(trading_usd(run_id, account))),
        **profit,
        "open_positions": conn.scalar(select(open_positions(run_id, account))),
    }


def _profit(conn: Connection, run_id: int, account: Account) -> Json:
    """Return the realised profit, failed orders and all fees included, and the unrealised profit, both in SOL."""
    sums = {
        "realised_sol": func.sum(PositionRow.realised_lamports),
        "unrealised_sol": func.sum(PositionRow.value_lamports - PositionRow.cost_lamports),
    }
    found = conn.execute(select(*sums.values()).where(*of_account(PositionRow, run_id, account))).one()
    return {name: float(lamports or 0) / LAMPORTS_PER_SOL for name, lamports in zip(sums, found, strict=True)}


def _change(before: float, last: Json) -> Json:
    now = last["equity_usd"]
    return {
        **last,
        "equity_sol": last["equity_lamports"] / LAMPORTS_PER_SOL,
        "capital_usd": before,
        "change_usd": now - before,
        "change_ratio": now / before - 1.0 if before else None,
    }


def risk(conn: Connection, run_id: int, account: Account = Account.PAPER) -> Json:
    """Return the state of an account's circuit breaker, and its effect on the size of new positions."""
    found = records(conn, select(BreakerRow).where(*of_account(BreakerRow, run_id, account)))
    breaker: Json = (
        found[0] if found else {"level": "normal", "drawdown": 0.0, "peak_lamports": 0, "seq": 0, "halted": False}
    )
    deepest = conn.scalar(select(func.max(EquityRow.drawdown)).where(*of_account(EquityRow, run_id, account)))
    return {
        **breaker,
        "account": str(account),
        "peak_sol": breaker["peak_lamports"] / LAMPORTS_PER_SOL,
        "max_drawdown": max(deepest or 0.0, breaker["drawdown"]),
        "size_multiplier": 0.0 if breaker["halted"] else size_multiplier(RiskLevel(breaker["level"])),
        "refusals": _refusal_counts(conn, run_id, account),
    }


def _refusal_counts(conn: Connection, run_id: int, account: Account) -> dict[str, int]:
    """Return the number of decisions that the risk gate refused for each reason, the most frequent first."""
    rows = func.count()
    query = select(RefusalRow.reason, rows).where(*of_account(RefusalRow, run_id, account)).group_by(RefusalRow.reason)
    found = conn.execute(query.order_by(rows.desc(), RefusalRow.reason))
    return {row.reason: row[1] for row in found}


def lifecycle(conn: Connection, run_id: int, limit: int) -> list[Json]:
    """Return the mode changes of strategies with their reasons, the newest first."""
    query = select(LifecycleRow).where(LifecycleRow.run_id == run_id)
    return records(conn, query.order_by(LifecycleRow.number.desc()).limit(limit))


def commands(conn: Connection, run_id: int, limit: int) -> list[Json]:
    """Return the manual commands with their outcomes, the newest first."""
    query = select(CommandRow).where(CommandRow.run_id == run_id).order_by(CommandRow.command_id.desc()).limit(limit)
    found = records(conn, query)
    for record in found:
        record |= {"requested_at": record["requested_at"].isoformat(), "effective": is_effective(record["outcome"])}
    return found


def generations(conn: Connection, run_id: int) -> list[Json]:
    """Return the generations of the search, in their order."""
    return records(conn, select(GenerationRow).where(GenerationRow.run_id == run_id).order_by(GenerationRow.index))
