"""Actions on the page: each needs a confirmation and the token, and is in the audit log."""

from pathlib import Path

import pytest

from tests.api.browsing import CHROMIUM, SCREENSHOTS, expect_text
from tests.api.conftest import TOKEN

api = pytest.importorskip("playwright.sync_api", reason="the page is tested with `pip install playwright`")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome here")


def act(page, button, token, reason="a test"):
    page.get_by_role("button", name=button, exact=True).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"action-{button.split()[0].lower()}.png")
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
