"""The page in a real browser, over real servers."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from memesnipe.storage import schema
from memesnipe.storage.runs import LIVE_CAPITAL
from tests.api.browsing import CHROMIUM, MINT, SOL, expect_text, genome
from tests.api.conftest import NS, TOKEN

api = pytest.importorskip("playwright.sync_api", reason="the page is tested with `pip install playwright`")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome here")


def test_the_page_follows_the_run_without_a_reload(page, serve, backend, all_running, marked, insert):
    page.goto(serve(backend).url)
    page.evaluate("document.wasNotReloaded = true")
    expect_text(page, "equity-paper", "$1,010.50")
    expect_text(page, "view", "+$10.50")
    expect_text(page, "level-paper", "normal")
    expect_text(page, "view", "12,345")
    expect_text(page, "trades", "No trades yet")
    expect_text(page, "learned", "Nothing is learned yet")
    insert(schema.GenerationRow, index=0, proposed=0, reason="no genome made 10 round trips in each segment")
    expect_text(page, "learned", "none was better than luck (no genome made 10 round trips in each segment)")
    expect_text(page, "positions", "No open positions")
    api.expect(page.locator(".curve canvas")).to_have_count(2)

    hostile = "<img src=x onerror=alert(1)>"
    trade = {"sol_lamports": SOL // 4, "side": "buy", "status": "PAPER", "reason": hostile, "ts": 3600 * NS}
    insert(schema.TradeRow, order_id="a/1", mint=MINT, **trade)
    expect_text(page, "trades", "Mint…Long")
    expect_text(page, "trades", "0.250")
    expect_text(page, "trades", hostile)
    assert page.get_by_title(MINT).count() == 1

    insert(schema.EquityRow, seq=9, ts=600 * NS, equity_usd=890.0, equity_lamports=9 * SOL, drawdown=0.12)
    expect_text(page, "equity-paper", "$890.00")
    assert page.evaluate("document.wasNotReloaded")


def test_paper_and_live_are_counted_apart(page, serve, backend, database, all_running, marked, new_run, insert):
    run = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
    with database.begin() as connection:
        connection.execute(run.values(settings={LIVE_CAPITAL: SOL}))
    insert(schema.EquityRow, account="live", equity_usd=200.0, equity_lamports=SOL, cash_usd=200.0)
    for account, sides in (("paper", ("buy", "sell", "buy", "sell")), ("live", ("buy", "sell", "buy"))):
        for number, side in enumerate(sides):
            order = {"account": account, "order_id": f"{account}-{number}", "side": side}
            insert(schema.OrderRow, **order)
            insert(schema.TradeRow, **order, ts=3600 * NS, mint=MINT)
    page.goto(serve(backend).url)
    counts = page.locator(".count")
    api.expect(counts).to_have_count(5)
    api.expect(counts.nth(3)).to_contain_text(re.compile("Round trips on paper2.*4 fills of 4 orders"))
    api.expect(counts.nth(4)).to_contain_text(re.compile("Round trips live1.*3 fills of 3 orders"))


def test_the_risk_level_changes(page, serve, backend, database, all_running, marked, new_run):
    page.goto(serve(backend).url)
    expect_text(page, "level-paper", "normal")
    changed = schema.BreakerRow.__table__.update().where(schema.BreakerRow.run_id == new_run)
    with database.begin() as conn:
        conn.execute(changed.values(level="critical", drawdown=0.12))
    expect_text(page, "level-paper", "critical")
    expect_text(page, "view", "positions are only closed")
    expect_text(page, "view", "Drawdown 12.00%")
    expect_text(page, "alarms", "paper: critical")
    with database.begin() as conn:
        conn.execute(changed.values(halted=True))
    expect_text(page, "level-paper", "halted")


def test_dark_and_light_are_legible(page, serve, backend, all_running, everything):
    url = serve(backend).url
    page.goto(url)
    expect_text(page, "equity-paper", "$1,067.00")
    colours = set()
    for name in ("Light", "Dark"):
        page.locator("#theme").click()
        api.expect(page.locator("#theme")).to_have_text(name)
        expect_text(page, "equity-paper", "$1,067.00")
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        result = axe.Axe().run(page, options={"runOnly": ["color-contrast"]})
        assert not result.violations_count, result.generate_report()
    assert len(colours) == 2


def test_thousands_of_strategies_are_sorted_filtered_and_compared(
    page, serve, backend, database, all_running, new_run, marked
):
    rows = [
        {
            **{"run_id": new_run, "spec_id": f"s{number:05}", "mode": "simulating", "generation": number},
            **{"genome": genome("momentum_5m" if number % 2 else "social_buzz"), "since_seq": 0},
            **{"allocation_usd": 0.0, "parity_fills": 0, "result": {"total_return": number / 5000, "trades": number}},
        }
        for number in range(5_000)
    ]
    with database.begin() as connection:
        connection.execute(sa.insert(schema.StrategyRow), rows)
    page.set_viewport_size({"width": 1600, "height": 900})
    page.goto(f"{serve(backend).url}/#/strategies")
    expect_text(page, "view", "5,000 strategies")
    table = page.get_by_role("region", name="Strategies, table")
    api.expect(table).to_contain_text("s04999")
    assert table.locator("tbody tr").count() < 80
    table.evaluate("element => { element.scrollTop = element.scrollHeight; }")
    api.expect(table).to_contain_text("s00000")
    page.get_by_role("button", name="Round trips").click()
    api.expect(page.get_by_role("columnheader", name="Round trips")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Round trips").click()
    api.expect(table.locator("tbody tr").nth(1)).to_contain_text("s00000")
    page.get_by_label("Signal").select_option("social_buzz")
    expect_text(page, "view", "2,500 strategies")
    page.get_by_label("Id begins with").fill("s0123")
    page.keyboard.press("Enter")
    expect_text(page, "view", "5 strategies")
    for name in ("s01230", "s01234"):
        page.get_by_label(f"Compare {name}").check()
    page.get_by_role("button", name="Compare 2").click()
    api.expect(page.get_by_role("table")).to_contain_text("s01234")


def test_a_filter_stays_in_the_address_and_a_file_is_saved(page, serve, backend, all_running, everything, tmp_path):
    page.goto(f"{serve(backend).url}/#/trades")
    page.get_by_label("Side").select_option("sell")
    expect_text(page, "view", "13 trades")
    assert page.url.endswith("#/trades?side=sell")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as CSV").click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert (waiting.value.suggested_filename, len(lines)) == ("trades.csv", 14)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as Parquet").click()
    assert pq.read_table(waiting.value.path()).num_rows == 13
    page.reload()
    expect_text(page, "view", "13 trades")
    page.goto(page.url.split("#")[0])
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save equity as Parquet").click()
    points = pq.read_table(waiting.value.path())
    assert (waiting.value.suggested_filename, points.num_rows) == ("equity-paper.parquet", 48)


def test_a_strategy_promoted_by_hand_and_a_trip_that_lost_at_its_target_are_explained(
    page, serve, backend, all_running, everything, insert
):
    insert(
        schema.LifecycleRow, number=9, seq=9, spec_id="spec1", from_mode="simulating", to_mode="paper", reason="manual"
    )
    names = {"spec_id": "spec1", "mint": MINT, "status": "PAPER", "account": "paper"}
    for number, (side, sol, reason) in enumerate((("buy", 1.0, "signal"), ("sell", 0.9, "take_profit"))):
        at = {"ts": number * 60 * NS, "sol_lamports": int(sol * SOL), "seq": number}
        insert(schema.TradeRow, order_id=f"spec1/{number}", side=side, reason=reason, **names, **at)
    page.goto(f"{serve(backend).url}/#/strategies/spec1")
    expect_text(page, "view", "because it was promoted by hand")
    expect_text(page, "view", "by hand")
    expect_text(page, "view", "the value passed the target, and the sale came after the latency at less, net of fees")
    expect_text(page, "view", "n/a: under a day")


def test_a_machine_that_needs_the_token_is_asked_for_it(page, serve, backend, all_running, marked):
    url = serve(backend).url

    def guard(route):
        if route.request.headers.get("authorization") == f"Bearer {TOKEN}":
            route.continue_()
        else:
            route.fulfill(status=401, json={"detail": "reading needs the token"})

    page.route(re.compile(r".*/api/.*"), guard)
    page.goto(url)
    dialog = page.get_by_role("dialog")
    api.expect(dialog).to_contain_text("reading needs the token")
    dialog.get_by_label("Token").fill(TOKEN)
    dialog.get_by_role("button", name="Continue").click()
    expect_text(page, "equity-paper", "$1,010.50")


def test_a_lost_connection_is_shown_and_restored(page, serve, backend, all_running, marked):
    served = serve(backend)
    page.goto(served.url)
    expect_text(page, "equity-paper", "$1,010.50")
    page.evaluate("document.wasNotReloaded = true")
    served.stop()
    expect_text(page, "notice", "The connection is lost")
    serve(backend, served.port)
    api.expect(page.locator("#notice")).to_be_hidden()
    expect_text(page, "status", "healthy")
    assert page.evaluate("document.wasNotReloaded")


def test_the_docs_list_the_routes(page, serve, backend):
    page.goto(f"{serve(backend).url}/docs")
    expect_text(page, "routes", "/api/trades")
    expect_text(page, "routes", re.compile("limit: Maximum number of rows. 1 to 1000, default 100"))
