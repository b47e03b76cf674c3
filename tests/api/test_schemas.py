"""The responses are the JSON that the API's description promises, for a run with records and for one without."""

import json

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from memesnipe.api.commands import Commands, command_routes
from memesnipe.api.evolution_routes import evolution_routes
from memesnipe.api.figures import figure_routes
from memesnipe.api.market_routes import market_routes
from memesnipe.api.reads import Reads
from memesnipe.api.schemas import Problem
from memesnipe.api.strategy_routes import strategy_routes
from memesnipe.api.trade_routes import trade_routes
from memesnipe.market.events import PRICE, empty
from memesnipe.storage import schema, schema_control
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.schema_verdicts import TokenVerdictRow
from tests.api.conftest import PROBLEM, TOKEN, describe


@pytest.fixture
def client(backend, serve):
    with httpx.Client(base_url=serve(backend).url, timeout=20) as client:
        yield client


@pytest.fixture
def routes(backend, database, market, tmp_path):
    reads = Reads(backend)
    routers = (
        figure_routes(reads),
        evolution_routes(reads),
        strategy_routes(reads, describe),
        trade_routes(reads),
        market_routes(reads, market),
        command_routes(Commands(database, "", tmp_path / "halt")),
    )
    return {route.path: route for router in routers for route in router.routes if isinstance(route, APIRoute)}


@pytest.fixture
def records(insert, new_run, tmp_path):
    insert(
        schema.StrategyRow,
        spec_id="a",
        mode="paper",
        genome={"signals": [{"family": "one", "weight": 0.5}]},
        result={"total_return": 0.1},
    )
    insert(schema.StrategyRow, spec_id="b", mode="retired", deflated_sharpe=0.5, live_usd=3.0, parity_bps=2.0)
    insert(schema.TradeRow, order_id="a/1", mint="So1", seq=1, sol_lamports=5, value_usd=0.1)
    insert(
        schema.PositionRow,
        spec_id="a",
        token=1,
        mint="So1",
        account="paper",
        token_raw=5,
        cost_lamports=7,
        value_lamports=9,
    )
    insert(schema.PositionRow, spec_id="a", token=2)
    insert(schema.GenerationRow, index=1, best_fitness=float("-inf"), median_fitness=float("nan"))
    insert(TokenVerdictRow, mint="So1", reasons=[{"check": "sale", "detail": "no"}], sources={"sale": "checked"})
    insert(schema.BreakerRow, level="critical", drawdown=0.12)
    insert(schema.EquityRow, seq=1, equity_usd=1000.0, equity_lamports=5)
    insert(schema.LifecycleRow, number=1, seq=3, spec_id="a", to_mode="paper", from_mode="simulating", reason="good")
    insert(schema_control.RefusalRow, order_id="a-1", seq=3, reason="price", detail="the pool says 1 USD")
    insert(schema.TokenRow, token=1, mint="So1")
    bred = {"mix": "one+two", "operator": "crossover", "parents": ["b", "c"]}
    insert(schema.EvaluationRow, generation=1, spec_id="a", fitness=0.5, **bred)
    insert(schema.EliteRow, cell="one+two/2/1", spec_id="a", fitness=0.5, generation=1)
    insert(schema.FeedCursorRow, seq=3)
    events = empty(3)
    events["seq"], events["kind"], events["token"], events["price_usd"] = (1, 2, 3), PRICE, 1, 0.5
    log = EventLog(tmp_path / f"{new_run}.bin")
    log.append(events)
    log.close()


def described(route, text):
    """Return the JSON after a strict reading by the model of a route."""
    adapter = TypeAdapter(route.response_model)
    return adapter.dump_python(adapter.validate_json(text, strict=True), mode="json")


def test_a_run_without_records_has_the_described_responses(client, routes, all_running, new_run):
    reads = [path for path, route in routes.items() if "GET" in route.methods]
    assert len(reads) == 29
    for path in reads:
        answer = client.get(path.format(spec_id="nobody", mint="nobody", ending="csv"))
        if ("{spec_id}" in path or "{mint}" in path) and not path.endswith("/safety"):
            assert answer.status_code == 404 and Problem.model_validate_json(answer.text), path
        elif routes[path].response_model:
            assert described(routes[path], answer.text) == json.loads(answer.text), path


def test_a_run_with_records_has_the_described_responses(client, routes, all_running, records):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    closed = "/api/positions/paper/a/So1/close"
    for path in ("/api/halt", "/api/risk/reset", "/api/strategies/a/promote", "/api/strategies/a/demote", closed):
        text = client.post(path, headers=headers).text
        route = path.replace("/a/", "/{spec_id}/").replace("/paper/", "/{account}/").replace("/So1/", "/{mint}/")
        assert described(routes[route], text) == json.loads(text), path
    for path in (path for path, route in routes.items() if "GET" in route.methods):
        text = client.get(path.format(spec_id="a", mint="So1", ending="csv")).text
        if path.endswith(".{ending}"):
            assert len(text.splitlines()) == 2, path
            continue
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
                if status == "304":
                    continue
                is_file = path.endswith(".{ending}") and status == "200"
                assert len(response["content"]) == (2 if is_file else 1), (path, status)
                assert all(content["schema"] for content in response["content"].values()), (path, status)
            kind, name = ("json", "Health") if path == "/api/health" else ("problem+json", "Problem")
            (content,) = operation["responses"]["503"]["content"].items()
            assert (content[0], content[1]["schema"]["$ref"]) == (f"application/{kind}", f"#/components/schemas/{name}")


def test_errors_have_the_described_shape(client, new_run):
    for method, path, status in (("GET", "/api/trades?limit=0", 422), ("POST", "/api/halt", 401)):
        answer = client.request(method, path)
        assert (answer.status_code, set(answer.json())) == (status, PROBLEM)
        assert answer.headers["content-type"] == "application/problem+json"
