"""The read model over a real PostgreSQL."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from memesnipe.engine.orders import ENTRIES
from memesnipe.market.events import SIDE_NAMES
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.storage import account_views, schema, schema_control, views
from memesnipe.storage.commands import assign_seq, enqueue, outcome, pending_commands
from memesnipe.storage.equity_view import equity
from memesnipe.storage.rows import Page
from memesnipe.storage.runs import LIVE_CAPITAL
from memesnipe.storage.trade_list import TradeFilter, trades

SOL = 1_000_000_000


@pytest.fixture
def conn(database):
    with database.connect() as connection:
        yield connection


def test_an_empty_run_is_zeros_and_nulls(conn, new_run):
    assert views.latest_run(conn) == new_run
    assert views.report(conn, new_run) == {
        "run_id": new_run,
        "feed": "synthetic",
        "status": "stopped",
        "events": {"published": 0, "consumed": 0, "rejected": 0},
        "rejected_because": {},
        "generations": 0,
        "evaluations": 0,
        "specs": 0,
        "strategies": {"simulating": 0, "paper": 0, "live": 0, "retired": 0},
        "allocations": 0,
        "orders": 0,
        "refusals": 0,
        "fills": 0,
        "failed_orders": 0,
        "trades": 0,
        "open_positions": 0,
        "equity_lamports": None,
        "equity_usd": None,
        "trading_usd": None,
        "risk_level": "normal",
        "halted": False,
        "live": None,
    }
    portfolio = views.portfolio(conn, new_run)
    assert portfolio["equity_usd"] is None and portfolio["open_positions"] == 0
    assert views.risk(conn, new_run)["level"] == "normal"
    assert views.generations(conn, new_run) == []


def test_an_open_run_is_running_while_an_actor_holds_it(conn, new_run, insert):
    now = datetime.now(UTC)
    insert(schema_control.LeaseRow, actor="executor", epoch=1, holder="a", expires_at=now - timedelta(seconds=5))
    assert views.report(conn, new_run)["status"] == "stopped"
    insert(schema_control.LeaseRow, actor="position", epoch=1, holder="a", expires_at=now + timedelta(seconds=60))
    assert views.report(conn, new_run)["status"] == "running"
    conn.execute(sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run).values(status="finished"))
    assert views.report(conn, new_run)["status"] == "finished"


def test_a_missing_run_reads_as_an_empty_one(conn):
    report = views.report(conn, 0)
    assert (report["feed"], report["status"], report["trades"]) == ("", "none", 0)
    assert views.positions(conn, 0) == views.lifecycle(conn, 0, 5) == []


def test_the_report_counts_the_rows_of_the_tables(conn, new_run, insert):
    insert(schema.FeedCursorRow, seq=900, rejected=4, rejected_because={"future": 3, "jump": 1}, position=904)
    insert(schema.StreamOffsetRow, actor="executor", stream="events", consumed=850)
    insert(schema.StreamOffsetRow, actor="position", stream="events", consumed=1)
    insert(schema.StreamOffsetRow, actor="executor", stream="exit_orders", consumed=2)
    insert(schema.GenerationRow, index=1, evaluations=1_000)
    for spec_id, mode in (("a", "paper"), ("b", "simulating"), ("c", "simulating"), ("d", "retired")):
        insert(schema.StrategyRow, spec_id=spec_id, mode=mode)
        insert(schema.EvaluationRow, generation=1, spec_id=spec_id)
        insert(schema.MessageRow, stream="strategy_specs", number=ord(spec_id), payload="{}")
        insert(schema.AllocationRow, seq=10, spec_id=spec_id, allocation_usd=50.0 if spec_id == "a" else 0.0)
    insert(schema.MessageRow, stream="fills", number=1, payload="{}")
    for number, (side, status) in enumerate((("buy", "PAPER"), ("sell", "PAPER"), ("buy", "FAILED"))):
        insert(schema.OrderRow, order_id=f"a/{number}")
        insert(schema.TradeRow, order_id=f"a/{number}", side=side, status=status)
    insert(schema.OrderRow, order_id="a/9", status="intended")
    insert(schema.PositionRow, spec_id="a", token=1, token_raw=5, cost_lamports=7 * SOL)
    insert(schema.PositionRow, spec_id="a", token=2, token_raw=0)
    insert(schema.EquityRow, seq=10, equity_usd=1000.0, equity_lamports=10_000 * SOL)
    insert(schema.EquityRow, seq=20, equity_usd=990.0, equity_lamports=9900 * SOL)
    insert(schema.BreakerRow, level="warning", drawdown=0.06)
    assert views.report(conn, new_run) == {
        "run_id": new_run,
        "feed": "synthetic",
        "status": "stopped",
        "events": {"published": 900, "consumed": 850, "rejected": 4},
        "rejected_because": {"future": 3, "jump": 1},
        "generations": 1,
        "evaluations": 1_000,
        "specs": 4,
        "strategies": {"simulating": 2, "paper": 1, "live": 0, "retired": 1},
        "allocations": 1,
        "orders": 4,
        "refusals": 0,
        "fills": 2,
        "failed_orders": 1,
        "trades": 1,
        "open_positions": 1,
        "equity_lamports": 9900 * SOL,
        "equity_usd": 990.0,
        "trading_usd": pytest.approx(-10.0),
        "risk_level": "warning",
        "halted": False,
        "live": None,
    }


def test_positions_are_valued_at_the_last_price_of_sol(conn, new_run, insert):
    insert(schema.PositionRow, spec_id="a", token=1, mint="closed", realised_lamports=-SOL, seq=9)
    insert(
        schema.PositionRow,
        **{"spec_id": "a", "token": 2, "mint": "open", "token_raw": 7},
        **{"cost_lamports": 2 * SOL, "value_lamports": 3 * SOL, "realised_lamports": 0, "seq": 1},
    )
    without_price = views.positions(conn, new_run)
    assert [p["mint"] for p in without_price] == ["open", "closed"]
    assert without_price[0]["unrealised_usd"] is None
    insert(schema.EquityRow, seq=5, equity_lamports=10 * SOL, equity_usd=2000.0)
    held, closed = views.positions(conn, new_run)
    worth = views.portfolio(conn, new_run)
    assert (worth["realised_sol"], worth["unrealised_sol"], worth["trading_usd"]) == (-1.0, 1.0, 0.0)
    assert held["open"] and held["unrealised_lamports"] == SOL and held["unrealised_sol"] == 1.0
    assert held["unrealised_usd"] == pytest.approx(200.0) and held["unrealised_return"] == 0.5
    assert not closed["open"] and closed["realised_usd"] == pytest.approx(-200.0)
    assert closed["unrealised_return"] is None
    assert [p["mint"] for p in views.positions(conn, new_run, limit=1)] == ["open"]


def test_without_equity_positions_have_no_price(conn, new_run, insert):
    insert(schema.PositionRow, spec_id="a", token=1, token_raw=1, cost_lamports=7)
    insert(schema.EquityRow, seq=5, equity_lamports=0, equity_usd=0.0)
    assert views.positions(conn, new_run)[0]["value_usd"] is None
    assert views.portfolio(conn, new_run)["change_ratio"] is None


def test_the_portfolio_changes_since_its_first_mark(conn, new_run, insert):
    insert(schema.EquityRow, seq=1, equity_lamports=10 * SOL, equity_usd=1000.0, drawdown=0.2)
    insert(schema.EquityRow, seq=2, ts=5, equity_lamports=12 * SOL, equity_usd=1250.0, cash_usd=400.0)
    portfolio = views.portfolio(conn, new_run)
    assert (portfolio["change_usd"], portfolio["change_ratio"]) == (250.0, 0.25)
    assert (portfolio["equity_sol"], portfolio["cash_usd"], portfolio["ts"]) == (12.0, 400.0, 5)
    assert views.risk(conn, new_run)["max_drawdown"] == 0.2


def test_the_change_of_the_equity_is_the_profit_of_trading_and_the_change_of_sol(conn, database, new_run, insert):
    """The capital of 2,000 USD became 10 SOL at 200 USD; trading earned 1 SOL, and SOL fell to 150 USD."""
    run = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
    with database.begin() as connection:
        connection.execute(run.values(settings={"initial_capital_usd": 2000.0}))
    marks = ((0, 0.0), (10 * SOL, 1900.0), (11 * SOL, 1650.0))  # at the first one SOL had no price yet
    for seq, (lamports, usd) in enumerate(marks):
        insert(schema.EquityRow, seq=seq, equity_lamports=lamports, equity_usd=usd)
    insert(schema.PositionRow, spec_id="a", realised_lamports=3 * SOL)  # since the last mark: not in either
    found, report = views.portfolio(conn, new_run), views.report(conn, new_run)
    assert found["trading_usd"] == pytest.approx(150.0) == report["trading_usd"]
    assert found["change_usd"] - found["trading_usd"] == pytest.approx(10 * (150 - 200))
    assert found["capital_usd"] == 2000.0


def test_a_figure_of_the_report_and_of_the_account_is_one_number(conn, new_run, insert):
    random = np.random.default_rng(3)
    for seq in range(40):
        usd = float(random.uniform(9e3, 11e3))
        insert(schema.EquityRow, seq=seq, equity_lamports=int(random.integers(10**10, 10**11)), equity_usd=usd)
        found, report = views.portfolio(conn, new_run), views.report(conn, new_run)
        shared = found.keys() & report.keys()
        assert {"equity_usd", "equity_lamports", "trading_usd", "open_positions"} <= shared
        assert {name: found[name] for name in shared} == {name: report[name] for name in shared}


def test_the_change_counts_from_the_capital_of_the_run(conn, database, new_run, insert):
    with database.begin() as connection:
        kept = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
        connection.execute(kept.values(settings={"initial_capital_usd": 2000.0}))
    insert(schema.EquityRow, seq=1, equity_lamports=10 * SOL, equity_usd=1000.0)
    assert views.portfolio(conn, new_run)["change_ratio"] == -0.5


def test_the_breaker_has_its_size_multiplier(conn, new_run, insert):
    insert(schema.BreakerRow, level="warning", drawdown=0.07, peak_lamports=3 * SOL, seq=8)
    risk = views.risk(conn, new_run)
    assert risk == {
        **{"level": "warning", "drawdown": 0.07, "max_drawdown": 0.07, "size_multiplier": 0.5},
        **{"peak_lamports": 3 * SOL, "peak_sol": 3.0, "seq": 8, "halted": False, "refusals": {}, "account": "paper"},
    }


def test_a_halt_and_refusals_are_reported(conn, new_run, insert):
    insert(schema.BreakerRow, level="normal", halted=True)
    for number, reason in enumerate(("halted", "price", "halted")):
        insert(schema_control.RefusalRow, order_id=f"a-{number}", seq=number, reason=reason)
    risk = views.risk(conn, new_run)
    assert (risk["halted"], risk["size_multiplier"]) == (True, 0.0)
    assert list(risk["refusals"].items()) == [("halted", 2), ("price", 1)]
    assert views.report(conn, new_run)["refusals"] == 3


def test_commands_and_lifecycle_steps_are_newest_first(conn, database, new_run, insert):
    with database.begin() as connection:
        first = enqueue(connection, new_run, CommandName.HALT, reason="a test")
        second = enqueue(connection, new_run, CommandName.PROMOTE, spec_id="a")
        assert [command.command_id for command in pending_commands(connection, new_run, with_flattens=True)] == [
            first,
            second,
        ]
        connection.execute(assign_seq(first, 7))
        assert [command.name for command in pending_commands(connection, new_run, with_flattens=True)] == ["promote"]
        assert outcome(connection, first) is None
    for seq in (1, 2):
        insert(
            schema.LifecycleRow,
            number=seq,
            seq=seq,
            spec_id="a",
            to_mode="paper",
            from_mode="simulating",
            reason=f"{seq}",
        )
    found = views.commands(conn, new_run, 10)
    assert [(c["name"], c["seq"], c["spec_id"], c["reason"]) for c in found] == [
        ("promote", None, "a", ""), ("halt", 7, "", "a test"),
    ]  # fmt: skip
    assert [step["reason"] for step in views.lifecycle(conn, new_run, 5)] == ["2", "1"]
    json.dumps(found)


def test_every_view_is_json_serialisable(conn, new_run, insert):
    insert(schema.GenerationRow, index=2, best_fitness=0.5)
    insert(schema.GenerationRow, index=1, best_fitness=0.4)
    generations = views.generations(conn, new_run)
    assert [g["index"] for g in generations] == [1, 2]
    json.dumps([generations, views.report(conn, new_run), views.portfolio(conn, new_run)], allow_nan=False)


def test_figures_of_orders_money_and_risk_are_those_of_one_account(conn, database, new_run, insert):
    with database.begin() as connection:
        kept = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
        connection.execute(kept.values(settings={LIVE_CAPITAL: 10 * SOL}))
    for account, scale in (("paper", 1), ("live", 10)):
        insert(schema.EquityRow, account=account, seq=1, equity_lamports=scale * SOL, equity_usd=100.0 * scale)
        insert(schema.BreakerRow, account=account, level="normal" if scale == 1 else "critical", drawdown=0.01 * scale)
        insert(schema.PositionRow, account=account, spec_id="a", token=1, cost_lamports=scale, value_lamports=scale)
        for number in range(scale):
            order = {"account": account, "order_id": f"{account}-{number}", "spec_id": "a"}
            insert(schema.OrderRow, **order)
            insert(schema.TradeRow, **order, side="sell")
        insert(schema_control.RefusalRow, account=account, order_id=f"{account}-2", seq=1, reason=account)
    report = views.report(conn, new_run)
    assert (report["equity_usd"], report["risk_level"], report["open_positions"]) == (100.0, "normal", 1)
    counts = ("orders", "fills", "trades", "failed_orders", "refusals")
    assert [report[name] for name in counts] == [1, 1, 1, 0, 1], "paper alone"
    assert report["live"] == {
        **dict(zip(counts, (10, 10, 10, 0, 1), strict=True)),
        **{"open_positions": 1, "equity_lamports": 10 * SOL, "equity_usd": 1000.0, "trading_usd": 0.0},
        **{"risk_level": "critical", "halted": False},
    }
    assert report["live"].keys() <= report.keys(), "the same figures under the same names"
    for account, equity_usd, level in ((Account.PAPER, 100.0, "normal"), (Account.LIVE, 1000.0, "critical")):
        portfolio, risk = views.portfolio(conn, new_run, account), views.risk(conn, new_run, account)
        assert (portfolio["account"], portfolio["equity_usd"], portfolio["open_positions"]) == (account, equity_usd, 1)
        assert (risk["account"], risk["level"], risk["refusals"]) == (account, level, {account: 1})
        assert [point["equity_usd"] for point in equity(conn, new_run, account, 10)["points"]] == [equity_usd]
    assert {position["account"] for position in views.positions(conn, new_run)} == {"paper", "live"}
    assert {trade["account"] for trade in trades(conn, new_run, TradeFilter(), Page(9)).rows} == {"paper", "live"}


def test_trades_are_round_trips_and_failed_orders_are_counted_apart(conn, new_run, insert):
    outcomes = [("buy", "PAPER"), ("sell", "PAPER"), ("short", "PAPER"), ("cover", "PAPER")]
    outcomes += [("buy", "PAPER"), ("sell", "FAILED"), ("buy", "FAILED"), ("sell", "FAILED")]
    for number, (side, status) in enumerate(outcomes):
        insert(schema.TradeRow, order_id=f"a-{number}", spec_id="a", side=side, status=status)
    report = views.report(conn, new_run)
    assert {name: report[name] for name in ("fills", "failed_orders", "trades")} == {
        "fills": 5,
        "failed_orders": 3,
        "trades": 2,
    }


def test_every_side_that_closes_a_position_is_counted() -> None:
    closing = {SIDE_NAMES[side] for side in SIDE_NAMES if side and side not in ENTRIES}
    assert closing == set(account_views.EXITS)
