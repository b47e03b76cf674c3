"""`memesnipe report`: the sheet of a run has the figures of its records, that of a backtest those of `backtest`."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from memesnipe.config.home import Home
from memesnipe.market.events import PRICE
from memesnipe.runtime.run_sheet import run_sheet
from memesnipe.runtime.tape_sheet import market_of
from memesnipe.storage import schema, views
from memesnipe.storage.runs import LIVE_CAPITAL
from memesnipe.storage.strategy_page import strategy_page
from memesnipe.tapes.tape import read_tape
from memesnipe.tearsheet.metrics import metrics_of
from memesnipe.tearsheet.page import page
from tests.api.browsing import HOUR_NS, MINT, SOL, insert_everything
from tests.cli.in_process import memesnipe


@pytest.fixture
def filled(insert, new_run: int, tmp_path: Path) -> Path:
    """Insert a run with something of everything; return its event log."""
    insert_everything(insert, tmp_path, new_run)
    return tmp_path / f"{new_run}.bin"


def metric(account, name: str) -> float | None:
    return next(found.value for found in metrics_of(account) if found.name == name)


def test_the_sheet_of_a_run_has_the_round_trips_of_its_records(database, new_run: int, filled: Path) -> None:
    with database.connect() as connection:
        sheet = run_sheet(connection, new_run, filled)
        listed = strategy_page(connection, new_run, "spec0")["round_trips"]
    (paper,) = sheet.accounts
    assert [trip.profit_sol for trip in paper.trips] == [trip["profit_sol"] for trip in reversed(listed)]
    assert len(paper.trips) == metric(paper, "Round trips") == 12 and paper.trips[0].families == ("momentum_5m",)
    won = [trip["profit_sol"] > 0 for trip in listed]
    assert metric(paper, "Win rate") == sum(won) / len(won)
    assert metric(paper, "Equity") == pytest.approx(1000.0 + 20.0 * np.sin(47 / 6) + 47)
    (prices,) = paper.prices
    assert prices.mint == MINT and (np.diff(prices.ts) > 0).all() and len(paper.opened) == 1
    assert "The run is stopped" in sheet.warnings[0] and sheet.facts["feed"] == "synthetic"


def test_paper_and_live_money_are_apart(database, new_run: int, filled: Path, insert) -> None:
    settings = {LIVE_CAPITAL: "5000000000", "initial_capital_usd": 1_000.0}
    with database.begin() as connection:
        connection.execute(
            sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run).values(settings=settings, status="finished")
        )
    for number, lamports in enumerate((5 * SOL, 0, 4 * SOL)):
        mark = {"seq": number, "ts": number * HOUR_NS, "equity_usd": lamports / SOL * 200.0}
        insert(schema.EquityRow, account="live", equity_lamports=lamports, **mark)
    for number, (side, sol) in enumerate((("buy", 2.0), ("sell", 1.0))):
        names = {"spec_id": "spec1", "mint": "M", "status": "LIVE", "account": "live", "reason": "stop_loss"}
        at = {"ts": number * HOUR_NS, "sol_lamports": int(sol * SOL), "seq": number}
        insert(schema.TradeRow, order_id=f"live-spec1/{number}", side=side, **names, **at)
    with database.connect() as connection:
        sheet = run_sheet(connection, new_run, filled.with_name("missing.bin"))
    paper, live = sheet.accounts
    assert (len(paper.trips), len(live.trips)) == (12, 1) and live.trips[0].profit_ratio == -0.5
    assert metric(live, "Max drawdown") == pytest.approx(1.0) and metric(live, "Total profit") == pytest.approx(-200.0)
    assert sheet.warnings == ["Its events are not in this folder: trades are not shown on prices."]
    text = page(sheet)
    assert text.index("<h2>Paper</h2>") < text.index("<h2>Live</h2>") < text.index("initial_capital_usd")


def test_the_profit_of_trading_has_no_change_of_sol(database, new_run: int, insert) -> None:
    """The capital became 50 SOL at 20 USD each, before the first mark; SOL fell since, and trading earned 1 SOL."""
    run = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
    with database.begin() as connection:
        connection.execute(run.values(settings={"initial_capital_usd": 1_000.0}))
    for seq, (lamports, usd) in enumerate(((50 * SOL, 900.0), (51 * SOL, 510.0))):
        insert(schema.EquityRow, seq=seq, ts=(seq + 1) * HOUR_NS, equity_lamports=lamports, equity_usd=usd)
    insert(schema.PositionRow, spec_id="a", realised_lamports=SOL)
    with database.connect() as connection:
        (paper,) = run_sheet(connection, new_run, Path("none.bin")).accounts
        shown = views.portfolio(connection, new_run)
    assert metric(paper, "Total profit") == pytest.approx(shown["trading_usd"]) == pytest.approx(10.0)
    assert metric(paper, "Change of equity") == pytest.approx(shown["change_usd"]) == pytest.approx(-490.0)
    assert metric(paper, "Benchmark: SOL") == pytest.approx(-0.5)


def test_a_run_is_mapped_by_the_simulated_returns_of_its_strategies(database, new_run: int, insert) -> None:
    def sheet(name: str):
        with database.connect() as connection:
            return run_sheet(connection, new_run, Path(name))

    few = sheet("none.bin")
    assert not few.maps and "it needs 30 strategies with simulated round trips, and the run has 0" in few.maps_note
    assert "it needs 30 strategies" in page(few)
    rng = np.random.default_rng(3)
    returns = {}
    for number in range(60):
        signals = [{"family": "momentum_5m", "params": {"lookback_s": 30.0 + number, "breakout": 0.05}, "weight": 1.0}]
        exits = {"stop_loss": float(rng.uniform(0.05, 0.5)), "take_profit": 0.1 if number % 2 else 0.9}
        returns[number] = float(rng.normal())
        result = {"total_return": returns[number], "trades": 3}
        spec = {"signals": signals, "exits": exits}
        insert(schema.StrategyRow, spec_id=f"s{number}", mode="simulating", genome=spec, result=result)
    exits_map, signal_map = sheet("none.bin").maps
    assert exits_map.rows[0].startswith("under ") and len(exits_map.rows) == 5
    for grid in (exits_map, signal_map):  # the cells have every strategy once
        counts = grid.trades / 3
        assert counts.sum() == 60 and np.nansum(grid.values * counts) == pytest.approx(sum(returns.values()))
    assert set(signal_map.axes) == {"lookback_s", "breakout"} and " of momentum_5m, 60 strategies" in signal_map.title


def test_a_run_without_records_has_a_sheet(database, new_run: int, tmp_path: Path) -> None:
    with database.connect() as connection:
        sheet = run_sheet(connection, new_run, tmp_path / "none.bin")
    assert "There is no mark of the equity yet." in page(sheet)


def test_the_command_reports_the_newest_run(
    server_urls, database, new_run: int, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", server_urls.database_url)
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path / "home"))
    log = Home(tmp_path / "home").run(new_run).event_log
    log.parent.mkdir(parents=True)
    filled.rename(log)
    done = memesnipe(tmp_path, "report", "-o", "r.html", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["accounts"] == {"paper": 12} and answer["bytes"] == (tmp_path / "r.html").stat().st_size
    assert f"Trades on the price of {MINT}" in (tmp_path / "r.html").read_text()
    done = memesnipe(tmp_path, "report", str(new_run + 1), "-o", "r.html")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "there is no such run" in done.stderr


def test_the_sheet_of_a_backtest_has_the_figures_of_the_command(tmp_path: Path) -> None:
    assert memesnipe(tmp_path, "synth", "--tokens", "30", "--hours", "3", "--seed", "3", "-o", "m.tape").returncode == 0
    options = ("--param", "lookback_s=60", "--param", "breakout=0.02")
    command = ("backtest", "--tape", "m.tape", "--strategy", "momentum_5m", *options, "--trades", "t.csv", "--json")
    tested = json.loads(memesnipe(tmp_path, *command).stdout)
    done = memesnipe(tmp_path, "report", "momentum_5m", "--tape", "m.tape", *options, "-o", "b.html", "--png", "p")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "b.html").read_text()
    found = dict(re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', text))
    metrics = tested["metrics"]
    assert found["Sharpe"] == found["Sortino"] == "n/a: under a day"
    assert float(found["Profit factor"].replace(",", "")) == pytest.approx(metrics["profit_factor"], rel=1e-3, abs=0.01)
    assert float(found["Max drawdown"].rstrip("%")) == pytest.approx(100 * metrics["max_drawdown"], abs=0.01)
    assert float(found["Total return"].rstrip("%")) == pytest.approx(100 * metrics["total_return"], abs=0.01)
    assert found["Round trips"] == str(metrics["trades"]) and tested["digest"] in text
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    fees = sum(int(row["pool_fee_lamports"]) + int(row["network_fee_lamports"]) for row in rows)
    assert found["all fees"] == f"{fees / SOL:,.6f}"
    assert len(list((tmp_path / "p").glob("Backtest-*.png"))) >= 6
    assert len(list((tmp_path / "p").glob("Parameters-*.png"))) == 2
    own = re.findall(r'<td class="[^"]*own"[^>]*title="([-+0-9.]+)%, ([0-9,]+) round trips"', text)
    assert len(own) == 2 and {int(trips) for _, trips in own} == {metrics["trades"]}
    assert [float(gained) for gained, _ in own] == pytest.approx([100 * metrics["total_return"]] * 2, abs=0.001)
    for name in ("stop loss ↓ take profit →", "lookback_s ↓ breakout →", "and breakout of momentum_5m, in SOL"):
        assert name in text


def test_the_sheet_of_a_tape_has_its_market_and_compares_the_families(tmp_path: Path) -> None:
    assert memesnipe(tmp_path, "synth", "--tokens", "30", "--hours", "3", "--seed", "3", "-o", "m.tape").returncode == 0
    tape = read_tape(tmp_path / "m.tape", now_ns=2**62)
    done = memesnipe(tmp_path, "report", "m.tape", "-o", "m.html", "--no-map")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "m.html").read_text()
    assert "<h2>Market</h2>" in text and "<h2>Parameter map</h2>" not in text
    traded = tape.events[tape.events["kind"] == PRICE]
    assert f"{traded['volume_usd'].sum():,.0f} USD in {len(traded):,} trades" in text
    compared = text[text.index("Families with their default parameters") :].split("</table>")[0]
    rows = re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', compared)
    returns = {name: float(gained.rstrip("%")) for name, gained in rows if gained != "–"}
    best = max(returns, key=returns.__getitem__)
    assert len(rows) > 5 and f"its market, and {best}" in text
    tested = json.loads(memesnipe(tmp_path, "backtest", "--tape", "m.tape", "--strategy", best, "--json").stdout)
    assert returns[best] == pytest.approx(100 * tested["metrics"]["total_return"], abs=0.01)
    assert tested["digest"] in text and "part of it is luck" in text


def test_a_market_counts_every_trade_and_every_token_once(tmp_path: Path) -> None:
    assert memesnipe(tmp_path, "synth", "--tokens", "12", "--hours", "2", "-o", "m.tape").returncode == 0
    tape = read_tape(tmp_path / "m.tape", now_ns=2**62)
    market = market_of(tape)
    traded = tape.events[tape.events["kind"] == PRICE]
    assert market.volume_usd.sum() == pytest.approx(traded["volume_usd"].sum())
    assert market.launches.sum() == len(np.unique(tape.events["token"][tape.events["token"] >= 0]))
    assert market.period == "minute" and (np.diff(market.ts) == 60 * 10**9).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("momentum_5m",), "momentum_5m: is no number of a run; for a backtest add --tape TAPE"),
        (("missing.tape",), "--tape missing.tape: there is no such file"),
        (("--tape", "file", "--param", "a=1"), "--param is of a strategy"),
        (("0",), "RUN 0: must be a whole number from 1"),
        (("--capital", "5"), "--param and --capital are of a backtest: add --tape TAPE"),
        (("--tape", "missing.tape"), "--tape missing.tape: there is no such file"),
        (("-o", "no/r.html"), "-o no/r.html: there is no folder no"),
        (("--png", "file"), "--png file: is not a folder"),
    ],
)
def test_wrong_options_are_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "file").write_text("x")
    done = memesnipe(tmp_path, "report", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1) and message in done.stderr
