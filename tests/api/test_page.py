"""The page in a real browser, over real servers."""

import re
import shutil

import pytest

from memesnipe.storage import schema, schema_control

SOL = 1_000_000_000
NS = 1_000_000_000
CHROMIUM = next(filter(None, (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
api = pytest.importorskip("playwright.sync_api", reason="the page is tested with `pip install playwright`")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome here")


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
    assert [item for item in unexpected if not str(item).startswith("data:")] == []  # no error, no external request


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


def test_the_page_follows_the_run_without_a_reload(page, serve, backend, all_running, marked, insert):
    page.goto(serve(backend).url)
    page.evaluate("document.wasNotReloaded = true")
    expect_text(page, "equity", "$1,010.50")
    expect_text(page, "change", "+$10.50")
    expect_text(page, "risk-level", "normal")
    expect_text(page, "events-consumed", "12,345")
    expect_text(page, "trades", "no strategy has been promoted to paper mode")
    expect_text(page, "learned", "Nothing is learned yet")
    insert(schema.GenerationRow, index=0, proposed=0, reason="no genome made 10 round trips in each segment")
    expect_text(page, "learned", "none was better than luck (no genome made 10 round trips in each segment)")
    expect_text(page, "positions", "No open positions")
    assert page.locator("#curve svg path.line").count() == 1

    hostile = "<img src=x onerror=alert(1)>"
    trade = {"sol_lamports": SOL // 4, "side": "buy", "status": "PAPER", "reason": hostile, "ts": 3600 * NS}
    insert(schema.TradeRow, order_id="a/1", mint="MintOfATokenThatIsLong", **trade)
    expect_text(page, "trades", "Mint…Long")
    expect_text(page, "trades", "0.250")
    expect_text(page, "trades", hostile)
    assert page.get_by_title("MintOfATokenThatIsLong").count() == 1

    insert(schema.EquityRow, seq=9, ts=600 * NS, equity_usd=890.0, equity_lamports=9 * SOL, drawdown=0.12)
    expect_text(page, "equity", "$890.00")
    assert page.evaluate("document.wasNotReloaded")


def test_the_risk_level_changes(page, serve, backend, database, all_running, marked, new_run, insert):
    page.goto(serve(backend).url)
    expect_text(page, "risk-level", "normal")
    changed = schema.BreakerRow.__table__.update().where(schema.BreakerRow.run_id == new_run)
    with database.begin() as conn:
        conn.execute(changed.values(level="critical", drawdown=0.12))
    expect_text(page, "risk-level", "critical")
    expect_text(page, "risk-rule", "only closed")
    expect_text(page, "drawdown", "12.00%")
    insert(schema_control.RefusalRow, order_id="a-1", seq=1, reason="stale_data")
    with database.begin() as conn:
        conn.execute(changed.values(halted=True))
    expect_text(page, "risk-level", "halted")
    expect_text(page, "refused", "Refused: 1 stale data")


def test_positions_and_strategies_can_be_read(page, serve, backend, all_running, marked, insert):
    genome = {
        "signals": [{"family": "momentum_5m", "params": {"lookback_s": 300.0}, "weight": 0.75}],
        "exits": {"stop_loss": 0.2, "take_profit": 0.5, "trailing_stop": 0.1, "max_hold_s": 600.0},
    }
    result = {"total_return": 0.125, "sharpe": 1.5, "trades": 7}
    parity = {"parity_fills": 9, "parity_bps": 41.7}
    insert(schema.StrategyRow, spec_id="a", mode="paper", genome=genome, result=result, allocation_usd=80.0, **parity)
    insert(
        schema.LifecycleRow, number=1, seq=1, spec_id="a", to_mode="paper", from_mode="simulating", reason="it was good"
    )
    insert(schema.StrategyRow, spec_id="b", mode="simulating", genome=genome)
    money = {"cost_lamports": SOL, "value_lamports": SOL * 3 // 2}
    insert(schema.PositionRow, spec_id="a", token=1, mint="HeldMintOfAToken", token_raw=5, **money)
    page.goto(serve(backend).url)
    expect_text(page, "strategies", "momentum 5m 0.75")
    expect_text(page, "strategies", "+12.5%")
    expect_text(page, "strategies", "$80.00")
    expect_text(page, "strategies", "42 bps")
    assert page.get_by_title("it was good").count() == 1
    expect_text(page, "positions", "+0.500 (+50.0%)")
    expect_text(page, "profit", "realised 0.000, unrealised +0.500")


def test_a_lost_connection_is_shown_and_restored(page, serve, backend, all_running, marked):
    served = serve(backend)
    page.goto(served.url)
    expect_text(page, "equity", "$1,010.50")
    page.evaluate("document.wasNotReloaded = true")
    served.stop()
    expect_text(page, "notice", "The connection is lost")
    serve(backend, served.port)
    api.expect(page.locator("#notice")).to_be_hidden()
    expect_text(page, "status", "healthy")
    assert page.evaluate("document.wasNotReloaded")


def test_the_layout_does_not_shift_while_the_state_arrives(page, serve, backend, all_running, marked):
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(e => "
        "window.moved += e.value)).observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(serve(backend).url)
    expect_text(page, "status", "healthy")
    assert page.evaluate("window.moved") < 0.02


def test_the_docs_list_the_routes(page, serve, backend):
    page.goto(f"{serve(backend).url}/docs")
    expect_text(page, "routes", "/api/trades")
    expect_text(page, "routes", re.compile("limit: Maximum number of rows. 1 to 1000, default 100"))
