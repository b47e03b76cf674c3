"""The page of a tear sheet in a real browser: nothing from elsewhere, nothing cut off, accessible, safe text."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from memesnipe.tearsheet.heatmap import heatmap
from memesnipe.tearsheet.metrics import by_exit_reason, metrics_of
from memesnipe.tearsheet.page import page
from memesnipe.tearsheet.pictures import write_pictures
from memesnipe.tearsheet.sheet import Account, Grid, Market, Outcome, Prices, Sheet, Table, Trip
from tests.api.browsing import CHROMIUM, FLAGS, SCREENSHOTS

NS = 1_000_000_000
START = int(datetime(2026, 1, 30, tzinfo=UTC).timestamp()) * NS
MAP = Grid(
    "Total return", ["3.0%", "20.0%"], ["30 s", "300 s", "900 s"], np.array([[-0.5, 0.0, 1.25], [0.1, np.nan, 0.02]]),
    ("stop loss", "lookback_s of momentum_5m"), np.array([[1, 2, 3], [4, 5, 6_000]]), (1, 2),
    "Each cell is a backtest.",
)  # fmt: skip
EVIL = "<script>alert(1)</script>\"'&"
COLUMNS = ("family", "return", "Sharpe", "deepest fall", "round trips", "win rate", "profit factor")
LONG = "7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxspump"


def account(name: str, minutes: int, trades: int) -> Account:
    rng = np.random.default_rng(4)
    ts = START + np.arange(minutes, dtype=np.int64) * 60 * NS
    equity = 10.0 * np.cumprod(1.0 + rng.normal(0.0, 0.001, minutes))
    outcomes, trips = [], []
    for number in range(trades):
        opened, closed = int(ts[0]) + number * 120 * NS, int(ts[0]) + number * 120 * NS + 90 * NS
        outcomes.append(Outcome(LONG, "buy", EVIL, "", opened, 0.1, 0.001, 0.0001))
        outcomes.append(Outcome(LONG, "sell", "stop_loss", "" if number % 9 else "slippage", closed, 0.1, 0.0, 0.0001))
        gained = float(rng.normal(0.0, 0.02))
        names = ("momentum_5m", "social_buzz")[: 1 + number % 2]
        trips.append(Trip(LONG, names, opened, closed, ("stop_loss", EVIL)[number % 2], 0.1, gained))
    prices = [Prices(LONG, ts, 1e-5 * np.cumprod(1.0 + rng.normal(0, 0.01, minutes)))] if minutes else []
    return Account(name, ts, equity, np.linspace(200.0, 210.0, minutes), trips, outcomes, prices, [int(START)])


def sheet(*accounts: Account) -> Sheet:
    hours = START + np.arange(1, 9) * 3_600 * NS
    market = Market({"tokens": EVIL}, "hour", hours, np.arange(8.0) * 1e6, np.arange(8.0))
    families = Table("Families", COLUMNS, [("a_long_family",) * 7])
    settings = {"capital": 1, EVIL: EVIL}
    return Sheet(f"Run 1 of {EVIL}", [EVIL], {"feed": EVIL}, settings, [EVIL], accounts, market, [families], [MAP])


FULL = sheet(account("Paper", 3_000, 240), account("Live", 0, 0))


def test_text_of_others_is_no_markup() -> None:
    text = page(FULL)
    assert "<script" not in text and "&lt;script&gt;alert(1)" in text and "http" not in text.replace("http-equiv", "")
    assert re.search(r" style=| on[a-z]+=", text) is None


def test_accounts_are_apart_and_their_tables_are_complete() -> None:
    text = page(FULL)
    paper, live = text.split("<h2>Live</h2>")
    assert "<h2>Paper</h2>" in paper and paper.count("<svg class") == 5 + 2 and ">240<" in paper
    assert "There is no mark of the equity yet." in live and "It needs two round trips or more." in live
    for name in ("CAGR", "Sharpe", "Sortino", "Calmar", "SQN", "Profit factor", "Expectancy", "Win rate", "Exposure",
                 "Longest drawdown", "Average duration", "Max drawdown", "Benchmark: SOL"):  # fmt: skip
        assert f">{name}</th>" in paper, name
    assert "for 27 orders that failed" in paper and "A strategy with several families counts for each" in paper


def test_a_map_names_its_axes_and_marks_the_strategy_itself() -> None:
    text = heatmap(MAP)
    assert "stop loss ↓ lookback_s of momentum_5m →" in text and "Each cell is a backtest." in text
    assert '<td class="g1 own" title="+2.000%, 6,000 round trips">+2.0%</td>' in text and text.count("own") == 1
    assert '<td class="g3" title="+125.000%, 3 round trips">' in text and text.count("<td></td>") == 1


def test_ratios_of_a_year_need_a_day() -> None:
    short, long = (
        {found.name: found.text for found in metrics_of(account("Paper", minutes, 5))} for minutes in (60, 1_500)
    )
    for name in ("CAGR", "Sharpe", "Sortino", "Calmar", "Calmar, compounded", "Volatility"):
        assert short[name] == "n/a: under a day" and re.fullmatch(r"[-+0-9,.]+%?", long[name]), name
    assert short["Max drawdown"] != "n/a: under a day"


def test_a_take_profit_that_lost_is_explained() -> None:
    trip = Trip(LONG, ("momentum_5m",), START, START + NS, "take_profit", 0.1, 0.01)
    lost = replace(trip, profit_sol=-0.01)
    assert by_exit_reason(replace(account("Paper", 0, 0), trips=[trip])).note == ""
    assert "A take profit can lose" in by_exit_reason(replace(account("Paper", 0, 0), trips=[trip, lost])).note


def test_every_figure_is_a_picture_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="an extra of the package")
    written = write_pictures(FULL, tmp_path / "new")
    assert len(written) == 5 + 3 + 4 + 2 + 1 == len(set(written))
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome here")
def test_a_browser_shows_it_whole_and_without_complaint(tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    (tmp_path / "sheet.html").write_text(page(FULL), encoding="utf-8")
    complaints: list[str] = []
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for width, scheme in ((360, "light"), (1_400, "dark")):
            tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab.on("console", lambda message: complaints.append(message.text))
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("request", lambda found: None if found.url.startswith("file:") else complaints.append(found.url))
            tab.goto((tmp_path / "sheet.html").as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            cut = "boxes => boxes.filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.ariaLabel)"
            found = set(tab.locator(".wide").evaluate_all(cut))  # a month has more days than a phone is wide
            assert found <= {"Return by day", "Return by hour, UTC"}, found
            assert complaints == []
            if SCREENSHOTS:
                tab.screenshot(path=Path(SCREENSHOTS) / f"report-{width}.png", full_page=True)
            # The policy forbids scripts, those of axe too, so the page is looked at again without it.
            tab.set_content(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page(FULL)))
            found = axe.Axe().run(tab).response["violations"]
            assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
            complaints.clear()
        browser.close()
