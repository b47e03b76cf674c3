"""The equity of an account over time in as few points as a chart needs, and the worth of holding cash or SOL."""

from sqlalchemy import BigInteger, Connection, Select, func, or_, select

from memesnipe.protocol.account import Account
from memesnipe.storage.rows import Json, records
from memesnipe.storage.runs import LIVE_CAPITAL
from memesnipe.storage.schema import EquityRow, RunRow

_DAY_NS = 86_400_000_000_000


def equity(conn: Connection, run_id: int, account: Account, points: int) -> Json:
    """Return about ``points`` marks of an account: first and last, and the least and greatest of equal intervals."""
    marks = records(conn, _downsampled(run_id, account, max(points // 2 - 1, 1)))
    initial_usd = initial_capital_usd(conn, run_id, account)
    # What the capital became at the first price of SOL: nothing is traded before the first mark that has one.
    capital = next((mark["equity_lamports"] for mark in marks if mark["equity_lamports"]), 0)
    return {
        "account": str(account),
        "initial_usd": initial_usd,
        "today_usd": today_usd(conn, run_id, account),
        "points": [_point(mark, capital) for mark in marks],
    }


def initial_capital_usd(conn: Connection, run_id: int, account: Account) -> float | None:
    """Return the capital with which an account began; None where it has none, or no mark yet that has a price of SOL.

    The live account's capital is what the wallet held, in lamports, valued at the first price of SOL.
    """
    if account is Account.PAPER:
        capital = RunRow.settings["initial_capital_usd"].as_float()
        found: float | None = conn.scalar(select(capital).where(RunRow.run_id == run_id))
        return found
    lamports = live_capital_lamports(conn, run_id)
    price = select(EquityRow.equity_usd / func.nullif(EquityRow.equity_lamports, 0))
    of = (EquityRow.run_id == run_id, EquityRow.account == account)
    first = conn.scalar(price.where(*of).order_by(EquityRow.seq).limit(1))
    return None if lamports is None or first is None else lamports * float(first)


def live_capital_lamports(conn: Connection, run_id: int) -> int | None:
    """Return what of the wallet was the capital of the live account at its beginning; None without such an account."""
    capital = RunRow.settings[LIVE_CAPITAL].as_string().cast(BigInteger)
    found: int | None = conn.scalar(select(capital).where(RunRow.run_id == run_id))
    return found


def today_usd(conn: Connection, run_id: int, account: Account) -> float | None:
    """Return the change of equity since midnight UTC of the last mark's day, in event time; None before a mark."""
    of = (EquityRow.run_id == run_id, EquityRow.account == account)
    last = conn.execute(select(EquityRow.ts, EquityRow.equity_usd).where(*of).order_by(EquityRow.seq.desc()).limit(1))
    now = last.first()
    if now is None:
        return None
    midnight = now.ts - now.ts % _DAY_NS
    before = select(EquityRow.equity_usd).where(*of, EquityRow.ts < midnight).order_by(EquityRow.seq.desc()).limit(1)
    began = conn.scalar(before)
    if began is None:
        began = initial_capital_usd(conn, run_id, account)
    if began is None:
        began = conn.scalar(select(EquityRow.equity_usd).where(*of).order_by(EquityRow.seq).limit(1))
    return float(now.equity_usd - (began or 0.0))


def _downsampled(run_id: int, account: Account, intervals: int) -> Select[tuple[int, int, int, float, float, float]]:
    number, total = func.row_number().over(order_by=EquityRow.seq), func.count().over()
    numbered = (
        select(EquityRow, number.label("number"), total.label("total"))
        .add_columns(((number - 1) * intervals).op("/")(total).label("interval"))
        .where(EquityRow.run_id == run_id, EquityRow.account == account)
        .subquery()
    )
    c, within = numbered.c, numbered.c.interval
    ranked = select(
        *(c.seq, c.ts, c.equity_lamports, c.equity_usd, c.cash_usd, c.drawdown, c.number, c.total),
        func.row_number().over(partition_by=within, order_by=(c.equity_usd, c.seq)).label("least"),
        func.row_number().over(partition_by=within, order_by=(c.equity_usd.desc(), c.seq)).label("greatest"),
    ).subquery()
    r = ranked.c
    kept = or_(r.number == 1, r.number == r.total, r.least == 1, r.greatest == 1)
    columns = (r.seq, r.ts, r.equity_lamports, r.equity_usd, r.cash_usd, r.drawdown)
    return select(*columns).where(kept).order_by(r.seq)


def _sol_usd(mark: Json) -> float | None:
    return mark["equity_usd"] / mark["equity_lamports"] if mark["equity_lamports"] else None


def _point(mark: Json, capital_lamports: int) -> Json:
    """Return a point; ``sol_usd`` is the worth of the initial capital, had it been kept in SOL."""
    price = _sol_usd(mark)
    kept = capital_lamports * price if capital_lamports and price else None
    wanted = ("seq", "ts", "equity_usd", "cash_usd", "drawdown")
    return {**{name: mark[name] for name in wanted}, "sol_usd": kept}
