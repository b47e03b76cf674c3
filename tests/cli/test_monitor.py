"""`monitor` shows what the API of the running system answers, and says where it does not."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.api.backend import learned_so_far
from memesnipe.cli.account_figures import AccountReport
from memesnipe.engine.genome import simple_genome
from memesnipe.protocol.account import Account
from memesnipe.storage import views
from memesnipe.storage.rows import Page
from memesnipe.storage.runs import LIVE_CAPITAL
from memesnipe.storage.schema import BreakerRow, EquityRow, OrderRow, PositionRow, RunRow, StrategyRow, TradeRow
from memesnipe.storage.schema_control import RefusalRow
from memesnipe.storage.strategy_list import StrategyFilter, strategies
from tests.cli.in_process import memesnipe
from tests.cli.running_api import running_api
from tests.http_receiver import HttpReceiver
from tests.terminal import Terminal

HEALTHY = {
    "status": "healthy", "version": "24.0.0", "detail": "", "started_at": "2026-01-02T00:00:00+00:00",
    "parts": {"postgres": {"state": "up", "detail": ""}, "executor": {"state": "running", "detail": ""}},
}  # fmt: skip


class Api(HttpReceiver):
    """A server that answers with JSON by path, and with 404 elsewhere."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        super().__init__()

    def on_get(self, path: str) -> tuple[int, bytes]:
        path = path.removeprefix("/api/")
        answer = self.answers.get(path, self.answers.get(path.partition("?")[0]))
        return (404, b"no JSON") if answer is None else (200, json.dumps(answer).encode())


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Yield the API of a running system."""
    server = Api()
    server.answers["health"] = HEALTHY
    with running_api(tmp_path, monkeypatch, server):
        yield server


def live_run(database: sa.Engine, run_id: int, insert: Callable[..., None]) -> None:
    """Make a run live: 500 USD of capital, of which 100 are lost, with one open position and a critical breaker."""
    with database.begin() as connection:
        settings = {LIVE_CAPITAL: 2_500_000_000}
        connection.execute(sa.update(RunRow).where(RunRow.run_id == run_id).values(settings=settings))
    insert(EquityRow, account="paper", seq=1, equity_usd=10_500.0, equity_lamports=52_500_000_000)
    for seq, usd in ((1, 500.0), (2, 400.0)):
        insert(EquityRow, account="live", seq=seq, equity_usd=usd, equity_lamports=int(usd * 5_000_000))
    insert(PositionRow, account="live", spec_id="aa11aa11aa11", token=1, mint="m", cost_lamports=5, value_lamports=4)
    insert(BreakerRow, account="live", level="critical", drawdown=0.12)
    insert(RefusalRow, account="live", order_id="live-1", seq=1, reason="too_small")
    for account, side in (("paper", "buy"), ("paper", "sell"), ("live", "buy")):
        insert(OrderRow, account=account, order_id=f"{account}-{side}")
        insert(TradeRow, account=account, order_id=f"{account}-{side}", side=side)


def answer_with_a_live_run(api: Api, database: sa.Engine, run_id: int, insert: Callable[..., None]) -> None:
    live_run(database, run_id, insert)
    with database.connect() as connection:  # the answers of the API are these views
        api.answers |= {"report": views.report(connection, run_id), "strategies": []}
        api.answers["learned"] = learned_so_far(connection, run_id)
        for account in Account:
            api.answers[f"portfolio?account={account}"] = views.portfolio(connection, run_id, account)
            api.answers[f"risk?account={account}"] = views.risk(connection, run_id, account)
        api.answers |= {"portfolio": views.portfolio(connection, run_id), "risk": views.risk(connection, run_id)}


def test_the_state_is_shown_once(
    api: Api, tmp_path: Path, database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    genome = simple_genome("momentum_5m", {}).to_dict()
    insert(StrategyRow, spec_id="aa11aa11aa11", mode="paper", genome=genome, allocation_usd=250.0,
        result={"total_return": 0.25})  # fmt: skip
    insert(EquityRow, account="paper", seq=1, equity_usd=10_500.0, equity_lamports=52_500_000_000)
    with database.connect() as connection:  # the answers of the API are these views
        api.answers |= {
            "report": views.report(connection, new_run),
            "portfolio": views.portfolio(connection, new_run),
            "risk": views.risk(connection, new_run),
            "strategies": strategies(connection, new_run, StrategyFilter(), Page(8)).rows,
        }
    done = memesnipe(tmp_path, "monitor", "--once")
    assert (done.returncode, done.stderr) == (0, "")
    shown = " ".join(done.stdout.split())
    for text in (
        "MemeSnipe healthy",
        "executor running",
        "account capital_usd equity_usd change_usd trading_usd paper 10,500.00 10,500.00 0.00 (0.00%) 0.00",
        "trading_usd: profit of round trips and open positions, at the last SOL price",
        "strategy mode capital simulated return signals aa11aa11aa11 paper $250.00 +25.00% momentum_5m",
    ):
        assert text in shown
    state = json.loads(memesnipe(tmp_path, "monitor", "--json").stdout)
    assert state["running"] is True and state["report"]["run_id"] == new_run


def test_a_live_run_has_its_live_account_apart_from_paper(
    api: Api, tmp_path: Path, database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    answer_with_a_live_run(api, database, new_run, insert)
    rows = memesnipe(tmp_path, "monitor", "--once").stdout.splitlines()
    assert max(map(len, rows[:-1])) <= 80
    shown = [" ".join(row.split()) for row in rows]
    assert "live 500.00 400.00 -100.00 (-20.00%) -100.00" in shown
    assert "account orders refusals fills failed_orders round trips open_positions" in shown
    assert {"paper 2 0 2 0 1 0", "live 1 1 1 0 0 1"} <= {*shown}
    assert {"paper normal, new positions 1x 0.00%", "live critical, new positions 0x 12.00%"} <= {*shown}
    assert shown[-1].startswith(f"Run {new_run} has no strategy yet. Nothing is learned yet: the first generation ")
    accounts = json.loads(memesnipe(tmp_path, "monitor", "--json").stdout)["accounts"]
    assert (accounts["live"]["equity_usd"], accounts["paper"]["equity_usd"]) == (400.0, 10_500.0)


def test_status_has_the_live_account_apart_from_paper(
    api: Api, tmp_path: Path, database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    answer_with_a_live_run(api, database, new_run, insert)
    done = memesnipe(tmp_path, "status", "--json")
    state = json.loads(done.stdout)
    assert done.returncode == 0, "it is healthy"
    assert (state["mode"], list(state["accounts"])) == ("live", ["paper", "live"])
    assert state["accounts"]["live"]["level"] == "critical" and state["accounts"]["paper"]["level"] == "normal"
    shown = " ".join(memesnipe(tmp_path, "status").stdout.split())
    for text in (
        "account paper live capital_usd 10,500.00 500.00 equity_usd 10,500.00 400.00 ",
        "change_usd 0.00 (0.00%) -100.00 (-20.00%) trading_usd 0.00 -100.00",
        "orders 2 1 refusals 0 1 fills 2 1 failed_orders 0 0 round trips 1 0 open_positions 0 1 ",
        "level normal, new positions 1x critical, new positions 0x drawdown 0.00% 12.00%",
        "trading_usd: profit of round trips and open positions, at the last SOL price",
    ):
        assert text in shown
    assert all(len(row) <= 80 for row in memesnipe(tmp_path, "status").stdout.splitlines())
    assert state["accounts"].keys() == {"paper", "live"}
    for figures in state["accounts"].values():
        assert figures.keys() == AccountReport.__annotations__.keys() - {"outcomes"}
    assert (state["orders"], state["trades"], state["live"]["orders"]) == (2, 1, 1)


def test_a_mark_between_two_requests_makes_no_two_values_of_a_figure(
    api: Api, tmp_path: Path, database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    answer_with_a_live_run(api, database, new_run, insert)
    for name in ("portfolio", "portfolio?account=paper", "portfolio?account=live"):
        api.answers[name] = {**api.answers[name], "equity_usd": 77.0, "trading_usd": 7.0, "open_positions": 9}
    state = json.loads(memesnipe(tmp_path, "monitor", "--json").stdout)
    assert state["report"].keys() == api.answers["report"].keys()
    status = json.loads(memesnipe(tmp_path, "status", "--json").stdout)
    for report, accounts in ((state["report"], state["accounts"]), (status, status["accounts"])):
        for figures, account in ((report, accounts["paper"]), (report["live"], accounts["live"])):
            shared = figures.keys() & account.keys()
            assert {"equity_usd", "trading_usd", "open_positions", "orders", "halted"} <= shared
            assert {name: figures[name] for name in shared} == {name: account[name] for name in shared}
            assert figures["equity_usd"] == 77.0 and figures["risk_level"] == account["level"]


def test_risk_show_has_both_accounts(
    tmp_path: Path, database: sa.Engine, database_url: str, new_run: int, insert: Callable[..., None]
) -> None:
    live_run(database, new_run, insert)
    url = {"DATABASE_URL": database_url, "MEMESNIPE_HOME": str(tmp_path)}
    state = json.loads(memesnipe(tmp_path, "risk", "show", "--json", **url).stdout)
    assert (state["level"], state["accounts"]["live"]["level"]) == ("normal", "critical")
    done = memesnipe(tmp_path, "risk", "show", **url)
    shown = " ".join(done.stdout.split())
    assert "paper account" in shown and "live account capital_usd 500.00 " in shown
    assert "refused on the live account too_small 1" in shown
    assert "nothing was refused on the paper account" in done.stderr


def test_a_system_that_is_not_healthy_ends_with_1_and_is_shown_without_figures(api: Api, tmp_path: Path) -> None:
    api.answers["health"] = HEALTHY | {
        "status": "degraded", "detail": "position is stalled",
        "parts": {"position": {"state": "stalled", "detail": "waits for \x1b[31m"}},
    }  # fmt: skip
    done = memesnipe(tmp_path, "monitor", "--once")
    assert done.returncode == 1
    assert "degraded  position is stalled" in done.stdout and "\x1b" not in done.stdout
    for command in (("status",), ("status", "--json"), ("monitor", "--json")):
        assert memesnipe(tmp_path, *command).returncode == 1


def test_it_is_shown_in_a_terminal_until_ctrl_c(api: Api, tmp_path: Path) -> None:
    with Terminal(tmp_path, os.environ, "monitor", "--every", "0.2") as terminal:
        terminal.read_until("healthy", "executor", "running")
        api.answers["health"] = HEALTHY | {"status": "degraded", "detail": "position is stalled"}
        terminal.read_until("degraded", "position is stalled")
        terminal.press_ctrl_c()
        assert terminal.wait() == 0
    assert "Traceback" not in terminal.rest
    assert terminal.rest.rstrip().endswith("\x1b[?25h"), "the cursor is visible again"


def test_nothing_running_is_one_line(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "monitor", "--once")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "memesnipe: error: nothing runs in this folder; start it with `memesnipe up`\n"
