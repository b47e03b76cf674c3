"""The page in a real browser, over real servers."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.storage import schema
from tests.api.browsing import CHROMIUM, FLAGS, MINT, SCREENSHOTS, SOL, genome, insert_everything
from tests.api.conftest import TOKEN

NS = 1_000_000_000
api = pytest.importorskip("playwright.sync_api", reason="the page is tested with `pip install playwright`")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome here")

# Address of each view, and a text that shows that its data has come.
VIEWS = {
    "overview": ("", "$1,067.00"),
    "strategies": ("strategies", "5 strategies"),
    "strategy": ("strategies/spec0", "bred in generation 1"),
    "compare": ("compare/spec0,spec1,spec2", "Deflated Sharpe"),
    "evolution": ("evolution", "Evaluations per second"),
    "lineage": ("evolution/child", "descends from 3 genomes"),
    "market": ("market", "30 tokens"),
    "token": (f"market/{MINT}", "Our trades in it"),
    "trades": ("trades", "24 trades"),
    "positions": ("trades/positions", "+0.500"),
    "refusals": ("trades/refusals", "1 refusal"),
    "periods": ("trades/periods", "1970-01-05"),
    "system": ("system", "INITIAL_CAPITAL_USD"),
}


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(20_000)
    api.expect.set_options(timeout=20_000)
    unexpected = []

    def note(item):  # playwright cannot call the method of a list
        unexpected.append(item)

    page.on("pageerror", note)
    page.on("request", lambda request: None if "127.0.0.1" in request.url else note(request.url))
    yield page
    page.close()
    # No error, no external request; files are saved from addresses of the page itself.
    assert [item for item in unexpected if not str(item).startswith(("data:", "blob:"))] == []


@pytest.fixture
def no_console_errors(page):
    errors = []

    def note(message):
        if message.type in ("error", "warning"):
            errors.append(message.text)

    page.on("console", note)
    yield
    assert errors == []


def expect_text(page, element, text):
    api.expect(page.locator(f"#{element}")).to_contain_text(text)


@pytest.fixture
def marked(insert):
    for number, usd in enumerate((1000.0, 1020.0, 1010.5)):
        insert(
            schema.EquityRow,
            **{"seq": number, "ts": number * 60 * NS, "equity_usd": usd},
            **{"equity_lamports": 10 * SOL, "cash_usd": 900.0},
        )
    insert(schema.BreakerRow, level="normal", drawdown=0.009)
    insert(schema.FeedCursorRow, seq=12345)
    insert(schema.StreamOffsetRow, actor="executor", stream="events", consumed=12345)


@pytest.fixture
def everything(insert, tmp_path, database, new_run):
    with database.begin() as connection:
        kept = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
        connection.execute(kept.values(settings={"initial_capital_usd": 1000.0, "seed": 24}))
    insert_everything(insert, tmp_path, new_run)


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


@pytest.mark.parametrize("width", [360, 1400])
def test_every_view_is_complete_accessible_and_fits(
    page, serve, backend, all_running, everything, no_console_errors, width
):
    url = serve(backend).url
    page.set_viewport_size({"width": width, "height": 900})
    checker, found = axe.Axe(), {}
    for name, (address, text) in VIEWS.items():
        page.goto(f"{url}/#/{address}")
        expect_text(page, "view", text)
        expect_text(page, "status", "healthy")
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        result = checker.run(page)
        if result.violations_count:
            found[name] = result.generate_report()
    assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())


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


def test_the_archive_is_a_map_and_ancestors_are_followed(page, serve, backend, all_running, everything):
    page.goto(f"{serve(backend).url}/#/evolution")
    archive = page.locator("#archive")
    api.expect(archive).to_contain_text("5 genomes of all cells")
    cell = archive.get_by_role("button", name="2.2: best of 2 genomes, held 15 s to 60 s, turnover 0.5 to 2")
    cell.click()
    api.expect(archive.get_by_role("table").nth(1).locator("tbody tr")).to_have_count(2)
    api.expect(archive).to_contain_text("2 genomes in the cell")
    archive.get_by_role("combobox").select_option("social_buzz")
    api.expect(archive).to_contain_text("2 genomes in the cell")
    page.get_by_role("link", name="Ancestors of spec0").click()
    lineage = page.locator("#lineage")
    api.expect(lineage).to_contain_text("Genome spec0 descends from 2 genomes, back to generation 0")
    api.expect(lineage).to_contain_text("crossover of mother and father")
    lineage.get_by_role("link", name="mother").first.click()
    api.expect(lineage).to_contain_text("Genome mother has no recorded ancestor")
    page.goto(page.url.replace("mother", "nobody"))
    api.expect(lineage).to_contain_text("has evaluated no genome nobody")


def test_periods_are_tinted_and_listed_for_each_account(page, serve, backend, all_running, everything):
    page.goto(f"{serve(backend).url}/#/trades/periods")
    found = page.request.get(f"{page.url.split('#')[0]}api/periods").json()
    paper = page.locator("#periods-paper")
    best = max(found["days"], key=lambda day: day["profit_usd"])
    cell = paper.get_by_title(f"{best['start']}: +${best['profit_usd']:.2f}")
    api.expect(cell).to_have_text(f"+{best['profit_usd']:.0f}")
    tint = "element => getComputedStyle(element).backgroundColor"
    cells = paper.locator("td.heat")
    assert len({cells.nth(i).evaluate(tint) for i in range(cells.count())}) > 3
    rows = paper.get_by_role("table").nth(1).locator("tbody tr")
    for name in ("days", "weeks", "months"):
        paper.get_by_label("By").select_option(name)
        api.expect(rows).to_have_count(len(found[name]))
    api.expect(rows.first).to_contain_text(f"+${found['months'][0]['profit_usd']:.2f}")


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
    page.get_by_role("button", name="Trades").click()
    api.expect(page.get_by_role("columnheader", name="Trades")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Trades").click()
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
    expect_text(page, "view", "12 trades")
    assert page.url.endswith("#/trades?side=sell")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as CSV").click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert (waiting.value.suggested_filename, len(lines)) == ("trades.csv", 13)
    page.reload()
    expect_text(page, "view", "12 trades")


def act(page, button, token, reason="a test"):
    page.get_by_role("button", name=button, exact=True).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    if token is not None:
        dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name=button.split()[0], exact=True).click()


@pytest.mark.parametrize(
    ("address", "button", "command"),
    [
        ("", "Halt", "halt"),
        ("", "Resume", "risk_reset"),
        ("strategies/spec0", "Promote", "promote"),
        ("strategies/spec0", "Demote", "demote"),
        ("trades/positions", "Close Mint…Long of spec0", "close"),
    ],
)
def test_an_action_needs_the_token_and_is_in_the_log(
    page, serve, backend, all_running, everything, address, button, command
):
    url = serve(backend).url
    page.goto(f"{url}/#/{address}")
    act(page, button, "a wrong token of sixteen")
    dialog = page.get_by_role("dialog")
    api.expect(dialog.get_by_role("alert")).to_contain_text("Not done: send the token")
    assert page.request.get(f"{url}/api/actions").json() == []
    dialog.get_by_label("Token").fill(TOKEN)
    dialog.get_by_role("button", name=button.split()[0], exact=True).click()
    expect_text(page, "announcement", "recorded as command")
    (action,) = page.request.get(f"{url}/api/actions").json()
    assert (action["name"], action["reason"], action["who"]) == (command, "a test", "token holder from 127.0.0.1")
    page.goto(f"{url}/#/system")
    expect_text(page, "actions", "token holder from 127.0.0.1")


def test_a_cancelled_action_does_nothing(page, serve, backend, all_running, everything):
    url = serve(backend).url
    page.goto(url)
    page.get_by_role("button", name="Halt", exact=True).click()
    page.keyboard.press("Escape")
    api.expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.request.get(f"{url}/api/actions").json() == []


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
