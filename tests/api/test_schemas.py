"""The responses are the JSON that the API's description promises, for a run with records and for one without."""

import json

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from memesnipe.api.app import create_api
from memesnipe.api.commands import Commands, command_routes
from memesnipe.storage import schema, schema_control
from memesnipe.storage.schema_verdicts import TokenVerdictRow
from tests.api.conftest import TOKEN


@pytest.fixture
def client(backend, serve):
    with httpx.Client(base_url=serve(backend).url, timeout=20) as client:
        yield client


MINT = "a" * 44


@pytest.fixture
def routes(backend, database, tmp_path):
    commands = Commands(database, "", tmp_path / "halt")
    every = [*create_api(backend, commands, 1).routes, *command_routes(commands).routes]
    found = {route.path: route for route in every if isinstance(route, APIRoute) and route.path.startswith("/api/")}
    del found["/api/events"]
    return found


@pytest.fixture
def records(insert):
    insert(schema.StrategyRow, spec_id="a", mode="paper", genome={"x": 1}, result={"total_return": 0.1})
    insert(schema.StrategyRow, spec_id="b", mode="retired", deflated_sharpe=0.5, live_usd=3.0, parity_bps=2.0)
    insert(schema.TradeRow, order_id="a/1", mint="So1", seq=1, sol_lamports=5, value_usd=0.1)
    insert(schema.PositionRow, spec_id="a", token=1, token_raw=5, cost_lamports=7, value_lamports=9)
    insert(schema.PositionRow, spec_id="a", token=2)
    insert(schema.GenerationRow, index=1, best_fitness=float("-inf"), median_fitness=float("nan"))
    insert(TokenVerdictRow, mint=MINT, reasons=[{"check": "sale", "detail": "no"}], sources={"sale": "checked"})
    insert(schema.BreakerRow, level="critical", drawdown=0.12)
    insert(schema.EquityRow, seq=1, equity_usd=1000.0, equity_lamports=5)
    insert(schema.LifecycleRow, number=1, seq=3, spec_id="a", to_mode="paper", from_mode="simulating", reason="good")
    insert(schema_control.RefusalRow, order_id="a-1", seq=3, reason="price", detail="the pool says 1 USD")


def described(route, text):
    """Return the JSON after a strict reading by the model of a route."""
    adapter = TypeAdapter(route.response_model)
    return adapter.dump_python(adapter.validate_json(text, strict=True), mode="json")


def test_a_run_without_records_has_the_described_responses(client, routes, all_running, new_run):
    reads = [path for path, route in routes.items() if "GET" in route.methods]
    assert len(reads) == 13
    for path in reads:
        text = client.get(path.replace("{mint}", MINT)).text
        assert described(routes[path], text) == json.loads(text), path


def test_a_run_with_records_has_the_described_responses(client, routes, all_running, records):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/api/halt", "/api/risk/reset", "/api/strategies/a/promote", "/api/strategies/a/demote"):
        text = client.post(path, headers=headers).text
        assert described(routes[path.replace("/a/", "/{spec_id}/")], text) == json.loads(text), path
    for path in (path for path, route in routes.items() if "GET" in route.methods):
        text = client.get(path.replace("{mint}", MINT)).text
        found = json.loads(text)
        assert found, path
        assert described(routes[path], text) == found, path


def test_every_response_has_a_schema_in_the_description(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert "text/event-stream" in paths["/api/events"]["get"]["responses"]["200"]["content"]
    for path, methods in paths.items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if (path, status) == ("/api/events", "200"):
                    continue
                assert response["content"]["application/json"]["schema"], (path, status)
            assert operation["responses"]["503"]["content"]["application/json"]["schema"]["$ref"].endswith(
                "/Health" if path == "/api/health" else "/Problem"
            )


def test_errors_have_the_described_shape(client, new_run):
    for method, path, status in (("GET", "/api/trades?limit=0", 422), ("POST", "/api/halt", 401)):
        answer = client.request(method, path)
        assert (answer.status_code, set(answer.json())) == (status, {"error"})
