"""Every view in a real browser: complete, accessible, and legible on a phone."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.storage import schema
from memesnipe.storage.schema_actions import ActionRow
from tests.api.browsing import CHROMIUM, EVIDENCE, MINT, RESULT, SCREENSHOTS, VIEWS, expect_text, genome

api = pytest.importorskip("playwright.sync_api", reason="the page is tested with `pip install playwright`")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome here")


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


# Of boxes, the names of those whose content is wider.
CUT = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.ariaLabel)"


def test_no_table_is_cut_off_on_a_phone(page, serve, backend, all_running, everything, insert):
    refused = "there is no strategy 'a-strategy-with-a-long-name' in run 12; " * 3
    insert(ActionRow, asked_at=datetime.now(UTC), name="promote", who="command line, user someone", refused=refused)
    url = serve(backend).url
    page.set_viewport_size({"width": 360, "height": 900})
    for name, (address, text) in VIEWS.items():
        page.goto(f"{url}/#/{address}")
        expect_text(page, "view", text)
        if name != "compare":  # as wide as what is compared
            assert page.locator(".scroll").evaluate_all(CUT) == [], name
    page.goto(f"{url}/#/system")
    expect_text(page, "actions", "a-strategy-with-a-long-name")
    assert page.locator("#actions .scroll").evaluate("box => box.scrollWidth <= box.clientWidth")
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / "actions-360.png", full_page=True)


def test_raw_errors_and_small_amounts_are_legible(page, serve, backend, all_running, everything, insert):
    small = {"cost_lamports": 5_120_000, "value_lamports": 5_120_000, "realised_lamports": -12_345}
    insert(schema.PositionRow, spec_id="spec1", token=1, mint="Small", token_raw=5, account="paper", **small)
    url = serve(backend).url
    page.goto(f"{url}/#/trades/positions")
    row = page.locator("tr", has_text="Small")
    for text in ("0.00512", "−0.0000123"):
        api.expect(row).to_contain_text(text)
    api.expect(row.locator(".down")).to_have_text("−0.0000123")
    assert row.locator("td", has_text=re.compile("^0$")).locator(".up, .down").count() == 0
    page.goto(f"{url}/#/trades?status=FAILED")
    words = "the price moved by more than the tolerance: it would have brought less SOL than allowed; error 6003"
    expect_text(page, "view", words)
    page.goto(f"{url}/#/market/{MINT}")
    expect_text(page, "safety", "sale: bought through pumpfun, it cannot be sold: an account does not exist")


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


@pytest.mark.usefixtures("all_running")
def test_a_strategy_without_a_trade_has_no_mean_and_under_a_day_no_ratio_of_a_year(page, serve, backend, insert):
    none = {"round_trips": 0, "mean_return": 0.0}
    result = RESULT | {"trades": 0, "win_rate": 0.0, "profit_factor": 0.0, "expectancy_usd": 0.0, "mean_hold_s": 0.0}
    row = {"spec_id": "spec0", "mode": "simulating", "genome": genome("momentum_5m")}
    insert(schema.StrategyRow, **row, result=result, evidence=EVIDENCE | none)
    page.goto(f"{serve(backend).url}/#/strategies/spec0")
    found = page.locator(".facts div")
    for name in ("Win rate", "Profit factor", "Expectancy", "Mean holding time", "Mean of its fresh round trips"):
        api.expect(found.filter(has_text=name).locator("dd")).to_have_text("–")
    for name in ("Sharpe", "Sortino", "Calmar"):
        api.expect(found.filter(has_text=re.compile(f"^{name}n/a"))).to_have_text(f"{name}n/a: under a day")


@pytest.mark.usefixtures("all_running")
def test_an_account_that_did_not_trade_has_neither_sign_nor_colour(page, serve, backend, insert, new_run, database):
    kept = sa.update(schema.RunRow).where(schema.RunRow.run_id == new_run)
    with database.begin() as connection:
        connection.execute(kept.values(settings={"initial_capital_usd": 1000.0}))
    remainder = 1000.0 - 1.9e-7  # the capital is a whole number of lamports, a little less than 1,000 USD
    insert(schema.EquityRow, seq=1, equity_usd=remainder, equity_lamports=5 * 10**9, cash_usd=remainder)
    page.goto(serve(backend).url)
    change = page.locator(".change").first
    api.expect(change).to_have_text("$0 (0.0%) since the start")
    assert change.get_attribute("class").split() == ["change"]


APART = """async () => {
  const { apart } = await import("./static/candles.js");
  const group = (at, isBuy, ...reasons) => ({ at, isBuy, trades: reasons.map((reason) => ({ side: "sell", reason })) });
  const groups = [group(0, false, "stop_loss"), group(20, true, "signal"), group(24, false, "flatten"),
    group(40, false, "a", "b"), group(50, true, "a_very_long_reason"), group(62, true, "a_very_long_reason")];
  const named = apart(groups, 10);
  return groups.map((group) => named.has(group));
}"""


def test_names_at_the_arrows_of_a_price_chart_have_room(page, serve, backend, marked):
    page.goto(serve(backend).url)
    # The second and the third are 40 px apart, less than half of their names; the last two are less than a name apart.
    assert page.evaluate(APART) == [True, False, False, True, True, False]
