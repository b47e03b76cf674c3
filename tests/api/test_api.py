"""The API over real servers, through a real socket."""

import json
import threading
from datetime import UTC, datetime

import httpx
import pytest
import redis
import sqlalchemy as sa

import memesnipe
from memesnipe.api import backend as backend_module
from memesnipe.api import broadcast
from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.commands import Commands
from memesnipe.api.health import ACTORS, HEARTBEAT_KEY
from memesnipe.api.pages import PAGE
from memesnipe.servers.process import free_port
from memesnipe.signer.app import create_signer_api
from memesnipe.storage import schema, schema_control
from memesnipe.storage.schema_verdicts import TokenVerdictRow
from tests.api.conftest import PROBLEM, describe

STARTED = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def client(backend, serve):
    with httpx.Client(base_url=serve(backend).url, timeout=20) as client:
        yield client


def messages(lines):
    """Yield the messages and comments of a stream."""
    event = ""
    for line in lines:
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield event, json.loads(line.removeprefix("data: "))
        elif line.startswith(":"):
            yield "comment", line


def test_a_running_system_is_healthy(client, all_running, new_run):
    answer = client.get("/api/health")
    health = answer.json()
    assert (answer.status_code, health["status"], health["detail"]) == (200, "healthy", "")
    assert health["version"] == memesnipe.__version__
    assert set(health["parts"]) == {"postgres", "redis", "signer", "progress", "events", "commands", *ACTORS}
    assert health["parts"]["executor"] == {"state": "running", "detail": ""}


@pytest.mark.parametrize(
    ("beat", "state"),
    [
        (None, "down"),
        ('{"state": "recovering", "detail": "from event 5", "pid": 1, "seq": 5}', "recovering"),
        ("no json", "down"),
        ("[1]", "down"),
    ],
)
def test_an_actor_that_does_not_run_degrades_the_status(client, bus, all_running, new_run, beat, state):
    key = HEARTBEAT_KEY.format("position")
    bus.delete(key) if beat is None else bus.set(key, beat)
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"]["position"]["state"] == state
    assert answer.json()["detail"] == f"position is {state}"


def test_a_stalled_actor_degrades_the_status_with_its_reason(client, bus, all_running, new_run):
    detail = "the current step has taken 12 s, and what follows waits for it"
    bus.set(HEARTBEAT_KEY.format("executor"), json.dumps({"state": "stalled", "detail": detail}))
    bus.set(HEARTBEAT_KEY.format("strategy_factory"), '{"state": "breeding", "detail": "for 40 s"}')
    health = client.get("/api/health").json()
    assert (health["status"], health["detail"]) == ("degraded", f"executor is stalled ({detail})")
    assert health["parts"]["strategy_factory"] == {"state": "breeding", "detail": "for 40 s"}


def test_a_quiet_live_feed_is_healthy(client, bus, all_running, new_run):
    bus.set(HEARTBEAT_KEY.format("market_data"), '{"state": "quiet", "detail": "no event from the feed for 40 s"}')
    health = client.get("/api/health").json()
    assert (health["status"], health["detail"]) == ("healthy", "")
    assert health["parts"]["market_data"] == {"state": "quiet", "detail": "no event from the feed for 40 s"}


