"""Equity over time: few points, none of the extremes lost, and what cash and SOL would be worth."""

import pytest
import sqlalchemy as sa

from memesnipe.protocol.account import Account
from memesnipe.storage import schema
from memesnipe.storage.equity_view import equity, initial_capital_usd, live_capital_lamports
from memesnipe.storage.views import portfolio

SOL = 1_000_000_000
DAY_NS = 86_400 * SOL


@pytest.fixture
def conn(database):
    with database.connect() as connection:
        yield connection


@pytest.fixture
def insert_marks(database, new_run):
    def insert(values):
        zeros = {"run_id": new_run, "account": "paper", "equity_lamports": SOL, "cash_usd": 0.0, "drawdown": 0.0}
        rows = [zeros | {"seq": 3 * n, "ts": n, "equity_usd": value} for n, value in enumerate(values)]
        with database.begin() as connection:
            connection.execute(sa.insert(schema.EquityRow), rows)

    return insert


@pytest.mark.parametrize(("marks", "points"), [(1, 10), (2, 10), (7, 20), (1000, 10), (1000, 240), (5000, 100)])
def test_few_points_keep_both_ends_and_the_extremes(conn, new_run, insert_marks, marks, points):
    values = [float((n * 7919) % 1009) for n in range(marks)]
    insert_marks(values)
    found = equity(conn, new_run, Account.PAPER, points)["points"]
    assert len(found) <= points
    assert [found[0]["ts"], found[-1]["ts"]] == [0, marks - 1]
    kept = [point["equity_usd"] for point in found]
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert [point["ts"] for point in found] == sorted({point["ts"] for point in found})


def test_all_marks_are_points_where_they_fit(conn, new_run, insert_marks):
    insert_marks([1.0, 2.0, 3.0])
    assert [p["equity_usd"] for p in equity(conn, new_run, Account.PAPER, 10)["points"]] == [1.0, 2.0, 3.0]


def test_the_capital_kept_in_sol_is_what_it_became_at_the_first_price(conn, database, new_run, insert):
    """The capital became 10 SOL at 200 USD, before the first mark: equity differs from them by trading alone."""
    with database.begin() as connection:
        kept = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
        connection.execute(kept.values(settings={"initial_capital_usd": 2000.0}))
    insert(schema.EquityRow, seq=1, equity_lamports=10 * SOL, equity_usd=2010.0)
    insert(schema.EquityRow, seq=2, ts=1, equity_lamports=12 * SOL, equity_usd=3618.0)  # SOL rose from 201 to 301.5
    found = equity(conn, new_run, Account.PAPER, 10)
    assert (found["initial_usd"], [p["sol_usd"] for p in found["points"]]) == (2000.0, pytest.approx([2010.0, 3015.0]))


def test_today_counts_from_midnight_of_the_last_mark(conn, new_run, insert):
    assert equity(conn, new_run, Account.PAPER, 10)["today_usd"] is None
    for seq, (ts, usd) in enumerate(((DAY_NS - 2, 100.0), (DAY_NS - 1, 150.0), (DAY_NS, 170.0), (DAY_NS + 5, 140.0))):
        insert(schema.EquityRow, seq=seq, ts=ts, equity_lamports=SOL, equity_usd=usd)
    assert equity(conn, new_run, Account.PAPER, 10)["today_usd"] == -10.0


def test_paper_and_live_are_apart(conn, new_run, insert):
    insert(schema.EquityRow, seq=1, equity_lamports=SOL, equity_usd=100.0)
    insert(schema.EquityRow, seq=1, account="live", equity_lamports=SOL, equity_usd=7.0)
    for account, usd in ((Account.PAPER, 100.0), (Account.LIVE, 7.0)):
        assert [point["equity_usd"] for point in equity(conn, new_run, account, 10)["points"]] == [usd]


def test_the_live_capital_is_in_lamports_and_is_valued_at_the_first_price(database, conn, new_run):
    assert initial_capital_usd(conn, new_run, Account.LIVE) is None
    with database.begin() as connection:
        run = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
        connection.execute(run.values(settings={"live_capital_lamports": 5 * SOL}))
        zeros = {"run_id": new_run, "account": "live", "cash_usd": 0.0, "drawdown": 0.0}
        for seq, sol_usd in ((1, 150.0), (2, 160.0)):
            mark = {"seq": seq, "ts": seq, "equity_lamports": 5 * SOL, "equity_usd": 5 * sol_usd}
            connection.execute(sa.insert(schema.EquityRow), [zeros | mark])
    assert live_capital_lamports(conn, new_run) == 5 * SOL
    assert initial_capital_usd(conn, new_run, Account.LIVE) == 750.0
    assert portfolio(conn, new_run, Account.LIVE)["change_usd"] == 50.0
