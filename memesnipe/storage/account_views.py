"""The figures of a run by account: paper money and live money are never added."""

from typing import Any, Final

from sqlalchemy import Connection, func, select

from memesnipe.market.events import COVER_SIDE, SELL_SIDE, SIDE_NAMES
from memesnipe.protocol.account import Account
from memesnipe.storage.schema import BreakerRow, EquityRow, OrderRow, PositionRow, TradeRow
from memesnipe.storage.schema_submissions import SubmissionRow

Json = dict[str, Any]

_EXITS: Final = (SIDE_NAMES[SELL_SIDE], SIDE_NAMES[COVER_SIDE])


def account_figures(conn: Connection, run_id: int, account: Account) -> Json:
    """Return the orders, trades and money of an account."""
    trade = (TradeRow.run_id == run_id, TradeRow.account == account)
    order = (OrderRow.run_id == run_id, OrderRow.account == account)
    position = (PositionRow.run_id == run_id, PositionRow.account == account)
    filled = TradeRow.status != "FAILED"
    mark = select(EquityRow).where(EquityRow.run_id == run_id, EquityRow.account == account)
    halted = select(BreakerRow.halted).where(BreakerRow.run_id == run_id, BreakerRow.account == account)
    last = conn.execute(mark.order_by(EquityRow.seq.desc()).limit(1)).first()
    return {
        "orders": _count(conn, *order),
        "fills": _count(conn, *trade, filled),
        "failed_orders": _count(conn, *trade, TradeRow.status == "FAILED"),
        "trades": _count(conn, *trade, filled, TradeRow.side.in_(_EXITS)),
        "open_positions": _count(conn, *position, PositionRow.cost_lamports > 0),
        "equity_lamports": last.equity_lamports if last else None,
        "equity_usd": last.equity_usd if last else None,
        "halted": bool(conn.scalar(halted)),
    }


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


def _count(conn: Connection, *conditions: Any) -> int:
    return int(conn.execute(select(func.count()).where(*conditions)).scalar_one())