def test_a_timeout_of_the_figures_is_reported_as_trouble(database, bus, all_running, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr(backend_module, "_TIMEOUT_S", 0.1)
    monkeypatch.setattr(backend_module.views, "report", lambda *_: free.wait() and {})
    trouble = Backend(database, bus, lambda: True, started_at=STARTED).state()
    assert trouble["error"].startswith("the database has not responded")
    assert trouble["health"]["parts"]["postgres"]["state"] == "up"
    free.set()


def test_finished_actors_are_healthy(client, bus, all_running, new_run):
    bus.set(HEARTBEAT_KEY.format("market_data"), '{"state": "finished"}')
    assert client.get("/api/health").json()["status"] == "healthy"


def test_an_unhealthy_signer_degrades_the_status(client, all_running, signer, new_run):
    signer["healthy"] = False
    health = client.get("/api/health").json()
    assert (health["status"], health["parts"]["signer"]["state"]) == ("degraded", "unhealthy")


def test_a_signer_that_fails_or_hangs_is_down(database, bus, all_running, new_run):
    def fail():
        raise ConnectionError("no signer here")

    health = Backend(database, bus, fail, started_at=STARTED).health()
    assert health["parts"]["signer"] == {"state": "down", "detail": "no signer here"}
    free = threading.Event()
    health = Backend(database, bus, free.wait, started_at=STARTED).health()
    assert health["parts"]["signer"]["detail"] == "no response within 2 s"
    assert (health["status"], health["parts"]["postgres"]["state"]) == ("degraded", "up")
    free.set()


def test_parts_that_have_not_answered_yet_are_starting_and_later_down(database, bus, all_running, new_run):
    signer = {"healthy": False}
    key = HEARTBEAT_KEY.format("position")
    beat = bus.get(key)
    bus.delete(key)
    backend = Backend(database, bus, lambda: signer["healthy"], started_at=STARTED, starting_s=3600.0)
    health = backend.health()
    assert (health["status"], health["detail"]) == ("starting", "waits for signer, position")
    assert health["parts"]["position"] == health["parts"]["signer"] == {"state": "starting", "detail": ""}
    assert health["parts"]["executor"]["state"] == "running"
    bus.set(key, beat)
    signer["healthy"] = True
    assert backend.health()["status"] == "healthy"
    bus.delete(key)
    assert backend.health()["parts"]["position"] == {"state": "down", "detail": "no heartbeat"}
    bus.set(key, '{"state": "starting"}')
    assert backend.health()["status"] == "degraded", "it has been healthy: this is a replacement"


def test_no_redis_is_unhealthy(database, serve, new_run):
    with redis.Redis(port=free_port(0)) as nowhere:
        served = serve(Backend(database, nowhere, lambda: True, started_at=STARTED))
        answer = httpx.get(f"{served.url}/api/health", timeout=20)
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert answer.json()["parts"]["executor"]["state"] == "unknown"


def test_the_error_of_a_missing_database_has_no_password(bus, all_running, serve):
    url = f"postgresql+psycopg://memesnipe:open-sesame@127.0.0.1:{free_port(0)}/memesnipe"
    nowhere = sa.create_engine(url)
    served = serve(Backend(nowhere, bus, lambda: True, started_at=STARTED))
    health = httpx.get(f"{served.url}/api/health", timeout=20)
    assert (health.status_code, health.json()["parts"]["postgres"]["state"]) == (503, "down")
    trades = httpx.get(f"{served.url}/api/trades", timeout=20)
    assert trades.status_code == 503
    assert set(trades.json()) == PROBLEM and "\n" not in trades.json()["detail"]
    with httpx.stream("GET", f"{served.url}/api/events", timeout=20) as stream:
        event, trouble = next(messages(stream.iter_lines()))
    assert event == "trouble" and "does not respond" in trouble["error"]
    for text in (health.text, trades.text, json.dumps(trouble)):
        assert "sesame" not in text and "postgresql+" not in text
    nowhere.dispose()


def test_no_run_is_degraded_and_empty(server_urls, database, bus, all_running, serve):
    """In a separate schema, because the other tests have runs."""
    with database.begin() as conn:
        conn.execute(sa.text("CREATE SCHEMA no_runs"))
    empty = sa.create_engine(server_urls.database_url, connect_args={"options": "-c search_path=no_runs"})
    schema.Base.metadata.create_all(empty)
    served = serve(Backend(empty, bus, lambda: True, started_at=STARTED))
    with httpx.Client(base_url=served.url, timeout=20) as client:
        health = client.get("/api/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert health.json()["detail"] == "no run has started yet"
        assert client.get("/api/report").json()["status"] == "none"
        assert client.get("/api/trades").json() == []
        assert client.get("/api/portfolio").json()["equity_usd"] is None
    empty.dispose()


def test_the_newest_run_is_shown(client, new_run, insert):
    insert(schema.TradeRow, order_id="a/1", mint="So1", seq=1)
    insert(schema.TradeRow, order_id="a/2", mint="So2", seq=2)
    insert(schema.PositionRow, spec_id="a", token=1, token_raw=5, cost_lamports=7)
    insert(schema.StrategyRow, spec_id="a", mode="paper", result={"total_return": 0.1})
    insert(schema.GenerationRow, index=1, best_fitness=float("-inf"))
    insert(schema.BreakerRow, level="critical", drawdown=0.12)
    assert [trade["mint"] for trade in client.get("/api/trades", params={"limit": 1}).json()] == ["So2"]
    assert client.get("/api/positions").json()[0]["token_raw"] == 5
    assert client.get("/api/strategies").json()[0]["spec_id"] == "a"
    assert client.get("/api/generations").json()[0]["best_fitness"] is None  # JSON has no infinity
    assert client.get("/api/risk").json()["level"] == "critical"
    assert client.get("/api/report").json()["run_id"] == new_run
    assert client.get("/api/portfolio").json()["open_positions"] == 1


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_an_invalid_limit_is_refused(client, limit):
    assert client.get("/api/trades", params={"limit": limit}).status_code == 422


def test_the_stream_sends_the_changes_of_the_state(client, all_running, new_run, insert, monkeypatch):
    monkeypatch.setattr(broadcast, "COMMENT_INTERVAL_S", 2.0)
    insert(schema.EquityRow, seq=1, equity_usd=1000.0, equity_lamports=5)
    with client.stream("GET", "/api/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        found = messages(stream.iter_lines())
        event, state = next(found)
        assert event == "state" and state["accounts"][0]["portfolio"]["equity_usd"] == 1000.0
        parts = "report", "learned", "accounts", "positions", "trades", "lifecycle", "commands", "health"
        assert set(state) == set(parts)
        assert next(found)[0] == "comment"
        insert(schema.TradeRow, order_id="a/1", mint="fresh", seq=2)
        changed = next(state for event, state in found if event == "changes")
        assert [trade["mint"] for trade in changed["trades"]] == ["fresh"]
        assert set(changed) == {"report", "trades"}  # what differs, and nothing else


def test_the_pages_load_nothing_from_other_hosts(client):
    for path in ("/", "/docs"):
        page = client.get(path)
        assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
        assert "http:" not in page.text.replace("http://www.w3.org/", "") and "https:" not in page.text
    for path in (file for file in PAGE.rglob("*") if file.is_file()):
        answer = client.get(f"/static/{path.relative_to(PAGE)}")
        assert answer.status_code == 200, path
        assert path.parent.name == "vendor" or "innerHTML" not in answer.text, path
    assert "/api/trades" in client.get("/openapi.json").json()["paths"]


def test_the_signer_serves_its_public_key_and_health_and_signs():
    routes = {route.path for route in create_signer_api("Key").routes}
    assert routes == {"/pubkey", "/health", "/sign"}


def test_views_are_read_only(backend):
    with backend._newest() as (conn, _), pytest.raises(sa.exc.InternalError, match="read-only"):
        conn.execute(sa.delete(schema.TradeRow))


def test_every_route_has_a_description(backend, database, market, tmp_path):
    commands = Commands(database, "", tmp_path / "halt")
    for path, methods in create_api(backend, commands, market, describe, 1).openapi()["paths"].items():
        assert all(operation["description"] for operation in methods.values()), path


COMMAND_PATHS = (
    "/api/halt",
    "/api/flatten?account=paper",
    "/api/risk/reset",
    "/api/strategies/abc/promote",
    "/api/strategies/abc/demote",
)


@pytest.mark.parametrize("path", COMMAND_PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic a token of the tests"},
        {"Authorization": "Bearer"},
    ],
)
def test_without_the_token_no_command_is_recorded(client, new_run, insert, path, headers):
    insert(schema.StrategyRow, spec_id="abc", mode="paper")
    answer = client.post(path, headers=headers)
    assert answer.status_code == 401
    assert client.get("/api/commands").json() == []


def test_an_installation_without_a_token_refuses_every_command(database, bus, serve, new_run):
    backend = Backend(database, bus, lambda: True, started_at=STARTED)
    with httpx.Client(base_url=serve(backend, token="").url) as client:
        for sent in ("Bearer x", "Bearer", ""):
            assert client.post("/api/halt", headers={"Authorization": sent}).status_code == 401


def test_with_the_token_commands_are_recorded_in_order(client, new_run, insert):
    insert(schema.StrategyRow, spec_id="abc", mode="paper")
    headers = {"Authorization": "Bearer a token of the tests"}
    answers = [client.post(path, headers=headers) for path in COMMAND_PATHS]
    assert [answer.status_code for answer in answers] == [202] * 5
    commands = client.get("/api/commands").json()
    assert [(c["name"], c["spec_id"], c["outcome"]) for c in reversed(commands)] == [
        ("halt", "", None), ("flatten", "", None), ("risk_reset", "", None),
        ("promote", "abc", None), ("demote", "abc", None),
    ]  # fmt: skip
    assert [answer.json()["command_id"] for answer in answers] == [c["command_id"] for c in reversed(commands)]
    assert client.post("/api/strategies/nobody/promote", headers=headers).status_code == 404


def test_refusals_and_lifecycle_changes_are_listed(client, new_run, insert):
    insert(schema_control.RefusalRow, order_id="a-1", seq=3, reason="price", detail="the pool says 1 USD")
    insert(schema.LifecycleRow, number=1, seq=3, spec_id="a", to_mode="paper", from_mode="simulating", reason="good")
    assert client.get("/api/refusals").json()[0]["detail"] == "the pool says 1 USD"
    assert client.get("/api/lifecycle").json()[0]["reason"] == "good"
    assert client.get("/api/risk").json()["refusals"] == {"price": 1}


def test_the_verdicts_on_a_token_are_listed_the_newest_first(client, insert):
    mint, other = "a" * 44, "b" * 44
    reasons = [{"check": "sale", "detail": "it cannot be sold"}]
    insert(TokenVerdictRow, mint=mint, ts=1, safe=True, reasons=[], sources={"rugcheck": "not configured"})
    insert(TokenVerdictRow, mint=mint, ts=2, safe=False, reasons=reasons, sources={"sale": "checked"})
    found = client.get(f"/api/tokens/{mint}/safety").json()
    assert [(each["ts"], each["safe"], each["reasons"]) for each in found] == [(2, False, reasons), (1, True, [])]
    assert client.get(f"/api/tokens/{other}/safety").json() == []
