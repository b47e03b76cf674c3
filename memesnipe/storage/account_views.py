"""The figures of a run by account: paper money and live money are never added."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Double, ScalarSelect, Select, cast, false, func, select

from memesnipe.market.events import COVER_SIDE, SELL_SIDE, SIDE_NAMES
from memesnipe.protocol.account import Account
from memesnipe.storage.schema import BreakerRow, EquityRow, OrderRow, PositionRow, TradeRow
from memesnipe.storage.schema_control import RefusalRow
from memesnipe.storage.schema_submissions import SubmissionRow
from memesnipe.trading.breaker import RiskLevel

Json = dict[str, Any]

EXITS: Final = (SIDE_NAMES[SELL_SIDE], SIDE_NAMES[COVER_SIDE])


def account_figures(conn: Connection, run_id: int, account: Account) -> Json:
    """Return the orders, trades, money and risk of an account, read in one statement and therefore consistent."""
    columns = account_columns(run_id, account)
    row = conn.execute(select(*(column.label(name) for name, column in columns.items()))).one()
    return dict(row._mapping)


def account_columns(run_id: int, account: Account) -> dict[str, ColumnElement[Any]]:
    """Return the expressions of `account_figures` by name, for a statement that reads other figures too."""
    trade = of_account(TradeRow, run_id, account)
    filled = TradeRow.status != "FAILED"
    breaker = of_account(BreakerRow, run_id, account)
    return {
        "orders": count(*of_account(OrderRow, run_id, account)),
        "refusals": count(*of_account(RefusalRow, run_id, account)),
        "fills": count(*trade, filled),
        "failed_orders": count(*trade, TradeRow.status == "FAILED"),
        # Round trips, as in a backtest: an exit sells all that is held.
        "trades": count(*trade, filled, TradeRow.side.in_(EXITS)),
        "open_positions": open_positions(run_id, account),
        "equity_lamports": _last_mark(EquityRow.equity_lamports, run_id, account).scalar_subquery(),
        "equity_usd": _last_mark(EquityRow.equity_usd, run_id, account).scalar_subquery(),
        "trading_usd": trading_usd(run_id, account),
        "risk_level": value(BreakerRow.level, RiskLevel.NORMAL.value, *breaker),
        "halted": value(BreakerRow.halted, false(), *breaker),
    }


def trading_usd(run_id: int, account: Account) -> ColumnElement[float]:
    """Return the profit of trading at the last mark: what was gained in lamports, at the last price of SOL."""
    lamports = _last_mark(EquityRow.equity_lamports, run_id, account).scalar_subquery()
    gained = lamports - first_lamports(run_id, account).scalar_subquery()
    return cast(gained, Double) * last_usd_per_lamport(run_id, account).scalar_subquery()


def last_usd_per_lamport(run_id: int, account: Account) -> Select[Any]:
    """Select the price of SOL at the last mark, where equity is recorded in both units; no row before the first."""
    return _last_mark(EquityRow.equity_usd / func.nullif(EquityRow.equity_lamports, 0), run_id, account)


def _last_mark(column: Any, run_id: int, account: Account) -> Select[Any]:
    return select(column).where(*of_account(EquityRow, run_id, account)).order_by(EquityRow.seq.desc()).limit(1)


def first_lamports(run_id: int, account: Account) -> Select[Any]:
    """Select what the capital became at the first price of SOL: nothing is traded before the first mark with one."""
    first = select(EquityRow.equity_lamports).where(*of_account(EquityRow, run_id, account))
    return first.where(EquityRow.equity_lamports > 0).order_by(EquityRow.seq).limit(1)


def open_positions(run_id: int, account: Account) -> ScalarSelect[int]:
    """Return the number of open positions of an account."""
    return count(*of_account(PositionRow, run_id, account), PositionRow.cost_lamports > 0)


def of_account(table: Any, run_id: int, account: Account) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions for the rows of an account."""
    return table.run_id == run_id, table.account == account


def count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the number of rows that meet conditions."""
    return select(func.count()).where(*conditions).scalar_subquery()


def value(column: Any, default: Any, *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return one cell of one row, or ``default`` if there is no row."""
    return func.coalesce(select(column).where(*conditions).scalar_subquery(), default)


def outcomes(conn: Connection, run_id: int) -> dict[str, int]:
    """Return the number of live orders by what became of their transactions, as far as it is known.

    ``landed`` has a fill, ``failed on chain`` paid its fee, ``expired`` never landed, ``not signed`` was never sent.
    """
    submission = SubmissionRow
    query = select(submission.status, submission.signature, submission.fill, submission.contradiction)
    counts: dict[str, int] = {}
    for row in conn.execute(query.where(submission.run_id == run_id)):
        name = _outcome(row)
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def _outcome(row: Any) -> str:
    if row.contradiction:
        return "contradicted"
    if row.status not in ("reconciled", "cancelled"):
        return "open"
    if row.fill is not None:
        return "failed on chain" if row.fill["failure"] else "landed"
    return "expired" if row.signature else "not signed"
