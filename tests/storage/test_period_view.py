"""Profit by day, week and month: nothing is lost between periods, and accounts are apart."""

from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memesnipe.protocol.account import Account
from memesnipe.storage import schema
from memesnipe.storage.period_view import periods

DAY_NS = 86_400_000_000_000
MARK = {"account": "paper", "equity_lamports": 1, "cash_usd": 0.0, "drawdown": 0.0}


@pytest.fixture
def conn(database):
    with database.connect() as connection:
        yield connection
        connection.rollback()


def _marks(conn, run_id, marks, **given_):
    rows = [
        MARK | {"run_id": run_id, "seq": seq, "ts": ts, "equity_usd": usd} | given_
        for seq, (ts, usd) in enumerate(marks)
    ]
    conn.execute(sa.insert(schema.EquityRow), rows)


def test_a_period_is_measured_from_the_last_mark_before_it(conn, new_run):
    # Thursday 1970-01-01 is day 0; day 4 is a Monday, day 31 the first of February.
    marks = [(0, 100.0), (1, 110.0), (3 * DAY_NS, 105.0), (4 * DAY_NS, 125.0), (31 * DAY_NS, 120.0)]
    _marks(conn, new_run, marks)
    found = periods(conn, new_run, Account.PAPER)
    days = [(day["start"], day["profit_usd"]) for day in found["days"]]
    assert days == [("1970-01-01", 10.0), ("1970-01-04", -5.0), ("1970-01-05", 20.0), ("1970-02-01", -5.0)]
    weeks = [(week["start"], week["profit_usd"]) for week in found["weeks"]]
    assert weeks == [("1969-12-29", 5.0), ("1970-01-05", 20.0), ("1970-01-26", -5.0)]
    months = [(month["start"], month["profit_usd"], month["profit_ratio"]) for month in found["months"]]
    assert months == [("1970-01-01", 25.0, 0.25), ("1970-02-01", -5.0, -0.04)]
    assert periods(conn, new_run, Account.LIVE) == {"account": "live", "days": [], "weeks": [], "months": []}


def test_round_trips_and_fees_are_those_of_the_day_and_the_account(conn, new_run, insert):
    insert(schema.EquityRow, account="paper", seq=1, ts=DAY_NS, equity_usd=1.0)
    fees = {"pool_fee_lamports": 10**8, "network_fee_lamports": 10**8, "ts": DAY_NS + 1}
    sides = (("buy", "PAPER"), ("sell", "PAPER"), ("cover", "PAPER"), ("sell", "FAILED"))
    for number, (side, status) in enumerate(sides):
        insert(schema.TradeRow, order_id=str(number), account="paper", side=side, status=status, **fees)
    insert(schema.TradeRow, order_id="live", account="live", side="sell", status="LIVE", **fees)
    (day,) = periods(conn, new_run, Account.PAPER)["days"]
    assert (day["round_trips"], day["fees_sol"]) == (2, 0.8)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 400 * DAY_NS), st.integers(1, 10**6)), min_size=1, max_size=30))
def test_the_profits_of_every_length_add_up(conn, new_run, marks):
    with conn.begin_nested() as undone:
        _marks(conn, new_run, sorted(marks))
        found = periods(conn, new_run, Account.PAPER)
        undone.rollback()
    values = [usd for _, usd in sorted(marks)]
    for length in ("days", "weeks", "months"):
        assert sum(period["profit_usd"] for period in found[length]) == values[-1] - values[0]
        assert found[length][-1]["equity_usd"] == values[-1]
    assert {date.fromisoformat(week["start"]).weekday() for week in found["weeks"]} == {0}
    assert {date.fromisoformat(month["start"]).day for month in found["months"]} == {1}
