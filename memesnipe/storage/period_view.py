"""Profit by day, week and month of one account, in UTC and event time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, func, select

from memesnipe.protocol.account import Account
from memesnipe.storage.equity_view import initial_capital_usd
from memesnipe.storage.rows import Json, records
from memesnipe.storage.schema import EquityRow, TradeRow

_DAY_NS: Final = 86_400_000_000_000
_EXITS: Final = ("sell", "cover")


def periods(conn: Connection, run_id: int, account: Account) -> Json:
    """Return the days, weeks (from Monday) and months of an account that have a mark, each with its profit.

    A period's profit is the equity at its last mark less that at the last mark before it, so that those of
    consecutive periods add up to the profit in total. The first one is measured from the initial capital.
    """
    days = _days(conn, run_id, account)
    initial_usd = initial_capital_usd(conn, run_id, account)
    if initial_usd is None and days:
        initial_usd = days[0]["first_usd"]
    return {
        "account": str(account),
        "days": _grouped(days, lambda day: day, initial_usd),
        "weeks": _grouped(days, lambda day: day - timedelta(days=day.weekday()), initial_usd),
        "months": _grouped(days, lambda day: day.replace(day=1), initial_usd),
    }


def _days(conn: Connection, run_id: int, account: Account) -> list[Json]:
    """Return each day with a mark: its first and last equity, its round trips and its fees."""
    of = (EquityRow.run_id == run_id, EquityRow.account == account)
    day = EquityRow.ts.op("/")(_DAY_NS)
    ends = (
        select(day.label("day"), func.min(EquityRow.seq).label("first"), func.max(EquityRow.seq).label("last"))
        .where(*of)
        .group_by(day)
        .subquery()
    )
    chosen = select(ends.c.first).union(select(ends.c.last))
    marks = conn.execute(select(EquityRow.seq, EquityRow.equity_usd).where(*of, EquityRow.seq.in_(chosen)))
    equity = {row.seq: row.equity_usd for row in marks}
    traded = _traded(conn, run_id, account)
    none = {"round_trips": 0, "fees_lamports": 0}
    return [
        {
            "date": date(1970, 1, 1) + timedelta(days=row.day),
            "first_usd": equity[row.first],
            "last_usd": equity[row.last],
            **traded.get(row.day, none),
        }
        for row in conn.execute(select(ends).order_by(ends.c.day))
    ]


def _traded(conn: Connection, run_id: int, account: Account) -> dict[int, Json]:
    """Return the round trips and the fees of each day with an order."""
    day = TradeRow.ts.op("/")(_DAY_NS)
    exits = func.count().filter(TradeRow.status != "FAILED", TradeRow.side.in_(_EXITS))
    fees = func.sum(TradeRow.pool_fee_lamports + TradeRow.network_fee_lamports)
    query = (
        select(day.label("day"), exits.label("round_trips"), fees.label("fees_lamports"))
        .where(TradeRow.run_id == run_id, TradeRow.account == account)
        .group_by(day)
    )
    return {row.pop("day"): {**row, "fees_lamports": int(row["fees_lamports"])} for row in records(conn, query)}


def _grouped(days: list[Json], start_of: Callable[[date], date], initial_usd: float | None) -> list[Json]:
    found: list[Json] = []
    before = initial_usd
    for start, members in groupby(days, lambda day: start_of(day["date"])):
        part = list(members)
        last = part[-1]["last_usd"]
        profit = None if before is None else last - before
        found.append(
            {
                "start": start.isoformat(),
                "start_ts": int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp()) * 10**9,
                "profit_usd": profit,
                "profit_ratio": profit / before if profit is not None and before else None,
                "equity_usd": last,
                "round_trips": sum(day["round_trips"] for day in part),
                "fees_sol": sum(day["fees_lamports"] for day in part) / 10**9,
            }
        )
        before = last
    return found
