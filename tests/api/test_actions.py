"""Every manual action is in the audit log, with who, when and what became of it."""

import time

import httpx
import pytest

from memesnipe.errors import InputError
from memesnipe.protocol.commands import CommandName
from memesnipe.storage import schema
from memesnipe.storage.actions import by_cli
from memesnipe.storage.command_submission import NoSuchStrategyError, submit
from tests.api.conftest import TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(backend, serve):
    with httpx.Client(base_url=serve(backend).url, timeout=20) as client:
        yield client


def test_every_action_over_http_is_in_the_log(client, new_run, insert):
    insert(schema.StrategyRow, spec_id="abc", mode="paper")
    paths = ("halt", "risk/reset", "strategies/abc/promote", "strategies/abc/demote", "strategies/nobody/demote")
    statuses = [client.post(f"/api/{path}?reason=a test", headers=HEADERS).status_code for path in paths]
    assert statuses == [202, 202, 202, 202, 404]
    found = client.get("/api/actions").json()[::-1]
    assert [action["name"] for action in found] == ["halt", "risk_reset", "promote", "demote", "demote"]
    assert {action["who"] for action in found} == {"token holder from 127.0.0.1"}
    assert {action["reason"] for action in found} == {"a test"}
    commands = {command["command_id"]: command["name"] for command in client.get("/api/commands").json()}
    assert [commands.get(action["command_id"]) for action in found] == ["halt", "risk_reset", "promote", "demote", None]
    assert "no strategy 'nobody'" in found[-1]["refused"] and found[0]["refused"] == ""


def test_a_position_is_closed_by_name_and_is_in_the_log(client, new_run, insert):
    insert(schema.StrategyRow, spec_id="abc", mode="paper")
    insert(schema.PositionRow, spec_id="abc", token=7, mint="So1", token_raw=5, cost_lamports=7, account="paper")
    insert(schema.PositionRow, spec_id="abc", token=8, mint="So2", account="paper")  # closed
    paths = ("paper/abc/So1", "paper/abc/So2", "paper/nobody/So1", "live/abc/So1", "else/abc/So1")
    answers = [client.post(f"/api/positions/{path}/close?reason=a test", headers=HEADERS) for path in paths]
    assert [answer.status_code for answer in answers] == [202, 404, 404, 404, 404]
    assert "abc holds no 'So2' on the paper account" in answers[1].json()["detail"]
    (command,) = client.get("/api/commands").json()
    assert [command[name] for name in ("name", "spec_id", "account", "token", "mint")] == [
        "close", "abc", "paper", 7, "So1",
    ]  # fmt: skip
    found = client.get("/api/actions").json()[::-1]
    assert (found[0]["name"], found[0]["mint"], found[0]["account"]) == ("close", "So1", "paper")
    assert len(found) == 4 and all(action["refused"] and action["mint"] is None for action in found[1:])


def test_an_action_without_the_token_is_neither_recorded_nor_done(client, new_run):
    assert client.post("/api/halt").status_code == 401
    assert client.post("/api/positions/paper/abc/So1/close").status_code == 401
    assert client.get("/api/actions").json() == client.get("/api/commands").json() == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1.evil.example:8080"])
def test_a_page_of_another_site_cannot_act(client, new_run, origin):
    assert client.post("/api/halt", headers=HEADERS | {"Origin": origin}).status_code == 403
    assert client.get("/api/actions").json() == []


def test_the_own_page_can_act(client, new_run):
    origin = str(client.base_url).rstrip("/")
    assert client.post("/api/halt", headers=HEADERS | {"Origin": origin}).status_code == 202


@pytest.mark.parametrize("text", ["a\0b", "\udcff", "x" * 5000])
def test_a_refused_action_is_recorded_whatever_it_contains(database, client, new_run, text):
    deadline = time.monotonic() + 10
    with pytest.raises(InputError):
        submit(database, CommandName.HALT, reason=text, deadline=deadline, who=by_cli())
    with pytest.raises(NoSuchStrategyError):
        submit(database, CommandName.PROMOTE, spec_id=text, reason="", deadline=deadline, who=by_cli())
    found = client.get("/api/actions").json()
    assert len(found) == 2 and all(action["refused"] and action["command_id"] is None for action in found)
    assert found[0]["who"].startswith("command line")
